/** Folders for files that are of no use beyond an audit. They lie in the store's folder, where the next one finds what a killed one left. */
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

/** The temporary folders of the store in `directory`, which no other process may have open. */
export async function openTemporary(directory: string, guard: Guard): Promise<Temporary> {
  const root = path.join(directory, TEMPORARY)
  const clear = () => rm(root, { recursive: true, force: true })
  // Of a process that was killed.
  await clear()
  async function make(): Promise<string> {
    await makeFolder(root)
    return mkdtemp(path.join(root, 'audit-'))
  }
  return { temporary: () => guard('written', make()), clear }
}
