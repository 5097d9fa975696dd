/** Reads a plan once for all segments that run side by side, so that no segment has to plan again. */
import { type EvaluationKey, isPlaceOf } from '../model/records.ts'
import type { PlannedEvaluation } from './plan/planned.ts'

export interface SharedPlan {
  /** Yields the plan of a part, led by the last evaluation of the part before it. Read each part once. */
  part(place: number): AsyncGenerator<PlannedEvaluation>
  close(): Promise<void>
}

/** Limit on planned evaluations that no part has taken yet, in characters (approximate): a part further ahead waits. */
const HELD_MAX_CHARS = 128 * 1024 * 1024
/** Size of a planned message without its data. */
const LEAST_CHARS = 2000

/**
 * @param plan read once, at most to its end
 * @param ends the last evaluation of each part except the last, ascending
 * @param maxChars limit on held evaluations, in characters
 */
export function sharePlan(
  plan: AsyncIterable<PlannedEvaluation>,
  ends: readonly EvaluationKey[],
  maxChars = HELD_MAX_CHARS
): SharedPlan {
  const source = plan[Symbol.asyncIterator]()
  /** For each part, the evaluations read and not yet taken; undefined once nobody reads the part any more. */
  const held: (PlannedEvaluation[] | undefined)[] = [[], ...ends.map(() => [])]
  let chars = 0
  /** The part that the plan's next evaluation belongs to. */
  let at = 0
  let ended = false
  let failure: { readonly error: unknown } | undefined
  let reading: Promise<void> | undefined
  let waiting: (() => void)[] = []
  const changed = () => {
    const woken = waiting
    waiting = []
    for (const go of woken) go()
  }

  function hold(place: number, planned: PlannedEvaluation): void {
    const queue = held[place]
    if (queue === undefined) return
    queue.push(planned)
    chars += charsOf(planned)
  }

  async function readOne(): Promise<void> {
    try {
      const { done, value } = await source.next()
      if (done === true) ended = true
      else {
        hold(at, value)
        const end = ends[at]
        if (end !== undefined && isPlaceOf(end, value)) hold(++at, value)
      }
    } catch (error) {
      failure = { error }
      ended = true
    }
  }

  /** Reads on for a part, or waits until earlier parts have taken enough of the held evaluations. */
  async function more(place: number): Promise<void> {
    const first = held.findIndex((queue) => queue !== undefined)
    if (reading === undefined && place !== first && chars >= maxChars)
      return new Promise((resolve) => void waiting.push(resolve))
    reading ??= readOne().finally(() => {
      reading = undefined
    })
    return reading
  }

  return {
    async *part(place) {
      try {
        for (;;) {
          const planned = held[place]?.shift()
          if (planned !== undefined) {
            chars -= charsOf(planned)
            changed()
            yield planned
          } else if (at > place) return
          else if (!ended) await more(place)
          else if (failure === undefined) return
          else throw failure.error
        }
      } finally {
        for (const planned of held[place] ?? []) chars -= charsOf(planned)
        held[place] = undefined
        changed()
      }
    },
    async close() {
      ended = true
      changed()
      await source.return?.()
    }
  }
}

function charsOf({ work }: PlannedEvaluation): number {
  const data = work.kind === 'run' ? work.message['Data'] : undefined
  return LEAST_CHARS + (typeof data === 'string' ? data.length : 0)
}
