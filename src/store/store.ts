/** The store's port: records under ordered keys, and blobs by content hash. It knows no meaning. */
import type { BlobRef } from '../model/records.ts'

/** A path of parts. Numbers order as numbers: `['schedule', pid, 9]` lies before `['schedule', pid, 10]`. */
export type RecordKey = readonly (string | number)[]

export interface RangeOptions {
  /** First last-part, inclusive. */
  readonly from?: string | number
  /** Last last-part, inclusive. */
  readonly to?: string | number
}

export interface Store {
  get<T>(key: RecordKey): Promise<T | undefined>
  /** One atomic batch; durable when it resolves. A value `undefined` deletes. */
  put(entries: readonly (readonly [RecordKey, unknown])[]): Promise<void>
  /** The record at `prefix`, if any, and all below it, in key order, streamed. `range` bounds the part that follows the prefix. */
  list<T>(prefix: RecordKey, range?: RangeOptions): AsyncIterable<readonly [RecordKey, T]>
  /** Keeps the bytes as a file named by their hash; the file is whole or not there. Chunks are never held together. */
  putBlob(content: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobRef>
  /** The bytes, checked against their hash and length; undefined where the store has none. */
  getBlob(ref: BlobRef): Promise<Uint8Array | undefined>
  /** Forgets the bytes. */
  removeBlob(ref: BlobRef): Promise<void>
  /** Where the blob's file lies, for a reader that maps or streams it itself. */
  blobPath(ref: BlobRef): string
  /** A new folder for files that are of no use beyond the audit; it is gone once the store is closed, or opened after a crash. */
  temporary(): Promise<string>
  close(): Promise<void>
}
