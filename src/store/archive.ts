/**
 * The archive file (archive §1 to §3): all that an audit needs from a store, as one tar with gzip. It holds `manifest.json`, then
 * `records.jsonl`, then `blobs/<SHA-256>`. The same content gives the same bytes with the same zlib; Node's zlib differs by version
 * and processor.
 *
 * Its hashes show that it is complete, not that it is true: anyone who alters it can compute them again. Its content is verified
 * as if it came from the network.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import tar, { type Extract } from 'tar-stream'
import { AuditError } from '../model/errors.ts'
import type { BlobRef } from '../model/records.ts'
import { canonicalJson } from '../util/canonical-json.ts'
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

/** The content of an archive. */
export interface Selection {
  /** All records at and below these. In any order; one may lie below another. */
  readonly prefixes: readonly RecordKey[]
  /** In any order; one may be named twice. */
  readonly blobs: readonly BlobRef[]
  /** The subject of the archive, as JSON. */
  readonly subject: unknown
}

/**
 * Checks in advance whether `writeArchive` would refuse the file.
 *
 * @throws AuditError `OUTPUT_UNUSABLE`
 */
export async function checkArchiveFile(file: string): Promise<OutputTarget> {
  const target = await findOutput(file, 'archive')
  if (target.kind !== 'file') throw notRegular(target)
  return target
}

/**
 * Writes an archive. If that fails, the file stays as it was.
 *
 * @throws AuditError `STORE_UNUSABLE` if a blob is missing or corrupt, `OUTPUT_UNUSABLE` if the file cannot be written or is no
 *   regular one, `USAGE` if it would be larger than `readArchive` accepts
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
    // The reason why the store could not be read is more useful than the failed write.
    throw unread ?? error
  }
}

/**
 * Reads an archive into a store and checks that it is complete. Nothing in it can choose a path. If the archive is refused, a part
 * of it may already be in the store: give it a store of its own.
 *
 * @param admission decides which records an archive of this subject may contain
 * @returns the `subject` with which it was written
 * @throws AuditError `ARCHIVE_INVALID`; `STORE_UNUSABLE` if the store cannot keep it
 */
export async function readArchive(file: string, store: Store, admission: (subject: unknown) => Admits): Promise<unknown> {
  return unpack(file, async (unpacking) => {
    const { entries, subject } = await takeManifest(unpacking)
    const admits = admission(subject)
    for (const expected of entries) {
      const { name, bytes, content } = await nextEntry(unpacking)
      if (name !== expected.name || bytes !== expected.bytes) throw invalidArchive('its entries do not match its manifest')
      const sha256 = name === RECORDS ? await takeRecords(content, store, admits) : (await store.putBlob(content)).sha256
      if (sha256 !== expected.sha256) throw invalidArchive('the content of an entry does not match its manifest')
    }
    if ((await unpacking.entries.next()).done !== true) throw invalidArchive('its entries do not match its manifest')
    await unpacking.ended
    return subject
  })
}

/**
 * The manifest of an archive. The whole file is checked, but nothing after the manifest is unpacked.
 *
 * @throws AuditError `ARCHIVE_INVALID`
 */
export async function readManifest(file: string): Promise<ArchiveManifest> {
  return unpack(file, takeManifest)
}

interface Unpacking {
  readonly entries: ReturnType<Extract[typeof Symbol.asyncIterator]>
  readonly size: UnpackedSize
  /** Settles when everything is unpacked; only then is the end of the file known to be correct. */
  readonly ended: Promise<void>
}

/** Reasons for which it would not help to create the archive again. */
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
    // A failure reaches the caller through the entries, or through `ended`.
    ended = unpacked.catch(() => {})
    return await take({ entries: extract[Symbol.asyncIterator](), size, ended: unpacked })
  } catch (error) {
    if (error instanceof AuditError && error.code !== 'ARCHIVE_INVALID') throw error
    const code = error instanceof AuditError ? undefined : (error as NodeJS.ErrnoException).code
    const why = code === undefined ? undefined : UNREADABLE[code]
    if (why !== undefined) throw new AuditError('ARCHIVE_INVALID', `the archive ${file} ${why}`, { cause: error })
    throw new AuditError('ARCHIVE_INVALID', `${file} is not a valid archive: ${firstLineOf(error)}`, {
      hint: 'make it again with `ao-audit pull`',
      cause: error
    })
  } finally {
    extract.destroy()
    await ended
  }
}

/** Reads the first entry, which gives the size of the whole archive. */
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
  if (type !== 'file') throw invalidArchive('one of its entries is no file')
  return { name, bytes: size, content: next.value as AsyncIterable<Uint8Array> }
}

/**
 * Hashes all records at and below `prefixes`: the canonical JSON of each `[key, value]`, with a line feed, in the order of an archive.
 *
 * @param shown which part of a value counts; a record for which it is undefined does not count at all
 * @returns the SHA-256 in lowercase hex
 */
export async function hashRecords(
  store: Store,
  prefixes: readonly RecordKey[],
  shown: (key: RecordKey, value: unknown) => unknown
): Promise<string> {
  const hash = createHash('sha256')
  for (const prefix of outermost(prefixes)) {
    for await (const [key, value] of store.list(prefix)) {
      const counted = shown(key, value)
      if (counted !== undefined) hash.update(`${canonicalJson([key, counted])}\n`)
    }
  }
  return hash.digest('hex')
}

/** Name, size and hash of the records' file, computed first because a tar states the size before the content. */
async function describeRecords(store: Store, prefixes: readonly RecordKey[]): Promise<ArchiveEntry> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const line of recordLines(store, prefixes)) {
    hash.update(line)
    bytes += line.byteLength
  }
  return { name: RECORDS, bytes, sha256: hash.digest('hex') }
}

/** The prefixes in the order of keys, without those that lie below another. */
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
  throw new AuditError('STORE_UNUSABLE', `the blob ${ref.sha256} is corrupt in the store`, {
    hint: 'pull again, which fetches it anew'
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
