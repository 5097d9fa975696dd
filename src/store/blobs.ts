/** Blobs: files named by the SHA-256 of their bytes. A file whose content does not match its name counts as missing. */
import { createHash, type Hash, randomUUID } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { AuditError } from '../model/errors.ts'
import { isSha256Hex, type Sha256Hex } from '../model/ids.ts'
import type { BlobRef } from '../model/records.ts'
import { sha256OfFile } from './file-hash.ts'
import { makeFolder } from './folders.ts'
import type { Guard } from './guard.ts'
import type { Store } from './store.ts'

const BLOBS = 'blobs'
/** On the same file system as the blobs, so that a move into their folder is atomic. */
const PARTIAL = 'partial'

/** The blobs of the store in `directory`, as `blobs/<first two digits>/<SHA-256>`. No other process may have the store open. */
export async function openBlobs(
  directory: string,
  guard: Guard
): Promise<Pick<Store, 'putBlob' | 'getBlob' | 'removeBlob' | 'blobPath'>> {
  // A killed process may have left partial files.
  await rm(path.join(directory, PARTIAL), { recursive: true, force: true })
  for (const folder of [BLOBS, PARTIAL]) await makeFolder(path.join(directory, folder))

  /** Writes and syncs a partial file, then moves it into place: a file in place is always whole. */
  async function writeWhole(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<BlobRef> {
    const temporary = path.join(directory, PARTIAL, randomUUID())
    const handle = await guard('written', open(temporary, 'wx'))
    const hash = createHash('sha256')
    let bytes = 0
    try {
      for await (const chunk of chunks) {
        hash.update(chunk)
        bytes += chunk.byteLength
        await guard('written', handle.writeFile(chunk))
      }
      await guard('written', handle.sync())
      await guard('written', handle.close())
      const ref = { sha256: digestOf(hash), bytes }
      await guard('written', makeFolder(path.dirname(blobPath(ref))))
      await guard('written', rename(temporary, blobPath(ref)))
      return ref
    } catch (error) {
      await handle.close().catch(() => {})
      await rm(temporary, { force: true }).catch(() => {})
      throw error
    }
  }

  function blobPath({ sha256 }: BlobRef): string {
    // The name may come from an archive.
    if (!isSha256Hex(sha256)) throw new AuditError('STORE_UNUSABLE', 'the name of a blob is no SHA-256')
    return path.join(directory, BLOBS, (sha256 as string).slice(0, 2), sha256)
  }

  return {
    blobPath,

    async putBlob(content) {
      if (!(content instanceof Uint8Array)) return writeWhole(content)
      const ref = { sha256: digestOf(createHash('sha256').update(content)), bytes: content.byteLength }
      const kept = (await guard('read', hashOfFile(blobPath(ref)))) === ref.sha256
      return kept ? ref : writeWhole([content])
    },

    removeBlob: (ref) => guard('written', rm(blobPath(ref), { force: true })),

    async getBlob(ref) {
      if (!isSha256Hex(ref.sha256)) return undefined
      const bytes = await guard('read', readFile(blobPath(ref)).catch(undefinedIfMissing))
      if (bytes === undefined) return undefined
      if (digestOf(createHash('sha256').update(bytes)) === ref.sha256) {
        return bytes.byteLength === ref.bytes ? bytes : undefined
      }
      // Remove a corrupt blob, so that it can be fetched again.
      await guard('written', rm(blobPath(ref), { force: true }))
      return undefined
    }
  }
}

/** The hash of a file; undefined if it does not exist. */
async function hashOfFile(file: string): Promise<Sha256Hex | undefined> {
  try {
    return (await sha256OfFile(file)).toString('hex') as Sha256Hex
  } catch (error) {
    return undefinedIfMissing(error)
  }
}

function digestOf(hash: Hash): Sha256Hex {
  return hash.digest('hex') as Sha256Hex
}

function undefinedIfMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
  throw error
}
