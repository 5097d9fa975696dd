/** Records in an archive (archive §4): one per line, `[key, value]` as JSON, each key once and in the order of keys. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { AuditError } from '../model/errors.ts'
import { compareKeys } from './keys.ts'
import { invalidArchive, LINE_MAX_BYTES, parseCanonicalJson } from './manifest.ts'
import type { RecordKey, Store } from './store.ts'

const BATCH_RECORDS = 500
const BATCH_BYTES = 8 * 1024 * 1024
const NEWLINE = 10

const recordSchema = z.tuple([z.array(z.union([z.string(), z.int().min(0)])).min(1), z.unknown()])

/**
 * The lines of all records at and below `prefixes`. Values keep the order of their keys, so that a report from the archive equals
 * the one from the store.
 *
 * @throws AuditError `USAGE` for a record larger than `takeRecords` accepts
 */
export async function* recordLines(store: Store, prefixes: readonly RecordKey[]): AsyncGenerator<Buffer> {
  for (const prefix of prefixes) {
    for await (const record of store.list(prefix)) {
      const line = Buffer.from(`${JSON.stringify(record)}\n`)
      if (line.byteLength > LINE_MAX_BYTES) throw new AuditError('USAGE', 'a record is larger than an archive can hold')
      yield line
    }
  }
}

/** Whether a store may take a record from outside. */
export type Admits = (key: RecordKey, value: unknown) => boolean

/**
 * Puts the records of these lines into a store, batch by batch.
 *
 * @param admits decides on each record; one that it rejects makes the whole archive invalid
 * @returns the SHA-256 of all bytes
 * @throws AuditError `ARCHIVE_INVALID`, `STORE_UNUSABLE`
 */
export async function takeRecords(chunks: AsyncIterable<Uint8Array>, store: Store, admits: Admits): Promise<string> {
  const hash = createHash('sha256')
  const batch: (readonly [RecordKey, unknown])[] = []
  let batchBytes = 0
  let last: RecordKey | undefined
  const keep = async () => {
    await store.put(batch)
    batch.length = 0
    batchBytes = 0
  }
  for await (const line of linesOf(chunks, (chunk) => hash.update(chunk))) {
    const record = recordSchema.safeParse(parseCanonicalJson(line))
    if (!record.success) throw invalidArchive('one of its records is malformed')
    const [key] = record.data
    if (last !== undefined && compareKeys(last, key) >= 0) throw invalidArchive('its records are not in order')
    last = key
    if (!admits(key, record.data[1])) throw invalidArchive('it holds a record that no pull writes')
    batch.push(record.data)
    batchBytes += line.byteLength
    if (batch.length >= BATCH_RECORDS || batchBytes >= BATCH_BYTES) await keep()
  }
  await keep()
  return hash.digest('hex')
}

/** The lines without their line feeds. */
async function* linesOf(chunks: AsyncIterable<Uint8Array>, onChunk: (chunk: Uint8Array) => void): AsyncGenerator<Buffer> {
  let rest: Uint8Array[] = []
  let restBytes = 0
  for await (const chunk of chunks) {
    onChunk(chunk)
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      yield Buffer.concat([...rest, chunk.subarray(from, end)])
      rest = []
      restBytes = 0
      from = end + 1
    }
    rest.push(chunk.subarray(from))
    restBytes += chunk.byteLength - from
    if (restBytes >= LINE_MAX_BYTES) throw invalidArchive('one of its records is too large')
  }
  if (restBytes > 0) throw invalidArchive('its last record is cut short')
}
