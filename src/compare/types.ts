/** The data of comparison: what replay computed, how it differs, what that means for a claimant. */
import type { Finding } from '../findings.ts'
import type { EvaluationKey } from '../records.ts'

/** `path` as a JSON path from the result's root: `Messages[0].Tags[3].value`. A side that has nothing there is undefined. */
export interface Difference {
  readonly path: string
  readonly claimed?: unknown
  readonly computed?: unknown
}

export type Verdict = 'match' | 'mismatch' | 'inconclusive'
export type EvaluationStatus = 'match' | 'match-profile' | 'mismatch' | 'skipped' | 'unclaimed' | 'inconclusive'

/** What two results differ in. */
export interface Comparison {
  /** In the order of fields, at most as many as asked for. */
  readonly differences: readonly Difference[]
  /** How many more there are. */
  readonly cut: number
  /** Some tags come in another order, which alone is no difference. */
  readonly tagOrderDiffers: boolean
}

/** Whether inputs and profile allow a difference to be called a mismatch. */
export interface Gate {
  readonly accusable: boolean
  /** Why not, in words. */
  readonly reason?: string
  /** false: a signature of its inputs was not checked. */
  readonly verified?: boolean
  /** Inputs that it rests on and that were taken on trust, in words. */
  readonly trusted?: string
  /**
   * Which blocks the unit knew when crons fired is settled: its `Block-Height`, and whether it fires, hang on those blocks
   * (execution-profile). Where it is not said, nothing is a mismatch once a cron was evaluated; false: nothing is.
   */
  readonly blocksKnown?: boolean
  /** It is a cron that the unit evaluated by its own word, a checkpoint behind it, whether it lists it or not. */
  readonly cronShown?: true
}

/** How one claimant stands to one evaluation. */
export interface JudgedEvaluation {
  readonly key: EvaluationKey
  readonly nonce?: number
  readonly message?: string
  readonly status: EvaluationStatus
  readonly claimant: string
  readonly profile?: string
  readonly differences?: readonly Difference[]
  /** How many differences were left out of `differences`. */
  readonly differencesCut?: number
  /** Why, for `skipped` and `inconclusive`, and for a `mismatch` whose differences do not say it. */
  readonly reason?: string
}

/** The first mismatch of a claimant. */
export interface Divergence {
  readonly key: EvaluationKey
  readonly nonce?: number
  readonly message?: string
  readonly claimant: string
  readonly differences: readonly Difference[]
  readonly differencesCut?: number
}

/** Counts of evaluations. */
export interface JudgedCoverage {
  /** Evaluations of a nonce. */
  readonly scheduled: number
  readonly cron: number
  /** Run by the auditor. */
  readonly evaluated: number
  /** Run, and held against at least one claim. */
  readonly compared: number
  /** Duplicates that the CU's rules leave out. */
  readonly skipped: number
  /** Run, but nobody claimed anything. */
  readonly unclaimed: number
  /** Over inputs whose signature was not checked. */
  readonly unverified: number
}

/** All that was judged of one claimant. */
export interface Judgement {
  readonly claimant: string
  readonly verdict: Verdict
  /** Why not a plain match, in words. */
  readonly reasons: readonly string[]
  readonly coverage: JudgedCoverage
  readonly firstDivergence: Divergence | null
  /** All that are not a plain match, in order. */
  readonly evaluations: readonly JudgedEvaluation[]
  /** How many were left out of `evaluations`. */
  readonly evaluationsCut: number
  readonly findings: readonly Finding[]
}
