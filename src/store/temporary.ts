/** Folders for files that only one audit needs, in the store's folder: there the next audit removes what a killed one left. */
import { mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import { makeFolder } from './folders.ts'
import type { Guard } from './guard.ts'

const TEMPORARY = 'temporary'

export interface Temporary {
  /** A new folder, which lasts until the store is closed. */
  temporary(): Promise<string>
  clear(): Promise<void>
}

/** The temporary folders of the store in `directory`. No other process may have the store open. */
export async function openTemporary(directory: string, guard: Guard): Promise<Temporary> {
  const root = path.join(directory, TEMPORARY)
  const clear = () => rm(root, { recursive: true, force: true })
  // A killed process may have left some.
  await clear()
  async function make(): Promise<string> {
    await makeFolder(root)
    return mkdtemp(path.join(root, 'audit-'))
  }
  return { temporary: () => guard('written', make()), clear }
}
