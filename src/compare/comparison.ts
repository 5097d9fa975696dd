/** The data of comparison: differences between claims and replay, and the judgement of a claimant. */
import type { Evidence, Since } from '../attribution/rules.ts'
import type { Finding } from '../model/findings.ts'
import type { EvaluationKey } from '../model/records.ts'

/** `path` is a JSON path from the result's root: `Messages[0].Tags[3].value`. A side without a value there is undefined. */
export interface Difference {
  readonly path: string
  readonly claimed?: unknown
  readonly computed?: unknown
}

export type Verdict = 'match' | 'mismatch' | 'inconclusive'
export type EvaluationStatus = 'match' | 'match-profile' | 'mismatch' | 'skipped' | 'unclaimed' | 'inconclusive'

/** The differences between two results. */
export interface Comparison {
  /** In the order of fields, up to the limit that was asked for. */
  readonly differences: readonly Difference[]
  /** How many differences are left out. */
  readonly cut: number
  /** The order of some tags differs, which alone is not a difference. */
  readonly tagOrderDiffers: boolean
  /** log2 of the number of possible orders of these tags. */
  readonly tagOrderBits: number
}

/** What the audit knows about an evaluation; the judge adds its own knowledge. */
export interface Gate {
  /** All evidence except the place and the judge's own knowledge. */
  readonly evidence: Omit<Evidence, 'ordinate' | 'otherState'>
  /** false: a signature of its inputs was not checked. */
  readonly verified?: boolean
  /** Inputs that it depends on and that were taken on trust, in words. */
  readonly trusted?: string
  /** A checkpoint of the computed memory lies right after it. A unit that started there evaluated nothing that it could answer with. */
  readonly checkpointBehind?: boolean
  /** It is a cron that the unit evaluated, as its own later checkpoint shows, whether the unit lists the cron or not. */
  readonly cronShown?: boolean
}

/**
 * Deviations that were accepted in a unit's favour. Each one gives room for a lie, so each is counted.
 *
 * - `tag-order`: the order of tags differs under a profile that nothing has proven
 * - `instance-boundary`: the unit is assumed to have begun an instance, or not, against the profile
 * - `instances-per-message`: the unit is assumed to have begun an instance with every message
 * - `duplicate-evaluated`: the unit is assumed to have evaluated a message that it would skip
 * - `duplicate-answer`: one of several answers that an honest unit may give for a message it skips
 * - `repeated-answer`: `/result` gave the first result of a message that is evaluated twice
 * - `checkpoint-answer`: `/result` gave the empty result for the message right before a checkpoint, as a unit that started there does
 * - `gas-left-out`: `/result` leaves out gas that an honest unit would report
 * - `gas-unlisted`: only a listing covers the evaluation, and listings have no gas
 * - `known-blocks`: the unit's known blocks were inferred from its listings
 * - `program-path`: the length of the unit's program path was inferred from its claims
 * - `time-zone`: the unit's time zone was inferred from its claims
 */
export type ToleranceKind =
  | 'tag-order'
  | 'instance-boundary'
  | 'instances-per-message'
  | 'duplicate-evaluated'
  | 'duplicate-answer'
  | 'repeated-answer'
  | 'checkpoint-answer'
  | 'gas-left-out'
  | 'gas-unlisted'
  | 'known-blocks'
  | 'program-path'
  | 'time-zone'

/** All tolerances of one kind for one claimant. */
export interface Tolerance {
  readonly kind: ToleranceKind
  readonly count: number
  /** The freedom that they give a liar in all: log2 of the number of answers that would have passed. */
  readonly bits: number
  /** The first evaluation that needed it; absent if it applies to all of them. */
  readonly first?: EvaluationKey
}

/** The judgement of one claimant about one evaluation. */
export interface JudgedEvaluation {
  readonly key: EvaluationKey
  readonly nonce?: number
  /** The last of consecutive missing nonces; `nonce` is the first. */
  readonly through?: number
  readonly message?: string
  readonly status: EvaluationStatus
  readonly claimant: string
  readonly profile?: string
  readonly differences?: readonly Difference[]
  /** How many differences were left out of `differences`. */
  readonly differencesCut?: number
  /** The reason for `skipped` and `inconclusive`, and for a `mismatch` that its differences do not explain. */
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
  /** Run, and compared with at least one claim. */
  readonly compared: number
  /** Duplicates that the CU's rules skip. */
  readonly skipped: number
  /** Run, but nobody claimed anything. */
  readonly unclaimed: number
  /** Evaluations with an unreadable answer, whatever else is claimed about them. */
  readonly unread: number
  /** Evaluations over inputs whose signature was not checked. */
  readonly unverified: number
}

/** The whole judgement of one claimant. */
export interface Judgement {
  readonly claimant: string
  readonly verdict: Verdict
  /** Why it is not a plain match, in words. */
  readonly reasons: readonly string[]
  /** Those of the reasons that did not decide the verdict but that a reader should know. */
  readonly remarks: readonly string[]
  readonly coverage: JudgedCoverage
  readonly firstDivergence: Divergence | null
  /** All that are not a plain match, in order. */
  readonly evaluations: readonly JudgedEvaluation[]
  /** How many were left out of `evaluations`. */
  readonly evaluationsCut: number
  readonly findings: readonly Finding[]
  /** Deviations that were accepted in its favour. */
  readonly tolerances: readonly Tolerance[]
  /** The first evaluation whose claim differs from re-execution, or shows another history than the replayed one. */
  readonly unexplained: EvaluationKey | null
  /** The first place at which its `/result` and its listings contradict each other. */
  readonly contradicts: Since | null
}
