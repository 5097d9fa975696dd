/** One reading of a plan for parts that run side by side: planning is not done again for each. */
import { type EvaluationKey, isPlaceOf } from '../model/records.ts'
import type { PlannedEvaluation } from './plan/planned.ts'

export interface SharedPlan {
  /** What is planned for a part, with the evaluation that it begins behind at its head. To be read once. */
  part(place: number): AsyncGenerator<PlannedEvaluation>
  close(): Promise<void>
}

/** What is planned for the parts before and not taken yet, about: a part further ahead waits. */
const HELD_MAX_CHARS = 128 * 1024 * 1024
/** Of a planned message, besides its data. */
const LEAST_CHARS = 2000

/**
 * @param plan read once, to its end at most
 * @param ends the last evaluation of each part but the last, ascending
 * @param maxChars that may be held
 */
export function sharePlan(
  plan: AsyncIterable<PlannedEvaluation>,
  ends: readonly EvaluationKey[],
  maxChars = HELD_MAX_CHARS
): SharedPlan {
  const source = plan[Symbol.asyncIterator]()
  /** Of each part: what was read for it and not taken; undefined where nobody wants it any more. */
  const held: (PlannedEvaluation[] | undefined)[] = [[], ...ends.map(() => [])]
  let chars = 0
  /** The part that is being read. */
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

  /** Reads on for a part, or waits until the parts before it have taken enough of what is held. */
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
