/** Folders, made one level at a time. */
import { mkdir, stat } from 'node:fs/promises'
import path from 'node:path'

/**
 * Makes a folder, with those above it that are missing. Node's own `mkdir` with `recursive` never ends, and hears no signal, where a
 * folder is there and may hold none: below `/proc`.
 *
 * @throws errors of the file system as they are
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await makeOne(folder)
  } catch (error) {
    const above = path.dirname(folder)
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || above === folder) throw error
    await makeFolder(above)
    await makeOne(folder)
  }
}

/** What is there already may be a folder alone. */
async function makeOne(folder: string): Promise<void> {
  try {
    await mkdir(folder)
  } catch (error) {
    const stats = await stat(folder).catch(() => undefined)
    if (stats?.isDirectory() !== true) throw error
  }
}
