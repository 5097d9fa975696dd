/** Compares the places of outputs with each other and with inputs, so that no file is overwritten under a second name. */
import { realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { AuditError } from '../model/errors.ts'
import type { OutputTarget } from './output-file.ts'

/** The names that a store uses in its folder. */
const OF_STORE = ['records', 'blobs', 'partial', 'temporary', 'unpacked']

/** A file that is read, with a word for it. */
export interface NamedInput {
  readonly what: string
  readonly file: string
}

/**
 * Creates and changes nothing. Devices, pipes and the file behind stdout may be named twice, because output does not replace them.
 *
 * @param store the store's folder, which need not exist
 * @throws AuditError `USAGE` if two outputs are one file, an output is an input, or an output is one of the store's own files
 */
export async function assertApart(
  outputs: readonly OutputTarget[],
  inputs: readonly NamedInput[],
  store: string
): Promise<void> {
  const seen = new Map<string, string>()
  for (const { what, file } of inputs) {
    const at = await identityOf(file)
    if (at !== undefined) seen.set(at, `${what} ${file}`)
  }
  const folder = await realOf(store)
  for (const output of outputs) {
    if (output.kind !== 'file' && output.kind !== 'own') continue
    const at = (await identityOf(output.path)) ?? output.path
    const other = seen.get(at)
    if (other !== undefined) throw together(output, `it is also the ${other}`)
    if (output.kind === 'file') seen.set(at, output.name)
    if (lies(output.path, folder)) throw together(output, `the store ${store} keeps its own files there`)
  }
}

function together({ name }: OutputTarget, why: string): AuditError {
  return new AuditError('USAGE', `the ${name} cannot be written: ${why}`, { hint: 'give it another name' })
}

/** The file system's own identity of a file: two names may be one file. */
async function identityOf(file: string): Promise<string | undefined> {
  const stats = await stat(file, { bigint: true }).catch(() => undefined)
  return stats === undefined ? undefined : `${stats.dev}:${stats.ino}`
}

/** Follows links as far as the path exists. */
async function realOf(folder: string): Promise<string> {
  const whole = path.resolve(folder)
  const above = path.dirname(whole)
  try {
    return await realpath(whole)
  } catch {
    return above === whole ? whole : path.join(await realOf(above), path.basename(whole))
  }
}

function lies(file: string, store: string): boolean {
  const within = path.relative(store, file)
  return within === '' || OF_STORE.includes(within.split(path.sep)[0] ?? '')
}
