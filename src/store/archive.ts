/**
 * The archive file (archive §1 to §3): what an audit needs of a store, as one tar, gzip'd. `manifest.json` first, then
 * `records.jsonl`, then `blobs/<SHA-256>`. The same content gives the same bytes (with the same zlib: Node's differs by version and processor).
 *
 * Its hashes show that it is whole, not that it is true: whoever altered it can make them anew. What it holds is verified as if
 * it came from the network.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import tar, { type Extract } from 'tar-stream'
import { AuditError } from '../model/errors.ts'
import type { BlobRef } from '../model/records.ts'
import { firstLineOf } from './guard.ts'
import { checkGzip, type UnpackedSize, unpackGzip, writeGzip } from './gzip-file.ts'
import { compareKeys } from './keys.ts'
import {
  type ArchiveEntry,
  type ArchiveManifest,
  invalidArchive,
  MANIFEST,
  MANIFEST_MAX_BYTES,
  manifestBytes,
  parseManifest,
  RECORDS,
  unpackedBytes
} from './manifest.ts'
import { findOutput, notRegular, type OutputTarget } from './output-file.ts'
import { type Admits, recordLines, takeRecords } from './record-lines.ts'
import type { RecordKey, Store } from './store.ts'

/** What goes into an archive. */
export interface Selection {
  /** All records at and below these. In any order; one may lie below another. */
  readonly prefixes: readonly RecordKey[]
  /** In any order; one may be named twice. */
  readonly blobs: readonly BlobRef[]
  /** What the archive is of, as JSON. */
  readonly subject: unknown
}

/**
 * Says beforehand what `writeArchive` would refuse of the file.
 *
 * @throws AuditError `OUTPUT_UNUSABLE`
 */
export async function checkArchiveFile(file: string): Promise<OutputTarget> {
  const target = await findOutput(file, 'archive')
  if (target.kind !== 'file') throw notRegular(target)
  return target
}

/**
 * Writes an archive; the file is whole or as it was before.
 *
 * @throws AuditError `STORE_UNUSABLE` where a blob is missing or spoilt, `OUTPUT_UNUSABLE` where the file cannot be written or is
 *   no regular one, `USAGE` where it would be larger than `readArchive` takes
 */
export async function writeArchive(store: Store, selection: Selection, file: string): Promise<void> {
  const target = await checkArchiveFile(file)
  const prefixes = outermost(selection.prefixes)
  const blobs = byHash(selection.blobs)
  const records = await describeRecords(store, prefixes)
  const manifest = manifestBytes({ subject: selection.subject, entries: [records, ...blobs.map(entryOf)] })
  const pack = tar.pack()
  const fill = async () => {
    await addEntry(pack, MANIFEST, manifest.byteLength, [manifest])
    await addEntry(pack, RECORDS, records.bytes, recordLines(store, prefixes))
    for (const ref of blobs) await addEntry(pack, entryOf(ref).name, ref.bytes, blobChunks(store, ref))
    pack.finalize()
  }
  let unread: AuditError | undefined
  fill().catch((error: unknown) => {
    if (error instanceof AuditError) unread = error
    pack.destroy(error instanceof Error ? error : new Error('unknown error'))
  })
  try {
    await writeGzip(pack as unknown as AsyncIterable<Uint8Array>, target)
  } catch (error) {
    // Why the store could not be read says more than that nothing was written.
    throw unread ?? error
  }
}

/**
 * Reads an archive into a store, checking that it is whole. Nothing of it can name a path. Where it is refused, a part of it may
 * already be in the store: give it a store of its own.
 *
 * @param admission which records may come in, by what the archive says that it is of
 * @returns what `subject` was when it was written
 * @throws AuditError `ARCHIVE_INVALID`; `STORE_UNUSABLE` where the store cannot take it
 */
export async function readArchive(file: string, store: Store, admission: (subject: unknown) => Admits): Promise<unknown> {
  return unpack(file, async (unpacking) => {
    const { entries, subject } = await takeManifest(unpacking)
    const admits = admission(subject)
    for (const expected of entries) {
      const { name, bytes, content } = await nextEntry(unpacking)
      if (name !== expected.name || bytes !== expected.bytes) throw invalidArchive('its entries are not those of its manifest')
      const sha256 = name === RECORDS ? await takeRecords(content, store, admits) : (await store.putBlob(content)).sha256
      if (sha256 !== expected.sha256) throw invalidArchive('the content of an entry is not what its manifest says')
    }
    if ((await unpacking.entries.next()).done !== true) throw invalidArchive('its entries are not those of its manifest')
    await unpacking.ended
    return subject
  })
}

/**
 * What an archive says of itself. The file is checked to be as it was written, but nothing behind the manifest is unpacked.
 *
 * @throws AuditError `ARCHIVE_INVALID`
 */
export async function readManifest(file: string): Promise<ArchiveManifest> {
  return unpack(file, takeManifest)
}

interface Unpacking {
  readonly entries: ReturnType<Extract[typeof Symbol.asyncIterator]>
  readonly size: UnpackedSize
  /** Settles when all is unpacked: only then is the end of the file known to be right. */
  readonly ended: Promise<void>
}

/** What is nothing to be made again. */
const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EISDIR: 'is a folder',
  EACCES: 'may not be read',
  EPERM: 'may not be read'
}

async function unpack<T>(file: string, take: (unpacking: Unpacking) => Promise<T>): Promise<T> {
  const extract = tar.extract()
  let ended: Promise<void> | undefined
  try {
    const gzip = await checkGzip(file)
    const size = { maxBytes: unpackedBytes(MANIFEST_MAX_BYTES, []) }
    const unpacked = unpackGzip(gzip, extract, size)
    // Who waits for the end hears of it; until then the entries fail.
    ended = unpacked.catch(() => {})
    return await take({ entries: extract[Symbol.asyncIterator](), size, ended: unpacked })
  } catch (error) {
    if (error instanceof AuditError && error.code !== 'ARCHIVE_INVALID') throw error
    const code = error instanceof AuditError ? undefined : (error as NodeJS.ErrnoException).code
    const why = code === undefined ? undefined : UNREADABLE[code]
    if (why !== undefined) throw new AuditError('ARCHIVE_INVALID', `the archive ${file} ${why}`, { cause: error })
    throw new AuditError('ARCHIVE_INVALID', `${file} is no whole archive: ${firstLineOf(error)}`, {
      hint: 'make it again with `ao-audit pull`',
      cause: error
    })
  } finally {
    extract.destroy()
    await ended
  }
}

/** The first entry; with it the size of all is known. */
async function takeManifest(unpacking: Unpacking): Promise<ArchiveManifest> {
  const { name, bytes, content } = await nextEntry(unpacking)
  if (name !== MANIFEST || bytes > MANIFEST_MAX_BYTES) throw invalidArchive('it does not begin with a manifest')
  const chunks: Uint8Array[] = []
  for await (const chunk of content) chunks.push(chunk)
  const manifest = parseManifest(Buffer.concat(chunks))
  unpacking.size.maxBytes = unpackedBytes(bytes, manifest.entries)
  return manifest
}

async function nextEntry({ entries }: Unpacking) {
  const next = await entries.next()
  if (next.done === true) throw invalidArchive('entries are missing')
  const { name, size, type } = next.value.header
  if (type !== 'file') throw invalidArchive('an entry of it is no file')
  return { name, bytes: size, content: next.value as AsyncIterable<Uint8Array> }
}

/** Name, size and hash of the records' file: a tar says a size before the content. */
async function describeRecords(store: Store, prefixes: readonly RecordKey[]): Promise<ArchiveEntry> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const line of recordLines(store, prefixes)) {
    hash.update(line)
    bytes += line.byteLength
  }
  return { name: RECORDS, bytes, sha256: hash.digest('hex') }
}

/** In the order of keys, each once, whatever the order in which they were asked for. */
function outermost(prefixes: readonly RecordKey[]): RecordKey[] {
  const kept: RecordKey[] = []
  for (const prefix of [...prefixes].sort(compareKeys)) {
    const last = kept.at(-1)
    if (last === undefined || !last.every((part, place) => part === prefix[place])) kept.push(prefix)
  }
  return kept
}

function byHash(blobs: readonly BlobRef[]): BlobRef[] {
  return [...new Map(blobs.map((ref) => [ref.sha256, ref])).values()].sort((left, right) =>
    left.sha256 < right.sha256 ? -1 : 1
  )
}

function entryOf({ sha256, bytes }: BlobRef): ArchiveEntry {
  return { name: `blobs/${sha256}`, bytes, sha256 }
}

async function* blobChunks(store: Store, ref: BlobRef): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let bytes = 0
  try {
    for await (const chunk of createReadStream(store.blobPath(ref)) as AsyncIterable<Buffer>) {
      hash.update(chunk)
      bytes += chunk.byteLength
      if (bytes > ref.bytes) break
      yield chunk
    }
  } catch (cause) {
    throw new AuditError('STORE_UNUSABLE', `the store lacks the blob ${ref.sha256}`, { hint: firstLineOf(cause), cause })
  }
  if (bytes === ref.bytes && hash.digest('hex') === ref.sha256) return
  throw new AuditError('STORE_UNUSABLE', `the blob ${ref.sha256} is spoilt in the store`, {
    hint: 'pull again: it is then fetched anew'
  })
}

async function addEntry(
  pack: tar.Pack,
  name: string,
  size: number,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>
): Promise<void> {
  await pipeline(Readable.from(chunks), pack.entry({ name, size, mode: 0o644, mtime: new Date(0), type: 'file' }))
}
