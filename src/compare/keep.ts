/** Bounded memory of what is to be reported: a claimant may differ in everything. */
import type { Finding } from '../findings.ts'
import type { JudgedEvaluation } from './types.ts'

/** Mismatches that are kept, and as many of the rest. */
const MAX_EVALUATIONS = 10_000
/** Characters of all values in the differences that are kept. */
const MAX_CHARS = 16 * 1024 * 1024
/** Findings of one code, severity and attribution that are kept one by one. */
const MAX_FINDINGS = 100

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

export interface Findings {
  add(finding: Finding): void
  /** All, and for each code, severity and attribution with more than is kept one that counts the rest. */
  all(): readonly Finding[]
}

export function createFindings(maxFindings = MAX_FINDINGS): Findings {
  const found: Finding[] = []
  const counts = new Map<string, { readonly example: Finding; count: number }>()
  return {
    add(finding) {
      const kind = `${finding.code}/${finding.severity}/${finding.attribution}`
      const counted = counts.get(kind) ?? { example: finding, count: 0 }
      counts.set(kind, counted)
      counted.count++
      if (counted.count <= maxFindings) found.push(finding)
    },
    all: () => [...found, ...[...counts.values()].filter(({ count }) => count > maxFindings).map(theRest)]
  }

  function theRest({ example, count }: { readonly example: Finding; readonly count: number }): Finding {
    const { code, severity, attribution, claimant } = example
    const rest = count - maxFindings
    const detail = `and ${rest} more like the ${maxFindings} that are listed`
    return { code, severity, attribution, ...(claimant === undefined ? {} : { claimant }), count: rest, detail }
  }
}
