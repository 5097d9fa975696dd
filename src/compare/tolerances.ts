/** Counts the deviations that were accepted in a claimant's favour. */
import type { EvaluationKey } from '../model/records.ts'
import type { Tolerance, ToleranceKind } from './comparison.ts'
import type { Tolerated } from './judge-evaluation.ts'

export interface Tolerances {
  add(tolerated: Tolerated, at: EvaluationKey): void
  all(): readonly Tolerance[]
  /** How many explanations the claimant needs: assumptions about its past, as opposed to rules that hold for every unit. */
  explanations(): number
}

/** The other kinds follow from the unit's own rules, whatever happened to it. */
const EXPLANATIONS: ReadonlySet<ToleranceKind> = new Set([
  'tag-order',
  'instance-boundary',
  'instances-per-message',
  'duplicate-evaluated',
  'checkpoint-answer',
  'known-blocks',
  'program-path',
  'time-zone'
])

/** @param given tolerances that were granted before the first evaluation */
export function createTolerances(given: readonly Tolerance[]): Tolerances {
  const found = new Map<ToleranceKind, Tolerance>(given.map((one) => [one.kind, one]))
  return {
    add({ kind, bits }, first) {
      const known = found.get(kind)
      found.set(kind, known === undefined ? { kind, count: 1, bits, first } : joined(known, bits))
    },
    all: () => [...found.values()],
    explanations: () => [...found.values()].reduce((sum, { kind, count }) => sum + (EXPLANATIONS.has(kind) ? count : 0), 0)
  }
}

function joined(known: Tolerance, bits: number): Tolerance {
  return { ...known, count: known.count + 1, bits: known.bits + bits }
}
