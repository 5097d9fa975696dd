/** The data of comparison: what replay computed, how it differs, what that means for a claimant. */

export type { Evaluation, Outcome } from '../records.ts'

/** `path` as a JSON path from the result's root: `Messages[0].Tags[3].value`. A side that has nothing there is undefined. */
export interface Difference {
  readonly path: string
  readonly claimed?: unknown
  readonly computed?: unknown
}

export type Verdict = 'match' | 'mismatch' | 'inconclusive'
export type EvaluationStatus = 'match' | 'match-profile' | 'mismatch' | 'skipped' | 'unclaimed' | 'inconclusive'
