/** Stores that live as long as one audit: an archive's records are somebody else's word, and do not belong among one's own. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { isAlive } from './alive.ts'
import { makeFolder } from './folders.ts'
import { guardOf } from './guard.ts'
import { isFree, openStore } from './level-store.ts'
import type { Store } from './store.ts'

const UNPACKED = 'unpacked'

/**
 * Makes a store below `directory`, and removes it whatever comes of its use. `directory` itself may be in use as a store: others may
 * run at the same time.
 *
 * @throws AuditError `STORE_UNUSABLE`
 */
export async function withUnpackedStore<T>(directory: string, use: (store: Store) => Promise<T>): Promise<T> {
  const root = path.join(directory, UNPACKED)
  const guard = guardOf(directory)
  await removeAbandoned(directory)
  await guard('written', makeFolder(root))
  const folder = await guard('written', mkdtemp(path.join(root, `${process.pid}-`)))
  try {
    const store = await openStore(folder)
    try {
      return await use(store)
    } finally {
      await store.close()
    }
  } finally {
    await rm(folder, { recursive: true, force: true }).catch(() => {})
  }
}

/** Removes what killed audits left. A folder is abandoned where its process is gone and nobody has the store in it open. */
export async function removeAbandoned(directory: string): Promise<void> {
  const root = path.join(directory, UNPACKED)
  for (const name of await readdir(root).catch(() => [])) {
    const pid = /^([1-9]\d{0,9})-/.exec(name)?.[1]
    if (pid === undefined || isAlive(Number(pid))) continue
    const folder = path.join(root, name)
    // Another container sees other processes, but the same locks.
    if (await isFree(folder)) await rm(folder, { recursive: true, force: true }).catch(() => {})
  }
}
