/** Runs replays ahead of their turn, a limited number at a time, and keeps their evaluations until somebody reads them. */
import PQueue from 'p-queue'
import { AuditError } from '../model/errors.ts'
import type { Evaluation } from '../model/records.ts'

export interface Ahead {
  /** Yields the evaluations of one replay in order, as they arrive. Call it once for each replay, in the order of the replays. */
  take(place: number): AsyncGenerator<Evaluation>
  /** Ends all replays that still run. */
  stop(): Promise<void>
}

/** Limit on results that wait to be read, in characters: replays that run ahead pause beyond it. */
const WAITING_MAX_CHARS = 64 * 1024 * 1024
/** The same limit for a single replay whose results are judged as they arrive. */
const JUDGED_MAX_CHARS = 4 * 1024 * 1024

interface Buffered {
  readonly found: Evaluation[]
  ended: boolean
  failure?: unknown
}

/** Starts one replay at once; it continues while the caller looks at its evaluations. */
export function oneAhead(run: (signal: AbortSignal) => AsyncIterable<Evaluation>): Ahead {
  return runAhead([run], 1, JUDGED_MAX_CHARS)
}

/**
 * @param runs the replays, in the order in which they will be read; each ends when the signal fires
 * @param jobs how many may run at the same time
 * @param maxChars limit on all waiting results together, in characters
 */
export function runAhead(
  runs: readonly ((signal: AbortSignal) => AsyncIterable<Evaluation>)[],
  jobs: number,
  maxChars = WAITING_MAX_CHARS
): Ahead {
  const cancel = new AbortController()
  const queue = new PQueue({ concurrency: jobs })
  const waiting = runs.map((): Buffered => ({ found: [], ended: false }))
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

  async function follow(place: number, own: Buffered): Promise<void> {
    try {
      const run = runs[place]
      if (run === undefined || cancel.signal.aborted) return
      for await (const evaluation of run(cancel.signal)) {
        own.found.push(evaluation)
        chars += charsOf(evaluation)
        changed()
        // The other replays may use up the limit, so the one whose turn it is continues as soon as somebody waits for it.
        await until(() => chars < maxChars || (place === turn && own.found.length === 0) || cancel.signal.aborted)
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
        changed()
        yield evaluation
      }
      if (own.failure !== undefined) throw own.failure
      if (cancel.signal.aborted) throw new AuditError('INTERRUPTED', 'interrupted')
    },
    async stop() {
      cancel.abort()
      changed()
      await queue.onIdle()
    }
  }
}

/** Size of an evaluation without its result. */
const LEAST_CHARS = 500

function charsOf({ outcome }: Evaluation): number {
  return LEAST_CHARS + (outcome.kind === 'result' ? outcome.text.length : 0)
}
