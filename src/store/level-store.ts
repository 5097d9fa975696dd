/** The store on disk: records in level, blobs as files by content hash beside them. One process at a time. */
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { Level } from 'level'
import { AuditError } from '../errors.ts'
import { isSha256Hex, type Sha256Hex } from '../ids.ts'
import type { BlobRef } from '../records.ts'
import { decodeKey, encodeKey, rangeOf } from './keys.ts'
import type { Store } from './store.ts'

/**
 * Opens the store in `directory`, and makes it where there is none.
 *
 * @throws AuditError `STORE_LOCKED` where another process has it open, `STORE_UNUSABLE` where it cannot be read or written
 *
 * @example
 * ```ts
 * const store = await openStore('/tmp/audit')
 * await store.put([[['schedule', 'pid', 0], { nonce: 0 }]])
 * await store.close()
 * ```
 */
export async function openStore(directory: string): Promise<Store> {
  const blobs = path.join(directory, 'blobs')
  const level = new Level<string, unknown>(path.join(directory, 'records'), { valueEncoding: 'json' })
  try {
    await mkdir(blobs, { recursive: true })
    await level.open()
  } catch (error) {
    throw cannotOpen(directory, error)
  }
  const blobPath = ({ sha256 }: BlobRef) => pathOf(blobs, sha256)

  return {
    async get<T>(key: readonly (string | number)[]) {
      return (await level.get(encodeKey(key))) as T | undefined
    },

    async put(entries) {
      if (entries.length === 0) return
      const operations = entries.map(([key, value]) =>
        value === undefined
          ? ({ type: 'del', key: encodeKey(key) } as const)
          : ({ type: 'put', key: encodeKey(key), value } as const)
      )
      await usable(directory, level.batch(operations, { sync: true }))
    },

    async *list<T>(prefix: readonly (string | number)[], range = {}) {
      for await (const [key, value] of level.iterator(rangeOf(prefix, range))) yield [decodeKey(key), value as T] as const
    },

    async putBlob(bytes) {
      const sha256 = createHash('sha256').update(bytes).digest('hex') as Sha256Hex
      const ref = { sha256, bytes: bytes.byteLength }
      if ((await fileBytes(blobPath(ref))) !== bytes.byteLength) await usable(directory, writeWhole(blobPath(ref), bytes))
      return ref
    },

    async getBlob(ref) {
      const file = blobPath(ref)
      const bytes = await readFile(file).catch(() => undefined)
      if (bytes === undefined) return undefined
      if (createHash('sha256').update(bytes).digest('hex') === ref.sha256) return bytes
      // Spoilt: as good as not there, and then it can be fetched again.
      await rm(file, { force: true })
      return undefined
    },

    blobPath,
    close: () => level.close()
  }
}

function pathOf(blobs: string, sha256: string): string {
  if (!isSha256Hex(sha256)) throw new AuditError('STORE_UNUSABLE', 'a blob is named by something that is no SHA-256')
  return path.join(blobs, sha256.slice(0, 2), sha256)
}

/** A file is whole or not there: written beside its place, then moved. */
async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true })
  const temporary = `${file}.${randomUUID()}`
  const handle = await open(temporary, 'wx')
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(temporary, file)
}

async function fileBytes(file: string): Promise<number | undefined> {
  return stat(file).then(
    ({ size }) => size,
    () => undefined
  )
}

async function usable<T>(directory: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw new AuditError('STORE_UNUSABLE', `the store ${directory} cannot be written`, { hint: reasonOf(error), cause: error })
  }
}

function cannotOpen(directory: string, error: unknown): AuditError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  if ((cause as { code?: string }).code === 'LEVEL_LOCKED') {
    return new AuditError('STORE_LOCKED', `the store ${directory} is in use by another process`, {
      hint: 'wait for the other audit to end, or give another folder with --store DIR',
      cause
    })
  }
  return new AuditError('STORE_UNUSABLE', `the store ${directory} cannot be opened`, { hint: reasonOf(cause), cause })
}

function reasonOf(error: unknown): string {
  const why = error instanceof Error ? error.message.slice(0, 200) : 'unknown error'
  return `${why}; give another folder with --store DIR`
}
