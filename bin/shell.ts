/** A command's environment: its outputs, the signal that ends it, its exit code. The main thread does the writing. */
import { parentPort, workerData } from 'node:worker_threads'
import { AuditError } from '../src/model/errors.ts'
import { FAULT } from './codes.ts'
import type { Beginning, FromProgram, OutputName, Terminal, ToProgram } from './messages.ts'

/** How the command was started. */
export interface Invocation {
  /** `process.argv[1]` of the main thread. */
  readonly script: string
  /** The arguments that the user typed. */
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface Shell {
  /** Fires on Ctrl-C. */
  readonly signal: AbortSignal
  readonly stdout: Terminal
  readonly stderr: Terminal
  readonly invocation: Invocation
  /** A fault, until a command sets another one. */
  exitCode: number
  /**
   * Writes to stdout, and resolves once the system has the content. It is not an error if nobody reads it any more (`| head`).
   *
   * @throws AuditError `OUTPUT_UNUSABLE`
   */
  print(content: string | Uint8Array): Promise<void>
  /** Like `print`, for callers that cannot wait. `printed` rejects if it failed. */
  printLater(text: string): void
  printed(): Promise<void>
  /** Writes to stderr. It never fails. If too much text waits for a slow reader, new text is dropped. */
  tell(text: string): void
}

/** The limit for characters that wait for a reader of stderr. */
const TOLD_MAX_CHARS = 1024 * 1024
const WHY: Readonly<Record<string, string>> = { ENOSPC: 'no space is left', EIO: 'the device fails' }

/** Opens the shell, on the program's thread. */
export function openShell(): { readonly shell: Shell; readonly end: () => void } {
  const port = parentPort
  if (port === null) throw new Error('the program runs on a thread of its own')
  const { stdout, stderr, script } = workerData as Beginning
  const interrupt = new AbortController()
  const waiting = new Map<number, (error?: string) => void>()
  let ids = 0
  let toldChars = 0
  let printing = Promise.resolve()

  port.on('message', (message: ToProgram) => {
    if (message.op === 'interrupt') return interrupt.abort()
    waiting.get(message.id)?.(message.error)
    waiting.delete(message.id)
    if (waiting.size === 0) port.unref()
  })
  port.unref()
  const post = (message: FromProgram) => port.postMessage(message)

  /** @returns the system's error code if it failed */
  function write(to: OutputName, content: string | Uint8Array): Promise<string | undefined> {
    return new Promise((resolve) => {
      const id = ids++
      waiting.set(id, resolve)
      port?.ref()
      post({ op: 'write', id, to, content })
    })
  }

  const shell: Shell = {
    signal: interrupt.signal,
    stdout,
    stderr,
    invocation: { script, args: process.argv.slice(2), env: process.env },
    exitCode: FAULT,
    async print(content) {
      const code = await write('stdout', content)
      if (code === undefined || code === 'EPIPE') return
      throw new AuditError('OUTPUT_UNUSABLE', `stdout cannot be written: ${WHY[code] ?? code}`)
    },
    printLater(text) {
      printing = printing.then(() => shell.print(text))
      // `printed` reports the failure.
      printing.catch(() => {})
    },
    printed: () => printing,
    tell(text) {
      if (toldChars > TOLD_MAX_CHARS) return
      toldChars += text.length
      void write('stderr', text).then(() => {
        toldChars -= text.length
      })
    }
  }
  return { shell, end: () => post({ op: 'end', code: shell.exitCode }) }
}
