#!/usr/bin/env node
/**
 * The command. It runs the program on a thread, writes the program's output, and ensures a correct exit code whatever happens to
 * the thread: an uncaught error, memory that runs out, a missing file. It imports only Node's own modules and does no work, so that
 * it can handle a signal at any moment.
 */
import { fstatSync, writeSync } from 'node:fs'
import { isatty } from 'node:tty'
import { Worker } from 'node:worker_threads'
import { addressSpaceBytes } from '../src/util/address-space.ts'
import { escapeForTerminal } from '../src/util/escape.ts'
import { FAULT, INTERRUPTED, isOfMachine, USAGE } from './codes.ts'
import type { Beginning, FromProgram, OutputName, Terminals, ToProgram } from './messages.ts'

/** If a thread cannot reserve this, V8 ends the whole process. */
const ADDRESS_SPACE_BYTES = 4 * 1024 ** 3
const OLDEST_NODE = [20, 19] as const
/** How long the program may take to close its files. A store that is not closed stays intact. */
const INTERRUPT_MS = 500
/** How long the program may continue after its last message. */
const LINGER_MS = 2000
/** How long the last line on stderr may take. */
const LAST_WORD_MS = 100
const LINE_CHARS = 600
const FDS = { stdout: 1, stderr: 2 } as const

/** The default: an unexpected end is a fault, never a verdict. */
process.exitCode = FAULT
let code: number | undefined
let interrupted = false
let failed = false

/** Writes a whole text, or all bytes. `done` receives the system's error code if that fails. */
function write(to: OutputName, content: string | Uint8Array, done: (error?: string) => void): void {
  try {
    if (!isWrittenAtOnce(FDS[to])) return void process[to].write(content, (error) => done(codeOf(error)))
    const bytes = Buffer.from(content)
    // Node's own stream ignores a write that a full disk cut short.
    for (let at = 0; at < bytes.byteLength; ) at += writeSync(FDS[to], bytes, at)
    done()
  } catch (error) {
    done(codeOf(error) ?? 'unknown')
  }
}

/** Whether it is a file, or a device other than a terminal. */
function isWrittenAtOnce(fd: number): boolean {
  const stats = fstatSync(fd)
  return stats.isFile() || (stats.isCharacterDevice() && !isatty(fd))
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? 'unknown') : undefined
}

/** Sets the exit code and writes a line to stderr. Only the first call counts. */
function fail(exitCode: number, line: string, done = () => {}): void {
  if (failed) {
    done()
    return
  }
  failed = true
  code = exitCode
  process.exitCode = exitCode
  write('stderr', `ao-audit: ${escapeForTerminal(line, LINE_CHARS)}\n`, done)
}

/** Ends the process at once, whatever is still running. */
function leave(): void {
  const exit = () => process.exit(INTERRUPTED)
  fail(INTERRUPTED, 'interrupted', exit)
  setTimeout(exit, LAST_WORD_MS)
}

/** Handles an error that ended the program's thread. */
function failedBy(error: unknown): void {
  const why = codeOf(error)
  if (interrupted) fail(INTERRUPTED, 'interrupted')
  else if (isOfMachine(error)) fail(USAGE, `the machine refuses files, processes, threads or space: ${why}`)
  else fail(FAULT, wordsOf(why, error instanceof Error ? error.message : String(error)))
  if (!process.argv.includes('--verbose') || !(error instanceof Error)) return
  for (const line of (error.stack ?? '').split('\n')) write('stderr', `${escapeForTerminal(line, LINE_CHARS)}\n`, () => {})
}

function wordsOf(why: string | undefined, message: string): string {
  if (why === 'ERR_WORKER_OUT_OF_MEMORY') return 'out of memory (NODE_OPTIONS=--max-old-space-size=MiB gives it more)'
  if (why === 'ERR_MODULE_NOT_FOUND' || why === 'MODULE_NOT_FOUND') return `a file of its own is missing: ${message}`
  if (why === 'ERR_ACCESS_DENIED') return `Node's permissions do not let it run: ${message}`
  return `${message} (a fault of ao-audit itself; --verbose shows where)`
}

function terminals(): Terminals {
  const of = (name: OutputName) => {
    const isTTY = isatty(FDS[name])
    return isTTY ? { isTTY, columns: process[name].columns } : { isTTY }
  }
  return { stdout: of('stdout'), stderr: of('stderr') }
}

function start(): void {
  // The callback of each write reports failures.
  for (const name of ['stdout', 'stderr'] as const) process[name].on('error', () => {})
  const program = new Worker(new URL('./program.js', import.meta.url), {
    argv: process.argv.slice(2),
    workerData: { ...terminals(), script: process.argv[1] ?? '' } satisfies Beginning
  })
  let patience: NodeJS.Timeout | undefined
  const tell = (message: ToProgram) => program.postMessage(message)

  program.on('message', (message: FromProgram) => {
    if (message.op === 'write') {
      const { id, to, content } = message
      return write(to, content, (error) => tell(error === undefined ? { op: 'written', id } : { op: 'written', id, error }))
    }
    clearTimeout(patience)
    if (message.code === INTERRUPTED) fail(INTERRUPTED, 'interrupted')
    else code = message.code
    setTimeout(() => void program.terminate(), interrupted ? 0 : LINGER_MS).unref()
  })
  program.on('error', failedBy)
  program.on('exit', () => {
    clearTimeout(patience)
    if (code === undefined) fail(interrupted ? INTERRUPTED : FAULT, interrupted ? 'interrupted' : 'it ended without a result')
    process.exitCode = code ?? FAULT
  })

  const interrupt = () => {
    if (interrupted) return leave()
    interrupted = true
    tell({ op: 'interrupt' })
    patience = setTimeout(leave, INTERRUPT_MS)
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
}

process.on('uncaughtException', failedBy)
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  fail(USAGE, `it needs Node ${OLDEST_NODE.join('.')} or later, this is ${process.versions.node}`)
} else if ((addressSpaceBytes() ?? Number.POSITIVE_INFINITY) < ADDRESS_SPACE_BYTES) {
  fail(USAGE, 'the address space is too small (ulimit -v): it needs 4 GiB, and some modules need 16 GiB')
} else start()
