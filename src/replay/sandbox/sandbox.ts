/** The sandbox: a session with a child process that holds a module's memory and never passes it on. */

import { type ChildProcess, fork } from 'node:child_process'
import { createRequire } from 'node:module'
import type { Readable } from 'node:stream'
import type { KnownMemory } from '../../memory/fingerprint.ts'
import type { StartMemory } from '../../memory/start-memory.ts'
import { AuditError } from '../../model/errors.ts'
import type { MemoryLayout } from '../../model/records.ts'
import { defined } from '../../util/defined.ts'
import type { DriveAnswer, DriveQuestion, DriveSource } from '../drive/source.ts'
import { moduleFormat } from '../formats.ts'
import type { ExecutionProfile } from '../profile.ts'
import { unfit } from './machine-limits.ts'
import type {
  InstanceState,
  ModuleSetup,
  SandboxLimits,
  SandboxMessage,
  SandboxReply,
  SandboxRequest,
  SandboxResult,
  WatchdogReport
} from './protocol.ts'
import type { SpareChild } from './spare-child.ts'

/** The limits of a sandbox if no others are given. */
export const DEFAULT_SANDBOX_LIMITS: SandboxLimits = {
  messageMs: 60_000,
  heapBytes: 4 * 1024 ** 3,
  residentBytes: 6 * 1024 ** 3
}

/** Why a child ended before its work was done. */
export interface Stopped {
  readonly limit: 'time' | 'memory' | 'died'
  /** The place of the running message in its batch; if the child died by itself, that of the first message without a result. */
  readonly index: number
}

export interface RunOutcome {
  /** One for each message, in order; fewer if the run paused or stopped. */
  readonly results: readonly SandboxResult[]
  readonly stopped?: Stopped
  /** The last message read the clock, and nothing after it ran: continue with `resume` or `undo`. */
  readonly paused?: true
}

/** Why a module cannot run at all. The sandbox is not at fault. */
export interface ModuleRefusal {
  readonly reason: string
  /** A limit on time or memory stopped it. */
  readonly limit?: true
}

export type Opening =
  | { readonly sandbox: Sandbox; readonly refused?: never }
  | { readonly sandbox?: never; readonly refused: ModuleRefusal }

export interface Sandbox {
  /** Whether the child has ended. */
  readonly ended: boolean
  /** The module's clock at the start of an instance, ms. */
  readonly clockStart: number
  /** Size of the memory when it was opened: larger than the start memory if resizing rounds it up. */
  readonly memoryBytes: number
  readonly layout: MemoryLayout
  /** Runs a batch. Calls may overlap; the child handles them in order. */
  run(batch: readonly SandboxMessage[], options?: { readonly pause?: boolean }): Promise<RunOutcome>
  /** Ends a pause. */
  resume(): Promise<void>
  /** Undoes the last message that ran, and ends a pause. */
  undo(): Promise<void>
  /**
   * Hashes the memory and returns the state of the instance.
   *
   * @param likely memories that it probably equals: a comparison with them takes less time than a hash
   * @throws AuditError `SANDBOX_FAILED` if the memory cannot be hashed or the child ended
   */
  state(likely?: readonly KnownMemory[]): Promise<InstanceState>
  /** Writes the gzipped memory to a file, which must not exist yet. */
  exportTo(path: string): Promise<void>
  /** @param atOnce kills the child whatever it is doing; otherwise it may be used again if its source takes it back */
  close(atOnce?: boolean): Promise<void>
}

export interface SandboxOptions {
  readonly limits?: Partial<SandboxLimits>
  /** The memory to start with, instead of the module's own. */
  readonly start?: StartMemory
  /** Serves the files that the module opens; without it there are none. */
  readonly drive?: DriveSource
  /** A child that already runs. */
  readonly spare?: SpareChild
}

/** Children that are used again: a replay of a few messages takes less than the start of a child. */
export function createChildPool(): Required<SpareChild<ChildProcess>> {
  const idle: ChildProcess[] = []
  const given = new Map<ChildProcess, number>()
  let closed = false
  return {
    take() {
      for (let child = idle.pop(); child !== undefined; child = idle.pop()) if (child.connected) return child
      return undefined
    },
    give(child) {
      const times = (given.get(child) ?? 0) + 1
      given.set(child, times)
      if (closed || times > POOLED_USES || idle.length >= POOLED_MAX || !child.connected) child.kill('SIGKILL')
      else idle.push(child)
    },
    close() {
      closed = true
      for (const child of idle.splice(0)) child.kill('SIGKILL')
    }
  }
}

/** A child ends after this many uses, and with it anything that modules may have left in it. */
const POOLED_USES = 50
const POOLED_MAX = 8
/** How long a child may take to finish work that was sent ahead and is no longer wanted. */
const DRAIN_MS = 1_000

export function startSpareChild(): SpareChild<ChildProcess> {
  let child: ChildProcess | undefined = startChild()
  // The sandbox that takes the child notices that it ended.
  child.on('error', () => {})
  const take = () => {
    const taken = child
    child = undefined
    return taken?.connected === true ? taken : undefined
  }
  return { take, close: () => void take()?.kill('SIGKILL') }
}

function startChild(): ChildProcess {
  return fork(createRequire(import.meta.url).resolve('#sandbox-child'), [], {
    // A module must not read the host's paths, locale or time zone (profiles §1). The child sets a profile's time zone when it
    // opens
    // a module.
    env: { TZ: 'UTC', LC_ALL: 'C' },
    execArgv: Number.parseInt(process.versions.node, 10) < FIRST_NODE_WITH_WASM64 ? ['--experimental-wasm-memory64'] : [],
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'ipc']
  })
}

interface Pending {
  readonly results: SandboxResult[]
  settle(end: SandboxReply | Stopped): void
}

const FIRST_NODE_WITH_WASM64 = 24

/**
 * Starts a child and opens a module in it.
 *
 * @returns the sandbox, or a refusal if the module is the cause: it does not compile, imports something that no loader has, exports
 *   no memory, traps or loops at its start
 * @throws AuditError `MODULE_UNSUPPORTED` for a format that the loader does not run; `SANDBOX_FAILED` if the child does not start
 */
export async function openSandbox(
  setup: ModuleSetup,
  profile: ExecutionProfile,
  options: SandboxOptions = {}
): Promise<Opening> {
  moduleFormat(setup.format)
  const limits = { ...DEFAULT_SANDBOX_LIMITS, ...options.limits }
  const child = (options.spare?.take() as ChildProcess | undefined) ?? startChild()
  const session = createSession(child, options)
  const start = defined({ start: options.start })
  const request = { op: 'open', setup, profile, limits, ...start } as const
  const opened = await session.open(request).catch(async (error: unknown) => {
    await session.close()
    throw error
  })
  if ('reason' in opened) {
    await session.close()
    return { refused: opened }
  }
  const { memoryBytes, clockStart, layout } = opened
  const sandbox: Sandbox = {
    get ended() {
      return session.ended()
    },
    memoryBytes,
    clockStart,
    layout,
    async run(batch, { pause = false } = {}) {
      if (batch.length === 0) return { results: [] }
      return session.run({ op: 'run', batch, pause })
    },
    async resume() {
      await session.request({ op: 'resume' }, 'done')
    },
    async undo() {
      await session.request({ op: 'undo' }, 'done')
    },
    state: async (likely = []) => (await session.request({ op: 'hash', likely }, 'state')).state,
    async exportTo(path) {
      await session.request({ op: 'export', path }, 'done')
    },
    close: session.close
  }
  return { sandbox }
}

/** Sends requests, settles replies in order, and settles the rest when the child ends. */
function createSession(child: ChildProcess, { drive, spare }: Pick<SandboxOptions, 'drive' | 'spare'>) {
  const pending: Pending[] = []
  let report = ''
  let ended = false
  /** The child compiles the module, or has compiled it. */
  let begun = false
  /**
   * The error that kept the source of files from answering (an interruption, or the store), or the system's error if no child
   * started.
   */
  let failed: unknown

  async function serve(question: DriveQuestion): Promise<void> {
    const none: DriveAnswer = { kind: 'refused', reason: 'this replay serves no files', missing: true }
    let answer: DriveAnswer
    try {
      answer = (await drive?.ask(question)) ?? none
    } catch (error) {
      failed = error ?? new Error('unknown error')
      child.kill('SIGKILL')
      return
    }
    if (child.connected) child.send({ op: 'driven', answer } satisfies SandboxRequest)
  }

  let drained: (() => void) | undefined
  const onMessage = (reply: SandboxReply) => {
    if (reply.op === 'drive') return void serve(reply.question)
    if (reply.op === 'begun') {
      begun = true
      return
    }
    const first = pending[0]
    if (first === undefined) return
    if (reply.op === 'results') {
      first.results.push(...reply.results)
      if (!reply.last) return
    }
    pending.shift()
    first.settle(reply)
    if (pending.length === 0) drained?.()
  }
  child.on('message', onMessage)
  const watchdog = child.stdio[3] as Readable
  watchdog.setEncoding('utf8')
  const onReport = (text: string) => {
    report = (report + text).slice(0, 1000)
  }
  watchdog.on('data', onReport)
  // `close` comes after the end of the pipe, so the watchdog's report is complete by then.
  let release = () => {}
  const closed = new Promise<void>((resolve) => {
    const finish = () => {
      ended = true
      drained?.()
      const word = readReport(report)
      for (const [position, waiting] of pending.splice(0).entries()) {
        const index = position === 0 && word !== undefined && word.index >= 0 ? word.index : waiting.results.length
        waiting.settle({ limit: word?.limit ?? 'died', index })
      }
      resolve()
    }
    const onError = (error: Error) => {
      // Node also emits `error` if it cannot send a message or kill the child.
      if (child.pid === undefined) failed ??= failure(error.message)
      finish()
    }
    child.on('close', finish)
    child.on('error', onError)
    release = () => {
      child.off('message', onMessage).off('close', finish).off('error', onError)
      watchdog.off('data', onReport)
      // Its next user listens for its end; until then nobody has to.
      if (child.listenerCount('error') === 0) child.on('error', () => {})
    }
  })

  /** Whether the child has finished all its work and can take more. */
  async function isDone(): Promise<boolean> {
    if (pending.length > 0)
      await new Promise<void>((resolve) => {
        drained = resolve
        setTimeout(resolve, DRAIN_MS).unref()
      })
    return !ended && pending.length === 0 && failed === undefined && report === '' && child.connected
  }

  function ask<T>(request: SandboxRequest, settle: (end: SandboxReply | Stopped, results: SandboxResult[]) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const results: SandboxResult[] = []
      const waiting: Pending = {
        results,
        settle: (end) => {
          if (failed !== undefined) return reject(failed)
          try {
            resolve(settle(end, results))
          } catch (error) {
            reject(error)
          }
        }
      }
      if (ended || !child.connected) return waiting.settle({ limit: 'died', index: 0 })
      pending.push(waiting)
      child.send(request)
    })
  }

  return {
    ended: () => ended,
    open: (request: SandboxRequest & { op: 'open' }): Promise<(SandboxReply & { op: 'opened' }) | ModuleRefusal> =>
      ask(request, (end) => {
        if ('limit' in end) {
          // If the child ended before that, the module is not the cause.
          if (!begun) throw failure(`it ended (${end.limit}) during open`)
          return { reason: `the module cannot be started: ${whyStopped(end)}`, limit: true }
        }
        if (end.op === 'refused') {
          // The module is not at fault if the machine refused a resource.
          const machine = unfit(end.reason, false)
          if (machine !== undefined) throw machine
          return { reason: end.reason }
        }
        if (end.op !== 'opened') throw failure(end.op === 'failed' ? end.message : `it answered open with ${end.op}`)
        return end
      }),
    run: (request: SandboxRequest & { op: 'run' }): Promise<RunOutcome> =>
      ask(request, (end, results) => {
        if ('limit' in end) return { results, stopped: end }
        if (end.op === 'failed') throw failure(end.message)
        return end.op === 'results' && end.paused ? { results, paused: true } : { results }
      }),
    request: <Op extends SandboxReply['op']>(request: SandboxRequest, answer: Op): Promise<SandboxReply & { op: Op }> =>
      ask(request, (end) => {
        if ('limit' in end) throw failure(`it ended (${end.limit}) during ${request.op}`, end.limit === 'died')
        if (end.op !== answer) throw failure(end.op === 'failed' ? end.message : `it answered ${request.op} with ${end.op}`)
        return end as SandboxReply & { op: Op }
      }),
    async close(atOnce = false): Promise<void> {
      if (!atOnce && begun && spare?.give !== undefined && (await isDone())) {
        release()
        return spare.give(child)
      }
      child.kill('SIGKILL')
      await closed
    }
  }
}

/** Explains the stop; "it" is the evaluation that was under way. */
export function whyStopped({ limit }: Stopped): string {
  if (limit === 'time') return 'it took longer than the limit and was stopped'
  if (limit === 'memory') return 'it took more memory than the limit and was stopped'
  return 'the sandbox died while it ran'
}

function failure(why: string, died = false): AuditError {
  return unfit(why, died) ?? new AuditError('SANDBOX_FAILED', `the sandbox failed: ${why.slice(0, 500)}`)
}

function readReport(text: string): WatchdogReport | undefined {
  try {
    return JSON.parse(text) as WatchdogReport
  } catch {
    return undefined
  }
}
