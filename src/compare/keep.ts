/** Bounded memory of what is to be reported: a claimant may differ in everything. */
import type { JudgedEvaluation } from './comparison.ts'

/** Mismatches that are kept, and as many of the rest. */
const MAX_EVALUATIONS = 10_000
/** Characters of all values in the differences that are kept. */
const MAX_CHARS = 16 * 1024 * 1024

export interface Keeper {
  add(evaluation: JudgedEvaluation): void
  /** In the order they came in. */
  kept(): { readonly evaluations: readonly JudgedEvaluation[]; readonly cut: number }
}

/** Keeps evaluations; mismatches have a room of their own, so that nothing else drives them out. */
export function createKeeper(maxEvaluations = MAX_EVALUATIONS, maxChars = MAX_CHARS): Keeper {
  const kept: JudgedEvaluation[] = []
  const rooms = { mismatch: maxEvaluations, other: maxEvaluations }
  let chars = maxChars
  let cut = 0
  return {
    add(evaluation) {
      const room = evaluation.status === 'mismatch' ? 'mismatch' : 'other'
      if (rooms[room] === 0) {
        cut++
        return
      }
      rooms[room]--
      const cost = (evaluation.differences ?? []).reduce((sum, difference) => sum + roughChars(difference, chars), 0)
      const fits = cost <= chars
      if (fits) chars -= cost
      kept.push(fits ? evaluation : withoutDifferences(evaluation))
    },
    kept: () => ({ evaluations: kept, cut })
  }
}

function withoutDifferences(evaluation: JudgedEvaluation): JudgedEvaluation {
  const { differences = [], differencesCut = 0 } = evaluation
  return { ...evaluation, differences: [], differencesCut: differencesCut + differences.length }
}

/** About how many characters a value's JSON has, counted no further than `limit`. */
function roughChars(value: unknown, limit: number): number {
  const stack = [value]
  let chars = 0
  while (stack.length > 0 && chars <= limit) {
    const next = stack.pop()
    chars += typeof next === 'string' ? next.length : 8
    if (typeof next !== 'object' || next === null) continue
    for (const [name, item] of Object.entries(next)) {
      chars += name.length
      stack.push(item)
    }
  }
  return chars
}
