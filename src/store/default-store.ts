/** The store that a user names, or the one in the user's cache folder. */
import { homedir } from 'node:os'
import { defaultStoreDirectory } from './default-directory.ts'
import { openStore } from './level-store.ts'
import type { Store } from './store.ts'
import { removeAbandoned, withUnpackedStore } from './unpacked.ts'

/** Opens it, and closes it whatever comes of its use. */
export async function withStore<T>(named: string | undefined, use: (store: Store) => Promise<T>): Promise<T> {
  const directory = directoryOf(named)
  const store = await openStore(directory)
  try {
    await removeAbandoned(directory)
    return await use(store)
  } finally {
    await store.close()
  }
}

/** A store beside it, gone after its use: for what an archive holds. */
export function withPassingStore<T>(named: string | undefined, use: (store: Store) => Promise<T>): Promise<T> {
  return withUnpackedStore(directoryOf(named), use)
}

/** The folder of the store that a user names, or the default one. */
export function directoryOf(named: string | undefined): string {
  return named ?? defaultStoreDirectory(process.env, process.platform, homedir())
}
