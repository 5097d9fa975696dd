/** The store that a user names, or the one in the user's cache folder. */
import { homedir } from 'node:os'
import { defaultStoreDirectory } from './default-directory.ts'
import { openStore } from './level-store.ts'
import type { Store } from './store.ts'

/** Opens it, and closes it whatever comes of its use. */
export async function withStore<T>(directory: string | undefined, use: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(directory ?? defaultStoreDirectory(process.env, process.platform, homedir()))
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}
