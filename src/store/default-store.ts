/** The store that a user names, or the one in the user's cache folder. */
import { homedir } from 'node:os'
import { defaultStoreDirectory } from './default-directory.ts'
import { openStore } from './level-store.ts'
import type { Store } from './store.ts'
import { openUnpackedStore, removeAbandoned } from './unpacked.ts'

/** Opens the store and closes it after use, even if the use fails. */
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

/** Opens a temporary store in the same folder, for records of one audit; closing it removes it. */
export function openPassingStore(named: string | undefined): Promise<Store> {
  return openUnpackedStore(directoryOf(named))
}

/** The same, closed after use, even if the use fails. */
export async function withPassingStore<T>(named: string | undefined, use: (store: Store) => Promise<T>): Promise<T> {
  const store = await openPassingStore(named)
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}

/** The folder of the store that a user names, or the default one. */
export function directoryOf(named: string | undefined): string {
  return named ?? defaultStoreDirectory(process.env, process.platform, homedir())
}
