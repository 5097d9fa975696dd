/**
 * WeaveDrive as the CU's module sees it: files that appear when they are opened (the legacynet CU's @permaweb/weavedrive 0.0.18).
 * The loader calls it from the module's imports with its own file system.
 *
 * It keeps the quirks of the original, because they decide what a module reads. If the original would fail, the CU's evaluation
 * never ends and has no result: then it sets `trouble`.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { type DriveAnswer, type DriveKind, type DriveQuestion, isDriveId } from '../drive/source.ts'
import type { Host } from './host.ts'

export type AskDrive = (question: DriveQuestion) => Promise<DriveAnswer>

/** The type of `options.WeaveDrive`, a loader extension. */
export type WeaveDrive = (module: LoaderModule, files: FileSystem) => Drive

interface Drive {
  open(path: string): Promise<number>
  read(fd: number, to: unknown, length: unknown): Promise<number>
  close(fd: number): Promise<number>
}

/** The parts of the loader's `Module` that are used here. The loader sets `blockHeight` with each message. */
export interface LoaderModule {
  readonly HEAP8: Int8Array
  readonly blockHeight: unknown
}

interface FileNode {
  readonly contents: Uint8Array | null
}

interface Stream {
  readonly fd: number
  readonly path: string
  readonly node: FileNode
  /** A string after a seek to the end: there the file's size is a string (`Content-Length`), and numbers are appended to it. */
  position: number | string
  /** The end of the last read. */
  lastReadPosition?: number | string
}

/** The parts of emscripten's file system that are used here. */
export interface FileSystem {
  readonly streams: readonly (Stream | null | undefined)[]
  analyzePath(path: string): { readonly exists: boolean }
  createPath(parent: string, path: string, canRead: boolean, canWrite: boolean): void
  createFile(parent: string, name: string, properties: object, canRead: boolean, canWrite: boolean): FileNode
  createDataFile(parent: string, name: string, data: Uint8Array, canRead: boolean, canWrite: boolean): void
  open(path: string, flags: string): Stream
  close(stream: Stream): void
}

/** The content of a file, with the bytes read ahead, which all its streams share. */
interface Content {
  readonly path: string
  readonly bytes: number
  ahead: Uint8Array
}

const AHEAD_BYTES = 32 * 1024
/** Limit for one instance, because a module can remove files and open them again for ever. */
const ASKED_MAX = 100_000
/** RFC 9110 §14.2 lets a server ignore such a range or reject it. */
const RANGE_IGNORED = 'a read after a seek to the end asks for a range that gateways may ignore (as assumed here) or reject'

/**
 * Creates the extension for one instance.
 *
 * @param host records what was read and what cannot be answered
 * @param ask answers with a file; called only with well-formed ids
 */
export function createWeaveDrive(host: Host, ask: AskDrive): WeaveDrive {
  const contents = new WeakMap<FileNode, Content>()
  let asked = 0

  /** Asks for a file; undefined if the evaluation proves nothing from here on. */
  async function get(
    kind: DriveKind,
    id: string,
    blockHeight: unknown
  ): Promise<Extract<DriveAnswer, { kind: 'file' }> | undefined> {
    if (!isDriveId(kind, id)) throw new Error(`no file can have the name ${JSON.stringify(id.slice(0, 80))}`)
    if (++asked > ASKED_MAX) throw new Error(`more than ${ASKED_MAX} files were opened, which is the auditor's limit`)
    const answer = await ask({ kind, id, blockHeight: Number(blockHeight) })
    if (answer.kind === 'file') {
      if (answer.assumed !== undefined) host.assumed ??= answer.assumed
      return answer
    }
    host.trouble ??= `the module opened /${kind}/${id}: ${answer.reason}`
    if (answer.missing === true) host.inputMissing = true
    return undefined
  }

  return (module, files) => {
    async function open(path: string): Promise<number> {
      const [, kind, id = ''] = path.split('/')
      if (kind !== 'data' && kind !== 'tx' && kind !== 'block') return 0
      host.inputs.add('weavedrive')
      if (kind !== 'data') files.createPath('/', kind, true, false)
      if (files.analyzePath(path).exists) return files.open(path, 'r').fd
      const found = await get(kind, id, module.blockHeight)
      if (found === undefined) return 0
      if (kind === 'data') {
        files.createPath('/', 'data', true, true)
        const node = files.createFile('/', `data/${id}`, {}, true, false)
        contents.set(node, { path: found.path, bytes: found.bytes, ahead: new Uint8Array(0) })
        // A string, because it comes from an HTTP header.
        Object.defineProperty(node, 'usedBytes', { get: () => String(found.bytes) })
      } else files.createDataFile('/', `${kind}/${id}`, readFileSync(found.path), true, false)
      return files.open(`/${kind}/${id}`, 'r').fd
    }

    function read(fd: number, to: number, length: number): number {
      if (length < 0) throw new Error('the module asked for a negative number of bytes')
      const stream = streamOf(files, fd)
      if (stream.path.includes('/block') || stream.path.includes('/tx')) {
        // It reads from the beginning, whatever the stream's position is.
        if (stream.node.contents === null) throw new Error('the file is empty')
        module.HEAP8.set(stream.node.contents.subarray(0, length), to)
        return length
      }
      const content = contents.get(stream.node)
      if (content === undefined) throw new Error('the file is not from WeaveDrive')
      if (stream.lastReadPosition !== stream.position) content.ahead = new Uint8Array(0)
      const first = content.ahead.subarray(0, length)
      module.HEAP8.set(first, to)
      content.ahead = content.ahead.subarray(first.byteLength)
      stream.position = plus(stream.position, first.byteLength)
      stream.lastReadPosition = stream.position
      if (first.byteLength === length) return length

      const wanted = length - first.byteLength
      const end = Math.min(content.bytes, Number(plus(stream.position, Math.max(wanted, AHEAD_BYTES))))
      const bytes = range(host, content, Number(stream.position), end, wanted + AHEAD_BYTES)
      const rest = bytes.subarray(0, wanted)
      module.HEAP8.set(rest, to + first.byteLength)
      if (rest.byteLength > 0) stream.position = plus(stream.position, rest.byteLength)
      stream.lastReadPosition = stream.position
      content.ahead = bytes.subarray(rest.byteLength, rest.byteLength + AHEAD_BYTES)
      return first.byteLength + rest.byteLength
    }

    /** If WeaveDrive fails, nobody handles the CU's rejected promise, and the evaluation never ends. */
    async function guarded(act: () => number | Promise<number>): Promise<number> {
      if (host.trouble !== undefined) return 0
      try {
        return await act()
      } catch (error) {
        const why = error instanceof Error && error.message !== '' ? error.message : 'the file system failed'
        host.trouble ??= `WeaveDrive cannot go on: ${why}`
        return 0
      }
    }

    return {
      open: (path) =>
        guarded(async () => {
          const fd = await open(path)
          if (fd > 0) {
            host.filesTouched = true
            host.files.driveMade = true
            host.files.open++
          }
          return fd
        }),
      read: (fd, to, length) =>
        guarded(() => {
          host.filesTouched = true
          return read(fd, Number(to), Number(length))
        }),
      close: (fd) =>
        guarded(() => {
          host.filesTouched = true
          files.close(streamOf(files, fd))
          host.files.open--
          return 0
        })
    }
  }
}

/** Looks through all streams, as the original does: it fails at a closed stream, even if a later one matches. */
function streamOf({ streams }: FileSystem, fd: number): Stream {
  let found: Stream | undefined
  for (const stream of streams) {
    if (stream === null || stream === undefined) throw new Error('a file that was opened earlier is closed')
    if (stream.fd === fd) found = stream
  }
  if (found === undefined) throw new Error('no such file is open')
  return found
}

/** Returns the answer to `Range: bytes=first-last`, at most `maxBytes` of it. */
function range(host: Host, { path, bytes }: Content, first: number, last: number, maxBytes: number): Uint8Array {
  if (first > last) {
    host.assumed ??= RANGE_IGNORED
    return bytesOf(path, 0, Math.min(bytes, maxBytes))
  }
  if (first >= bytes) throw new Error('the answer of a gateway to a range past the end of a file is unknown')
  return bytesOf(path, first, Math.min(bytes - first, last - first + 1, maxBytes))
}

function bytesOf(path: string, at: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  const file = openSync(path, 'r')
  try {
    let done = 0
    while (done < length) {
      const count = readSync(file, bytes, done, length - done, at + done)
      if (count === 0) throw new Error("the auditor's copy of the file is truncated")
      done += count
    }
  } finally {
    closeSync(file)
  }
  return bytes
}

function plus(position: number | string, count: number): number | string {
  return typeof position === 'string' ? `${position}${count}` : position + count
}
