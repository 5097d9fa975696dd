/** Stores that last for one audit: an archive's records come from somebody else and must not mix with the user's own. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { isAlive } from './alive.ts'
import { makeFolder } from './folders.ts'
import { guardOf } from './guard.ts'
import { isFree, openStore } from './level-store.ts'
import type { Store } from './store.ts'

const UNPACKED = 'unpacked'

/**
 * Creates a store below `directory`; closing it removes it. `directory` itself may be in use as a store, because other audits may run
 * at the same time.
 *
 * @throws AuditError `STORE_UNUSABLE`
 */
export async function openUnpackedStore(directory: string): Promise<Store> {
  const root = path.join(directory, UNPACKED)
  const guard = guardOf(directory)
  await removeAbandoned(directory)
  await guard('written', makeFolder(root))
  const folder = await guard('written', mkdtemp(path.join(root, `${process.pid}-`)))
  const remove = () => rm(folder, { recursive: true, force: true }).catch(() => {})
  try {
    const store = await openStore(folder)
    const close = async () => {
      try {
        await store.close()
      } finally {
        await remove()
      }
    }
    return { ...store, close }
  } catch (error) {
    await remove()
    throw error
  }
}

/** Removes leftovers of killed audits. A folder is abandoned if its process is gone and nobody has its store open. */
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
