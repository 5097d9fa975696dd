/** Runs an honest unit's evaluations in a child process, one for all tests of a file. */
import { type ChildProcess, fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { loaderOptions, type Message, moduleOf, type World } from './messages.ts'

/** The last evaluation. */
export interface Place {
  /** The nonce of the message, or of the message before a cron. */
  readonly ordinate: number
  /** ms */
  readonly timestamp: number
  readonly height: number
  readonly cron?: string
}

export interface StreamRequest {
  readonly evaluations: readonly { readonly message: Message; readonly env: Message }[]
  /** Whether the memory after the stream is returned, or its hash; neither by default. */
  readonly wanted?: 'memory' | 'hash'
  /** The stream whose memory this one begins with, the one before it by default; null: the unit's first memory. */
  readonly from?: number | null
}

export interface UnitRun {
  /** Each evaluation's result as JSON. */
  readonly texts: readonly string[]
  /** By stream, as wanted: the bytes or their SHA-256 in hex. */
  readonly memories: readonly (Uint8Array | string | null)[]
}

interface Hidden {
  readonly path: string | null
  readonly zone: string
  readonly start?: { readonly memory: Uint8Array }
}

const CHILD = new URL('cu-child.mjs', import.meta.url)
let child: ChildProcess | undefined
let asked = 0

export function runUnit(world: World, { path, zone, start }: Hidden, streams: readonly StreamRequest[]): Promise<UnitRun> {
  const wasm = Buffer.from(moduleOf(world).data ?? '', 'base64')
  const request = {
    wasm,
    key: createHash('sha256').update(wasm).digest('hex'),
    options: loaderOptions(world),
    environment: path === null ? [] : environmentWith(path),
    zone,
    path: path ?? '/usr/app/src/effects/worker/evaluator/index.js',
    first: start?.memory ?? null,
    streams
  }
  child ??= fork(CHILD, [], { serialization: 'advanced', execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const running = child
  const id = asked++
  return new Promise((resolve, reject) => {
    const onMessage = (message: unknown) => {
      const { id: of, reply, failed } = message as { id: number; reply?: UnitRun; failed?: string }
      if (of !== id) return
      running.off('message', onMessage)
      if (reply === undefined) reject(new Error(failed))
      else resolve(reply)
    }
    running.on('message', onMessage)
    running.send({ id, request })
  })
}

/** The environment that loader 0.0.44 gives to a module (profiles §1.2). */
export function environmentWith(path: string): readonly string[] {
  return ['USER=web_user', 'LOGNAME=web_user', 'PATH=/', 'PWD=/', 'HOME=/home/web_user', 'LANG=C.UTF-8', `_=${path}`]
}

/** Ends the child. */
export function closeUnits(): void {
  child?.kill()
  child = undefined
}
