/** Files that a user named for output. Only a regular file is ever replaced; what else lies there is written to, or refused. */
import { constants, fstatSync, type Stats, write } from 'node:fs'
import { access, chmod, type FileHandle, lstat, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { AuditError } from '../model/errors.ts'
import { isAlive } from './alive.ts'

/** Where output goes. */
export interface OutputTarget {
  /** `file`: a regular file, or nothing there yet. `own`: the one that this process writes to as stdout or stderr. */
  readonly kind: 'file' | 'pipe' | 'device' | 'own'
  /** What it is and as the user named it, for errors. */
  readonly name: string
  /** With symbolic links followed. */
  readonly path: string
  /** Of the regular file that lies there. */
  readonly mode?: number
  /** Under which it is open already. */
  readonly fd?: number
}

const PART = 'part'
/** How long a pipe that is full, or that nobody reads yet, is left alone. */
const PIPE_WAIT_MS = 50
/** In words of one's own; other reasons are left to `--verbose`. */
const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'its folder is not there',
  ENOTDIR: 'its folder is not there',
  EISDIR: 'it is a folder',
  ELOOP: 'its links lead in circles',
  ENAMETOOLONG: 'its name is too long',
  EACCES: 'it may not be written',
  EPERM: 'it may not be written',
  EROFS: 'it may not be written',
  ENOSPC: 'no space is left',
  EDQUOT: 'no space is left',
  EFBIG: 'it would be too large',
  EIO: 'the device fails',
  EPIPE: 'nobody reads it any more',
  EMFILE: 'too many files are open'
}

/**
 * Looks at where output shall go, before hours of work. Nothing is made or changed.
 *
 * @param what it is, for errors
 * @throws AuditError `OUTPUT_UNUSABLE` for a folder, a block device, a socket, a link that leads nowhere, and what may not be
 *   written
 */
export async function findOutput(file: string, what = 'file'): Promise<OutputTarget> {
  const name = `${what} ${file}`
  try {
    const stats = await stat(file).catch(undefinedIfMissing)
    if (stats === undefined) return { kind: 'file', name, path: await newPath(name, file) }
    if (stats.isDirectory()) throw outputError(name, 'it is a folder')
    await access(file, constants.W_OK)
    if (stats.isFIFO()) return { kind: 'pipe', name, path: file }
    if (stats.isCharacterDevice()) return { kind: 'device', name, path: file }
    if (!stats.isFile()) throw notRegular({ name })
    const fd = ownOutput(stats)
    if (fd !== undefined) return { kind: 'own', name, path: file, fd }
    return { kind: 'file', name, path: await realpath(file), mode: stats.mode & 0o777 }
  } catch (error) {
    throw unusable(name, error)
  }
}

async function newPath(name: string, file: string): Promise<string> {
  if ((await lstat(file).catch(undefinedIfMissing)) !== undefined) throw outputError(name, 'it is a link that leads nowhere')
  const folder = await realpath(path.dirname(file))
  await access(folder, constants.W_OK)
  return path.join(folder, path.basename(file))
}

/** A shell's redirection, named a second time: `--json /dev/stdout > file`. What else is written there must not be lost. */
function ownOutput({ dev, ino }: Stats): number | undefined {
  return [1, 2].find((fd) => {
    try {
      const own = fstatSync(fd)
      return own.dev === dev && own.ino === ino
    } catch {
      return false
    }
  })
}

/**
 * Puts a new file in the place of a regular one, or of nothing: it is written beside it, synced and moved, so that what lies there
 * is whole or as it was before. What a killed process left beside it goes.
 *
 * @param write makes the file, which must not be there yet
 * @throws AuditError `OUTPUT_UNUSABLE`; AuditErrors of `write` as they are
 */
export async function replaceFile(target: OutputTarget, write: (temporary: string) => Promise<void>): Promise<void> {
  if (target.kind !== 'file') throw notRegular(target)
  const temporary = `${target.path}.${process.pid}.${PART}`
  try {
    await removeAbandoned(target.path)
    await rm(temporary, { force: true })
    await write(temporary)
    if (target.mode !== undefined) await chmod(temporary, target.mode)
    await sync(temporary)
    await rename(temporary, target.path)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw unusable(target.name, error)
  }
}

/** Files beside the target that no process writes any more. */
async function removeAbandoned(file: string): Promise<void> {
  const folder = path.dirname(file)
  const begin = `${path.basename(file)}.`
  for (const name of await readdir(folder)) {
    const [pid = '', part, ...more] = name.startsWith(begin) ? name.slice(begin.length).split('.') : []
    const abandoned = part === PART && more.length === 0 && /^[1-9]\d{0,9}$/.test(pid) && !isAlive(Number(pid))
    if (abandoned) await rm(path.join(folder, name), { force: true })
  }
}

async function sync(file: string): Promise<void> {
  const handle = await open(file, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Writes a whole text: in the place of a regular file, or to a device or pipe as it is. A regular file that cannot be replaced,
 * because of its folder or because something is mounted there, is written over.
 *
 * @param signal ends waiting for whoever reads a pipe
 * @throws AuditError `OUTPUT_UNUSABLE`, `INTERRUPTED`
 */
export async function writeOutput(target: OutputTarget, text: string, signal?: AbortSignal): Promise<void> {
  if (target.kind !== 'file') return writeOver(target, text, signal)
  try {
    await replaceFile(target, async (temporary) => {
      const handle = await open(temporary, 'wx')
      try {
        await handle.writeFile(text)
      } finally {
        await handle.close()
      }
    })
  } catch (error) {
    const code = codeOf(error instanceof Error ? error.cause : undefined)
    if (target.mode === undefined || !['EACCES', 'EPERM', 'EBUSY'].includes(code ?? '')) throw error
    await writeOver(target, text, signal)
  }
}

async function writeOver(target: OutputTarget, text: string, signal?: AbortSignal): Promise<void> {
  const output = await openOutput(target, signal)
  try {
    await output.write(text)
  } finally {
    await output.close()
  }
}

/** Output that is written bit by bit. */
export interface OpenOutput {
  /** Writes all of it before it resolves. @throws AuditError `OUTPUT_UNUSABLE`, `INTERRUPTED` */
  write(text: string): Promise<void>
  /** Begins anew; false where what was written cannot be taken back. */
  empty(): Promise<boolean>
  close(): Promise<void>
}

/**
 * Opens output to be written bit by bit, over what lies there. A pipe that nobody reads yet is waited for.
 *
 * @param signal ends waiting for whoever reads a pipe
 * @throws AuditError `OUTPUT_UNUSABLE`, `INTERRUPTED`
 */
export async function openOutput(target: OutputTarget, signal?: AbortSignal): Promise<OpenOutput> {
  // Windows lacks two of them, which then count as 0.
  const { O_WRONLY, O_NONBLOCK, O_APPEND, O_CREAT, O_TRUNC, O_NOCTTY } = constants
  if (target.fd !== undefined) return openOwn(target, target.fd)
  // Without O_NONBLOCK a thread would wait for whoever reads a pipe, and nothing could end it.
  const flags = target.kind === 'file' ? O_CREAT | O_TRUNC : O_NONBLOCK | O_NOCTTY
  const handle = await patiently(target, signal, () => open(target.path, O_WRONLY | O_APPEND | flags, 0o666))
  return {
    async write(text) {
      const bytes = Buffer.from(text)
      for (let at = 0; at < bytes.byteLength; ) {
        const { bytesWritten } = await patiently(target, signal, () => writeOnce(handle, bytes, at))
        at += bytesWritten
      }
    },
    async empty() {
      if (target.kind !== 'file') return false
      await patiently(target, signal, () => handle.truncate(0))
      return true
    },
    close: () => patiently(target, undefined, () => handle.close())
  }
}

/** It has one place in the file with whoever else writes there. */
function openOwn(target: OutputTarget, fd: number): OpenOutput {
  return {
    async write(text) {
      const bytes = Buffer.from(text)
      for (let at = 0; at < bytes.byteLength; ) {
        const { bytesWritten } = await patiently(target, undefined, () => writeTo(fd, bytes, at))
        at += bytesWritten
      }
    },
    empty: async () => false,
    close: async () => {}
  }
}

const writeTo = promisify(write)

function writeOnce(handle: FileHandle, bytes: Buffer, at: number) {
  return handle.write(bytes, at, bytes.byteLength - at, null)
}

/** Does it again while a pipe is full, or nobody reads it yet. */
async function patiently<T>({ kind, name }: OutputTarget, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  for (;;) {
    if (signal?.aborted === true) throw new AuditError('INTERRUPTED', 'interrupted')
    try {
      return await work()
    } catch (error) {
      const code = codeOf(error)
      if (code !== 'EAGAIN' && !(code === 'ENXIO' && kind === 'pipe')) throw unusable(name, error)
    }
    await setTimeout(PIPE_WAIT_MS)
  }
}

/** What is to be replaced may only be a regular file. */
export function notRegular({ name }: Pick<OutputTarget, 'name'>): AuditError {
  return outputError(name, 'it is no regular file')
}

function unusable(name: string, error: unknown): AuditError {
  if (error instanceof AuditError) return error
  const why = WHY[codeOf(error) ?? '']
  return outputError(name, why, error)
}

function outputError(name: string, why: string | undefined, cause?: unknown): AuditError {
  const because = why === undefined ? '' : `: ${why}`
  return new AuditError('OUTPUT_UNUSABLE', `the ${name} cannot be written${because}`, cause === undefined ? {} : { cause })
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code
}

function undefinedIfMissing(error: unknown): undefined {
  if (codeOf(error) === 'ENOENT') return undefined
  throw error
}
