/** Creates folders one level at a time. */
import { mkdir, stat } from 'node:fs/promises'
import path from 'node:path'

/**
 * Creates a folder and its missing parents. Node's own `mkdir` with `recursive` loops forever, and handles no signal, below a
 * folder that exists but allows no new ones, like `/proc`.
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

/** An existing folder is fine; anything else at the path is an error. */
async function makeOne(folder: string): Promise<void> {
  try {
    await mkdir(folder)
  } catch (error) {
    const stats = await stat(folder).catch(() => undefined)
    if (stats?.isDirectory() !== true) throw error
  }
}
