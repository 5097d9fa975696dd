/** Keeps the evaluations to report, within bounds: a claimant may differ in everything. */
import type { JudgedEvaluation } from './comparison.ts'

/** How many mismatches are kept, and how many others. */
const MAX_EVALUATIONS = 10_000
/** How many characters all values in the kept differences may have. */
const MAX_CHARS = 16 * 1024 * 1024

export interface Keeper {
  add(evaluation: JudgedEvaluation): void
  /** In the order in which they were added. */
  kept(): { readonly evaluations: readonly JudgedEvaluation[]; readonly cut: number }
}

/** Keeps evaluations. Mismatches have a limit of their own, so that nothing else displaces them. */
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
