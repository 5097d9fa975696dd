/** The data of comparison: what replay computed, how it differs, what that means for a claimant. */
import type { Evidence, Since } from '../attribution/rules.ts'
import type { Finding } from '../model/findings.ts'
import type { EvaluationKey } from '../model/records.ts'

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
  /** log2 of the orders in which these tags could have come. */
  readonly tagOrderBits: number
}

/** What the audit knows of an evaluation: what the judge adds its own knowledge to. */
export interface Gate {
  /** All but the place, and what only the judge knows. */
  readonly evidence: Omit<Evidence, 'ordinate' | 'otherState'>
  /** false: a signature of its inputs was not checked. */
  readonly verified?: boolean
  /** Inputs that it rests on and that were taken on trust, in words. */
  readonly trusted?: string
  /** A checkpoint of the memory computed there lies right behind it, from which a unit may have begun: then it evaluated nothing to answer with. */
  readonly checkpointBehind?: boolean
  /** It is a cron that the unit evaluated by its own word, a checkpoint behind it, whether it lists it or not. */
  readonly cronShown?: boolean
}

/**
 * What was let pass in a unit's favour. Each is room for a lie, so each is counted.
 *
 * - `tag-order`: tags come in another order under a profile that nothing has proven
 * - `instance-boundary`: the unit is thought to have begun an instance, or not, against the profile
 * - `instances-per-message`: the same with every message, as one pattern
 * - `duplicate-evaluated`: it is thought to have evaluated a message that it would skip
 * - `duplicate-answer`: one of several answers that an honest unit may give for a message it skips
 * - `repeated-answer`: `/result` gave the first result of a message that is evaluated twice
 * - `checkpoint-answer`: `/result` gave the empty result for the message right before a checkpoint, as a unit that began there does
 * - `gas-left-out`: `/result` says nothing of gas where an honest unit would
 * - `gas-unlisted`: only a listing speaks of the evaluation, and listings have no gas
 * - `known-blocks`: which blocks the unit knew was found by what it lists
 * - `program-path`: the length of the unit's program path was found by its claims
 * - `time-zone`: the unit's time zone was found by its claims
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

/** All tolerances of one kind that one claimant had. */
export interface Tolerance {
  readonly kind: ToleranceKind
  readonly count: number
  /** How much a liar could have chosen by them, in all: log2 of the ways that would have passed. */
  readonly bits: number
  /** The first evaluation that needed it; absent where it is about all of them. */
  readonly first?: EvaluationKey
}

/** How one claimant stands to one evaluation. */
export interface JudgedEvaluation {
  readonly key: EvaluationKey
  readonly nonce?: number
  /** Of nonces that are missing together the last one; `nonce` is the first. */
  readonly through?: number
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
  /** Answered with what could not be read, whatever else is claimed of them. */
  readonly unread: number
  /** Over inputs whose signature was not checked. */
  readonly unverified: number
}

/** All that was judged of one claimant. */
export interface Judgement {
  readonly claimant: string
  readonly verdict: Verdict
  /** Why not a plain match, in words. */
  readonly reasons: readonly string[]
  /** Those of the reasons that do not make the verdict what it is, but are to be known. */
  readonly remarks: readonly string[]
  readonly coverage: JudgedCoverage
  readonly firstDivergence: Divergence | null
  /** All that are not a plain match, in order. */
  readonly evaluations: readonly JudgedEvaluation[]
  /** How many were left out of `evaluations`. */
  readonly evaluationsCut: number
  readonly findings: readonly Finding[]
  /** What was let pass in its favour. */
  readonly tolerances: readonly Tolerance[]
  /** The first evaluation whose claim is not what re-execution gives, or shows another history than was replayed. */
  readonly unexplained: EvaluationKey | null
  /** The first place at which its `/result` and its listings contradict each other. */
  readonly contradicts: Since | null
}
