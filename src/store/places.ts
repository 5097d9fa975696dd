/** Where outputs lie, held against one another and against what is read: nothing that a user named is lost by another of its names. */
import { realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { AuditError } from '../model/errors.ts'
import type { OutputTarget } from './output-file.ts'

/** What a store keeps in its folder. */
const OF_STORE = ['records', 'blobs', 'partial', 'temporary', 'unpacked']

/** A file that is read, and what it is. */
export interface NamedInput {
  readonly what: string
  readonly file: string
}

/**
 * Nothing is made or changed. Devices, pipes and the file behind stdout may be named twice: they are written to, not over.
 *
 * @param store the store's folder, which need not be there
 * @throws AuditError `USAGE` where two outputs are one file, one is an input, or one lies where the store keeps its own
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
    if (other !== undefined) throw together(output, `it is the ${other} too`)
    if (output.kind === 'file') seen.set(at, output.name)
    if (lies(output.path, folder)) throw together(output, `it lies where the store ${store} keeps its own files`)
  }
}

function together({ name }: OutputTarget, why: string): AuditError {
  return new AuditError('USAGE', `the ${name} cannot be written: ${why}`, { hint: 'give it another name' })
}

/** By what the file system itself knows it: two names may be one file. */
async function identityOf(file: string): Promise<string | undefined> {
  const stats = await stat(file, { bigint: true }).catch(() => undefined)
  return stats === undefined ? undefined : `${stats.dev}:${stats.ino}`
}

/** With links followed as far as the path is there. */
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
