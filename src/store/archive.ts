/**
 * The archive file: what an audit needs of a store, as one tar, gzip'd. The same content gives the same bytes.
 *
 * Its hashes show that it is whole, not that it is true: whoever altered it can make them anew. What it holds is verified as if
 * it came from the network.
 */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import tar from 'tar-stream'
import { z } from 'zod'
import { AuditError } from '../errors.ts'
import type { BlobRef } from '../records.ts'
import type { RecordKey, Store } from './store.ts'

/** What goes into an archive. */
export interface Selection {
  /** All records below these. */
  readonly prefixes: readonly RecordKey[]
  readonly blobs: readonly BlobRef[]
  /** What the archive is of, as JSON. */
  readonly subject: unknown
}

const SCHEMA = 'ao-audit/archive/v1'
const RECORDS = 'records.jsonl'
const MANIFEST_MAX_BYTES = 16 * 1024 * 1024
const LINE_MAX_BYTES = 128 * 1024 * 1024
const BLOB_MAX_BYTES = 512 * 1024 * 1024
const TOTAL_MAX_BYTES = 64 * 1024 ** 3
const BATCH_RECORDS = 500
const BATCH_BYTES = 8 * 1024 * 1024
const ZLIB_HEADER_BYTES = 10
/**
 * gzip, deflate, an extra field, no time, best compression, no operating system; the field `AO` holds the SHA-256 of all that
 * follows. Without it a decompressor would pass over changes in its padding, and over bytes behind its end.
 */
const HEADER_START = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 2, 255, 36, 0, 0x41, 0x4f, 32, 0])
const HEADER_BYTES = HEADER_START.byteLength + 32

const entrySchema = z.strictObject({
  name: z.string().regex(/^(records\.jsonl|blobs\/[0-9a-f]{64})$/),
  bytes: z.int().min(0).max(TOTAL_MAX_BYTES),
  sha256: z.string().regex(/^[0-9a-f]{64}$/)
})
const manifestSchema = z.strictObject({
  schema: z.literal(SCHEMA),
  subject: z.unknown(),
  entries: z.array(entrySchema).max(100_000)
})
const recordSchema = z.tuple([z.array(z.union([z.string(), z.int().min(0)])), z.unknown()])

type Entry = z.infer<typeof entrySchema>

/**
 * Writes an archive; the file is whole or not there.
 *
 * @throws AuditError `STORE_UNUSABLE` where a blob is missing, `USAGE` where the file cannot be written
 */
export async function writeArchive(store: Store, selection: Selection, file: string): Promise<void> {
  const entries = await describe(store, selection)
  const manifest = Buffer.from(`${JSON.stringify({ schema: SCHEMA, subject: selection.subject, entries })}\n`)
  const pack = tar.pack()
  const fill = async () => {
    await addEntry(pack, 'manifest.json', manifest.byteLength, [manifest])
    for (const { name, bytes } of entries) {
      await addEntry(
        pack,
        name,
        bytes,
        name === RECORDS ? recordLines(store, selection) : [await blobBytes(store, name, bytes)]
      )
    }
    pack.finalize()
  }
  const temporary = `${file}.part`
  try {
    const filled = fill()
    filled.catch((error: unknown) => pack.destroy(error instanceof Error ? error : new Error(String(error))))
    const body = createHash('sha256')
    await pipeline(pack, createGzip({ level: 9 }), bodyOnly(body), createWriteStream(temporary, { start: HEADER_BYTES }))
    await filled
    await writeHeader(temporary, body.digest())
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    if (error instanceof AuditError) throw error
    throw new AuditError('USAGE', `the archive ${file} cannot be written`, { hint: messageOf(error), cause: error })
  }
}

/**
 * Reads an archive into a store, checking that it is whole. Nothing of it can name a path.
 *
 * @returns what `subject` was when it was written
 * @throws AuditError `ARCHIVE_INVALID`
 */
export async function readArchive(file: string, store: Store): Promise<unknown> {
  try {
    await checkWhole(file)
    const extract = tar.extract()
    const gunzip = createGunzip()
    const fed = pipeline(createReadStream(file), gunzip, bounded(TOTAL_MAX_BYTES), extract)
    fed.catch(() => {})
    const subject = await takeEntries(extract, store)
    await fed
    return subject
  } catch (error) {
    if (error instanceof AuditError && error.code !== 'ARCHIVE_INVALID') throw error
    const why = error instanceof AuditError ? error.message : messageOf(error)
    throw new AuditError('ARCHIVE_INVALID', `${file} is no whole archive: ${why}`, {
      hint: 'make it again with `ao-audit pull`',
      cause: error
    })
  }
}

async function takeEntries(extract: tar.Extract, store: Store): Promise<unknown> {
  let expected: { readonly subject: unknown; readonly entries: Entry[] } | undefined
  for await (const source of extract) {
    const { name, size, type } = source.header
    const entry = source as AsyncIterable<Uint8Array>
    if (type !== 'file') throw invalid(`an entry is a ${String(type)}`)
    if (expected === undefined) {
      if (name !== 'manifest.json') throw invalid('it does not begin with a manifest')
      const { subject, entries } = manifestSchema.parse(JSON.parse((await gather(entry, MANIFEST_MAX_BYTES)).toString()))
      expected = { subject, entries }
      continue
    }
    const next = expected.entries.shift()
    if (next === undefined || next.name !== name || next.bytes !== size)
      throw invalid('its entries are not those of its manifest')
    const sha256 =
      name === RECORDS ? await takeRecords(entry, store) : (await store.putBlob(await gather(entry, BLOB_MAX_BYTES))).sha256
    if (sha256 !== next.sha256) throw invalid(`the content of ${name.slice(0, 20)} is not what its manifest says`)
  }
  if (expected === undefined || expected.entries.length > 0) throw invalid('entries are missing')
  return expected.subject
}

/** Records come one a line: none is held longer than it takes to keep it. */
async function takeRecords(entry: AsyncIterable<Uint8Array>, store: Store): Promise<string> {
  const hash = createHash('sha256')
  let batch: (readonly [RecordKey, unknown])[] = []
  let batchBytes = 0
  let rest: Buffer[] = []
  let restBytes = 0
  const takeLine = (line: Buffer) => {
    batch.push(recordSchema.parse(JSON.parse(line.toString())))
    batchBytes += line.byteLength
  }
  for await (const chunk of entry) {
    hash.update(chunk)
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      takeLine(Buffer.concat([...rest, chunk.subarray(from, end)]))
      rest = []
      restBytes = 0
      from = end + 1
    }
    rest.push(Buffer.from(chunk.subarray(from)))
    restBytes += chunk.byteLength - from
    if (restBytes > LINE_MAX_BYTES) throw invalid('a record is too large')
    if (batch.length < BATCH_RECORDS && batchBytes < BATCH_BYTES) continue
    await store.put(batch)
    batch = []
    batchBytes = 0
  }
  if (restBytes > 0) throw invalid('its last record is cut')
  await store.put(batch)
  return hash.digest('hex')
}

/** Names, sizes and hashes of what will be written: a tar says a size before the content. */
async function describe(store: Store, selection: Selection): Promise<Entry[]> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const line of recordLines(store, selection)) {
    hash.update(line)
    bytes += line.byteLength
  }
  const blobs = new Map(selection.blobs.map((ref) => [ref.sha256, ref]))
  return [
    { name: RECORDS, bytes, sha256: hash.digest('hex') },
    ...[...blobs.values()]
      .map((ref) => ({ name: `blobs/${ref.sha256}`, bytes: ref.bytes, sha256: ref.sha256 as string }))
      .sort((left, right) => (left.name < right.name ? -1 : 1))
  ]
}

async function* recordLines(store: Store, { prefixes }: Selection): AsyncGenerator<Buffer> {
  for (const prefix of prefixes) {
    const own = await store.get(prefix)
    if (own !== undefined) yield Buffer.from(`${JSON.stringify([prefix, own])}\n`)
    for await (const record of store.list(prefix)) {
      if (record[0].length > prefix.length) yield Buffer.from(`${JSON.stringify(record)}\n`)
    }
  }
}

async function blobBytes(store: Store, name: string, bytes: number): Promise<Uint8Array> {
  const found = await store.getBlob({ sha256: name.slice('blobs/'.length) as BlobRef['sha256'], bytes })
  if (found === undefined) throw new AuditError('STORE_UNUSABLE', `the store lacks the blob ${name}`)
  return found
}

async function addEntry(
  pack: tar.Pack,
  name: string,
  size: number,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>
): Promise<void> {
  const entry = pack.entry({ name, size, mode: 0o644, mtime: new Date(0), type: 'file' })
  await pipeline(Readable.from(chunks), entry)
}

async function gather(entry: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of entry) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw invalid('an entry is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** What follows the compressor's own header, which names the operating system: the same archive made elsewhere would differ. */
function bodyOnly(hash: Hash): Transform {
  let skip = ZLIB_HEADER_BYTES
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const body = chunk.subarray(Math.min(skip, chunk.byteLength))
      skip -= chunk.byteLength - body.byteLength
      hash.update(body)
      done(null, body)
    }
  })
}

async function writeHeader(file: string, digest: Buffer): Promise<void> {
  const handle = await open(file, 'r+')
  try {
    await handle.write(Buffer.concat([HEADER_START, digest]), 0, HEADER_BYTES, 0)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Nothing is unpacked before the whole file is known to be as it was written. */
async function checkWhole(file: string): Promise<void> {
  const hash = createHash('sha256')
  const header = Buffer.alloc(HEADER_BYTES)
  let at = 0
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    const copied = chunk.copy(header, Math.min(at, HEADER_BYTES))
    hash.update(chunk.subarray(copied))
    at += chunk.byteLength
  }
  const start = header.subarray(0, HEADER_START.byteLength)
  if (!start.equals(HEADER_START)) throw invalid('it does not begin as one')
  if (!header.subarray(HEADER_START.byteLength).equals(hash.digest())) throw invalid('it was cut or changed')
}

function bounded(maxBytes: number): Transform {
  let bytes = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.byteLength
      done(bytes > maxBytes ? invalid(`it unpacks to more than ${maxBytes} bytes`) : null, chunk)
    }
  })
}

function invalid(why: string): AuditError {
  return new AuditError('ARCHIVE_INVALID', why)
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]?.slice(0, 200) ?? ''
}
