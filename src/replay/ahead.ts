/** Replays that run ahead of their turn, so many at a time, with what they find kept until it is asked for. */
import PQueue from 'p-queue'
import { AuditError } from '../errors.ts'
import type { Evaluation } from '../records.ts'

export interface Ahead {
  /** What one of them found, in order, as it comes. Each may be asked for once, and in the order in which they were given. */
  take(place: number): AsyncGenerator<Evaluation>
  /** Ends all that still run. */
  stop(): Promise<void>
}

/** What waits for its turn, as characters of results: whoever is ahead pauses beyond. */
const WAITING_MAX_CHARS = 64 * 1024 * 1024

interface Waiting {
  readonly found: Evaluation[]
  ended: boolean
  failure?: unknown
}

/**
 * @param runs in the order in which they will be asked for; each ends when the signal fires
 * @param jobs how many may run at the same time
 */
export function runAhead(runs: readonly ((signal: AbortSignal) => AsyncIterable<Evaluation>)[], jobs: number): Ahead {
  const cancel = new AbortController()
  const queue = new PQueue({ concurrency: jobs })
  const waiting = runs.map((): Waiting => ({ found: [], ended: false }))
  const listeners = new Set<() => void>()
  let turn = 0
  let chars = 0

  const changed = () => {
    for (const listener of [...listeners]) listener()
  }
  const until = async (holds: () => boolean) => {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        const listener = () => {
          listeners.delete(listener)
          resolve()
        }
        listeners.add(listener)
      })
    }
  }

  async function follow(place: number, own: Waiting): Promise<void> {
    try {
      const run = runs[place]
      if (run === undefined || cancel.signal.aborted) return
      for await (const evaluation of run(cancel.signal)) {
        own.found.push(evaluation)
        chars += charsOf(evaluation)
        changed()
        await until(() => place === turn || chars < WAITING_MAX_CHARS || cancel.signal.aborted)
        if (cancel.signal.aborted) return
      }
    } catch (error) {
      own.failure = error
    } finally {
      own.ended = true
      changed()
    }
  }

  for (const [place, own] of waiting.entries()) void queue.add(() => follow(place, own))

  return {
    async *take(place) {
      const own = waiting[place]
      if (own === undefined) return
      turn = place
      changed()
      while (true) {
        await until(() => own.found.length > 0 || own.ended)
        const evaluation = own.found.shift()
        if (evaluation === undefined) break
        chars -= charsOf(evaluation)
        yield evaluation
      }
      if (own.failure !== undefined) throw own.failure
      if (cancel.signal.aborted) throw new AuditError('INTERRUPTED', 'the replay was interrupted')
    },
    async stop() {
      cancel.abort()
      changed()
      await queue.onIdle()
    }
  }
}

/** Of an evaluation, besides its result. */
const LEAST_CHARS = 500

function charsOf({ outcome }: Evaluation): number {
  return LEAST_CHARS + (outcome.kind === 'result' ? outcome.text.length : 0)
}
