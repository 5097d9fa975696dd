/** Files that a user named for output. Only a regular file is replaced; pipes and devices are written to, all else is refused. */
import { constants, fstatSync, type Stats, write } from 'node:fs'
import { access, chmod, type FileHandle, lstat, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { AuditError } from '../model/errors.ts'
import { isAlive } from './alive.ts'

/** Where output goes. */
export interface OutputTarget {
  /** `file`: a regular file, or none yet. `own`: the file that this process already writes to as stdout or stderr. */
  readonly kind: 'file' | 'pipe' | 'device' | 'own'
  /** A word for it and the name that the user gave, for errors. */
  readonly name: string
  /** With symbolic links followed. */
  readonly path: string
  /** The mode of an existing regular file. */
  readonly mode?: number
  /** The descriptor under which it is already open. */
  readonly fd?: number
}

const PART = 'part'
/** The wait before another attempt on a pipe that is full, or that nobody reads yet. */
const PIPE_WAIT_MS = 50
/** Reasons in the project's own words; only `--verbose` shows others. */
const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'its folder does not exist',
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
 * Checks the target of an output before hours of work. It creates and changes nothing.
 *
 * @param what a word for the file, for errors
 * @throws AuditError `OUTPUT_UNUSABLE` for a folder, a block device, a socket, a link that leads nowhere, and a path that may not
 *   be written
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

/** Finds a shell's redirection that is named a second time (`--json /dev/stdout > file`): other output there must not be lost. */
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
 * Creates or replaces a regular file: the new one is written next to it, synced and moved, so that the file is complete or stays as
 * it was. It also removes leftovers of killed processes.
 *
 * @param write creates the file, which must not exist yet
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

/** Removes files next to the target that no process writes any more. */
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
 * Writes a whole text: it replaces a regular file, and writes to a device or pipe directly. A regular file that cannot be replaced,
 * because of its folder or because something is mounted there, is overwritten in place.
 *
 * @param signal ends the wait for a pipe's reader
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
  /** Discards everything written so far; false if that is impossible. */
  empty(): Promise<boolean>
  close(): Promise<void>
}

/**
 * Opens output to be written bit by bit, and overwrites an existing file. It waits for a pipe that nobody reads yet.
 *
 * @param signal ends the wait for a pipe's reader
 * @throws AuditError `OUTPUT_UNUSABLE`, `INTERRUPTED`
 */
export async function openOutput(target: OutputTarget, signal?: AbortSignal): Promise<OpenOutput> {
  // Windows lacks two of them; they count as 0 there.
  const { O_WRONLY, O_NONBLOCK, O_APPEND, O_CREAT, O_TRUNC, O_NOCTTY } = constants
  if (target.fd !== undefined) return openOwn(target, target.fd)
  // Without O_NONBLOCK a thread would wait for a pipe's reader, and nothing could end that wait.
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

/** Shares its position in the file with everyone else who writes there. */
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

/** Repeats the work while a pipe is full, or nobody reads it yet. */
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

/** The error for a target that would have to be replaced but is no regular file. */
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
