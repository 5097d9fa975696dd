/** The store on disk: records in level, blobs as files by content hash beside them. One process at a time. */
import path from 'node:path'
import { Level } from 'level'
import { boundedJson, RECORD_MAX_DEPTH } from '../util/json-depth.ts'
import { openBlobs } from './blobs.ts'
import { makeFolder } from './folders.ts'
import { type Guard, guardOf, isLocked } from './guard.ts'
import { decodeKey, encodeKey, rangeOf } from './keys.ts'
import type { RecordKey, Store } from './store.ts'
import { openTemporary } from './temporary.ts'

const RECORDS = 'records'
/** Level maps its open files into memory, so these limit its memory to 64 MiB. Both are the lowest values that level accepts. */
const MAX_OPEN_FILES = 74
const FILE_BYTES = 1024 * 1024
const WRITE_BUFFER_BYTES = 1024 * 1024
/** How much a list reads from level at once. */
const LIST_ENTRIES = 64
const LIST_BYTES = 256 * 1024

/**
 * Opens the store in `directory`, and creates it if there is none.
 *
 * @throws AuditError `STORE_LOCKED` if another process has it open, `STORE_UNUSABLE` if it cannot be read or written
 *
 * @example
 * ```ts
 * const store = await openStore('/tmp/audit')
 * await store.put([[['schedule', 'pid', 0], { nonce: 0 }]])
 * await store.close()
 * ```
 */
export async function openStore(directory: string): Promise<Store> {
  const guard = guardOf(directory)
  // The folder must exist first: level begins to open, and may lock, as soon as it is constructed.
  const records = path.join(directory, RECORDS)
  await guard('opened', makeFolder(records))
  const level = new Level(records)
  await guard(
    'opened',
    level.open({ maxOpenFiles: MAX_OPEN_FILES, maxFileSize: FILE_BYTES, writeBufferSize: WRITE_BUFFER_BYTES })
  )
  try {
    const blobs = await guard('opened', openBlobs(directory, guard))
    const { temporary, clear } = await guard('opened', openTemporary(directory, guard))
    const close = async () => {
      await clear().catch(() => {})
      await level.close()
    }
    return { ...recordsOf(level, guard), ...blobs, temporary, close }
  } catch (error) {
    await level.close()
    throw error
  }
}

/** Whether no process has the store in `directory` open. */
export async function isFree(directory: string): Promise<boolean> {
  const records = path.join(directory, RECORDS)
  // level would create the folder too, but would never end if that is impossible.
  if (
    !(await makeFolder(records).then(
      () => true,
      () => false
    ))
  )
    return true
  const level = new Level(records)
  try {
    await level.open()
    return true
  } catch (error) {
    return !isLocked(error)
  } finally {
    await level.close().catch(() => {})
  }
}

function recordsOf(level: Level, guard: Guard): Pick<Store, 'get' | 'put' | 'list'> {
  return {
    get: <T>(key: RecordKey) => guard('read', getFrom<T>(level, key)),

    async put(entries) {
      if (entries.length > 0) await guard('written', putAll(level, entries))
    },

    async *list<T>(prefix: RecordKey, range = {}) {
      const iterator = level.iterator({ ...rangeOf(prefix, range), highWaterMarkBytes: LIST_BYTES })
      try {
        for (;;) {
          const entries = await guard('read', nextOf<T>(iterator))
          if (entries.length === 0) return
          for (const entry of entries) yield entry
        }
      } finally {
        await iterator.close()
      }
    }
  }
}

async function putAll(level: Level, entries: readonly (readonly [RecordKey, unknown])[]): Promise<void> {
  // Values are encoded here because level's own JSON encoding rejects null.
  const operations = entries.map(([key, value]) =>
    value === undefined
      ? ({ type: 'del', key: encodeKey(key) } as const)
      : ({ type: 'put', key: encodeKey(key), value: recordJson(value) } as const)
  )
  await level.batch(operations, { sync: true })
}

function recordJson(value: unknown): string {
  const json = boundedJson(value, RECORD_MAX_DEPTH)
  if (json === undefined) throw new RangeError(`a record nests deeper than ${RECORD_MAX_DEPTH} levels`)
  return json
}

/** The part of level's iterator that is used here. */
interface Entries {
  nextv(size: number): Promise<[key: string, text: string][]>
}

async function nextOf<T>(iterator: Entries): Promise<(readonly [RecordKey, T])[]> {
  const entries = await iterator.nextv(LIST_ENTRIES)
  return entries.map(([key, text]) => [decodeKey(key), JSON.parse(text) as T])
}

async function getFrom<T>(level: Level, key: RecordKey): Promise<T | undefined> {
  const text = await level.get(encodeKey(key))
  return text === undefined ? undefined : (JSON.parse(text) as T)
}
