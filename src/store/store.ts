/** The store's port: records under ordered keys, and blobs by content hash. It does not interpret them. */
import type { BlobRef } from '../model/records.ts'

/** A path of parts. Numbers sort as numbers: `['schedule', pid, 9]` comes before `['schedule', pid, 10]`. */
export type RecordKey = readonly (string | number)[]

export interface RangeOptions {
  /** First last-part, inclusive. */
  readonly from?: string | number
  /** Last last-part, inclusive. */
  readonly to?: string | number
}

export interface Store {
  get<T>(key: RecordKey): Promise<T | undefined>
  /** Writes one atomic batch, which is durable when the promise resolves. The value `undefined` deletes a record. */
  put(entries: readonly (readonly [RecordKey, unknown])[]): Promise<void>
  /** Streams the record at `prefix`, if any, and all below it in key order. `range` limits the part that follows the prefix. */
  list<T>(prefix: RecordKey, range?: RangeOptions): AsyncIterable<readonly [RecordKey, T]>
  /** Keeps the bytes as a file named by their hash; the file is whole or absent. It never holds all chunks in memory. */
  putBlob(content: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobRef>
  /** The bytes, checked against their hash and length; undefined if the store has none. */
  getBlob(ref: BlobRef): Promise<Uint8Array | undefined>
  /** Deletes the bytes. */
  removeBlob(ref: BlobRef): Promise<void>
  /** The path of the blob's file, for a reader that maps or streams it itself. */
  blobPath(ref: BlobRef): string
  /** A new folder for files that only this audit needs. Closing the store removes it, or opening the store after a crash. */
  temporary(): Promise<string>
  close(): Promise<void>
}
