/** Judges the claims of one claimant about one evaluation. */
import { type Accusal, accuse } from '../attribution/rules.ts'
import { type Claim, type Evaluation, type EvaluationResult, isAmbiguous } from '../model/records.ts'
import { canonicalResult, EMPTY_RESULT } from './canonical.ts'
import type { Comparison, EvaluationStatus, Gate, ToleranceKind } from './comparison.ts'
import { type Before, fingerprint } from './history.ts'
import { agrees, type ComparisonOptions, compareResult } from './result.ts'
import { judgeSkipped, type SkippedOutcome } from './skipped.ts'

/** The judgement of one claimant about one evaluation. */
export interface EvaluationJudgement {
  readonly status: EvaluationStatus
  /** Whether a claim was compared with the result computed for this evaluation. */
  readonly compared: boolean
  /** The unit gave an unreadable answer about it. */
  readonly unread?: true
  /** A cron that failed, without a claim: no unit lists it. */
  readonly failedCron?: true
  /** The comparison of the first claim that does not agree; if all agree, it shows only whether the order of tags differs. */
  readonly comparison?: Comparison
  /** The reason, for all except plain matches and mismatches of fields. */
  readonly reason?: string
  /** The claimant's `/result` and `/results` differ from each other. */
  readonly contradiction?: Comparison
  /** Why the claimant's state after it may honestly differ from the one computed here. */
  readonly stateUnsure?: string
  /** The claim differs from the computed result, or shows another history: it needs a search for an explanation. */
  readonly unexplained?: true
  readonly tolerated?: readonly Tolerated[]
}

export interface Tolerated {
  readonly kind: ToleranceKind
  readonly bits: number
}

export interface JudgeInput {
  readonly evaluation: Evaluation
  /** The claims of one claimant about this evaluation. */
  readonly claims: readonly Claim[]
  /** Why an answer of the claimant could not be read; absent if all could. */
  readonly unread?: string
  readonly before: Before
  readonly gate: Gate
  /** Why the claimant's state may honestly differ by now. */
  readonly otherState?: string
  /** Whether the claimant claimed anything about an earlier evaluation; undefined if that is not known. */
  readonly claimedBefore?: boolean
  readonly options: ComparisonOptions
  /** The profile of the replay, if it is assumed. */
  readonly assumedProfile?: string
}

const EMPTY_TEXT = JSON.stringify(canonicalResult(EMPTY_RESULT))
/** The empty result, the result before, the first result of the message, and that of its twin. */
const SKIPPED_ANSWERS = 4

/**
 * Judges the claims of one claimant about one evaluation.
 *
 * - `match`: there are claims and all of them agree; `match-profile` if the result is that of another profile
 * - `mismatch`: a claim differs and every rule of accusation holds; otherwise `inconclusive` with the reason of the first that does not
 * - `skipped`: the CU's rules skip it, and there is no claim or only one that an honest CU may give
 * - `unclaimed`: evaluated here, but nothing is claimed
 *
 * If one answer could not be read, the readable ones may be the truth beside a lie: the status is `inconclusive` at best.
 */
export function judgeEvaluation(input: JudgeInput): EvaluationJudgement {
  const judged = judgeRead(input)
  if (input.unread === undefined) return judged
  if (judged.status === 'mismatch' || judged.status === 'inconclusive') return { ...judged, unread: true }
  return { ...judged, status: 'inconclusive', reason: `its answer could not be read: ${input.unread}`, unread: true }
}

/** Judges the readable answers. */
function judgeRead(input: JudgeInput): EvaluationJudgement {
  const { outcome } = input.evaluation
  // Memory hashes are judged elsewhere; results come first, then listings.
  const claims = [...ofKind(input.claims, 'result'), ...ofKind(input.claims, 'listed')]
  if (outcome.kind === 'skipped') return judgeDuplicate({ ...input, claims }, outcome)
  const judged: EvaluationJudgement =
    outcome.kind === 'result'
      ? judgeResult({ ...input, claims }, outcome.result, outcome.profile)
      : { status: 'inconclusive', compared: false, reason: outcome.reason }
  const contradiction = findContradiction(claims, input.before)
  if (contradiction === undefined) return judged
  const agrees = judged.status === 'match' || judged.status === 'match-profile'
  return { ...judged, contradiction, ...(agrees ? { status: 'inconclusive', reason: CONTRADICTION } : {}) }
}

const CONTRADICTION = 'its /result and its listings contradict each other'

function judgeResult(input: JudgeInput, computed: EvaluationResult, profile: string | undefined): EvaluationJudgement {
  const { evaluation, claims, before, gate, options, assumedProfile } = input
  const all = claims.map((claim) => ({ claim, comparison: compareResult(claim, computed, options) }))
  const saysNothing = (claim: Claim) => repeatsFirst(claim, before) || beganBehind(claim, gate)
  const held = all.filter(({ claim, comparison }) => agrees(comparison) || !saysNothing(claim))
  if (held.length === 0) return judgeUnclaimed(evaluation, computed, gate)
  const differing = held.find(({ comparison }) => !agrees(comparison))?.comparison
  if (differing !== undefined) {
    const judged = { compared: true, comparison: differing, unexplained: true } as const
    if (held.every((one) => agrees(one.comparison) || saysRefused(one.claim, evaluation)))
      return { ...judged, status: 'inconclusive', reason: REFUSED, stateUnsure: REFUSED }
    if (mayHaveBegun(input)) return { ...judged, status: 'inconclusive', reason: BEGAN_UNSEEN }
    return { ...blame(input), ...judged }
  }
  const ambiguous = claims.flatMap(({ faults = [] }) => faults).find(isAmbiguous)
  if (ambiguous !== undefined) {
    return { status: 'inconclusive', compared: true, reason: ambiguityOf(ambiguous) }
  }
  const comparison = orderOf(held.map((one) => one.comparison))
  const silent = all.flatMap((one) => (held.includes(one) ? [] : silenceOf(one.claim, before)))
  const tolerated = tolerancesOf(silent, comparison, gasOf(claims, computed), profile)
  const common = { compared: true, comparison, ...(tolerated.length === 0 ? {} : { tolerated }) }
  const under = profile ?? assumedProfile
  if (under === undefined) return { status: 'match', ...common }
  return { status: 'match-profile', ...common, reason: `agrees under the profile ${under}` }
}

function ambiguityOf({ detail }: { readonly detail: string }): string {
  return `its answer can be read in more than one way: ${detail}`
}

/** Joins comparisons that agree: they can differ in the order of tags only. */
function orderOf(comparisons: readonly Comparison[]): Comparison {
  return {
    differences: [],
    cut: 0,
    tagOrderDiffers: comparisons.some(({ tagOrderDiffers }) => tagOrderDiffers),
    tagOrderBits: Math.max(0, ...comparisons.map(({ tagOrderBits }) => tagOrderBits))
  }
}

function tolerancesOf(
  silent: readonly ToleranceKind[],
  { tagOrderDiffers, tagOrderBits }: Comparison,
  gas: Tolerated | undefined,
  profile: string | undefined
): Tolerated[] {
  return [
    ...[...new Set(silent)].map((kind) => ({ kind, bits: 1 })),
    ...(tagOrderDiffers ? [{ kind: 'tag-order', bits: tagOrderBits } as const] : []),
    ...(gas === undefined ? [] : [gas]),
    ...(profile === undefined ? [] : [{ kind: 'instance-boundary', bits: 1 } as const])
  ]
}

/** Silence about used gas: a unit that leaves it out could have reported any number. */
function gasOf(claims: readonly Claim[], computed: EvaluationResult): Tolerated | undefined {
  const gas = Number(canonicalResult(computed).GasUsed ?? 0)
  if (!(gas > 0) || claims.some(({ covers }) => covers.includes('GasUsed'))) return undefined
  const kind = claims.some((claim) => claim.kind === 'result') ? 'gas-left-out' : 'gas-unlisted'
  return { kind, bits: Math.log2(gas + 1) }
}

/**
 * `/result` knows messages by id alone: for an id that was evaluated before (for example a push, then its assignment) an honest CU
 * gives the first result, whichever one was meant (§1.2, CU routes/result.js). Such an answer says nothing about the later evaluation.
 */
function repeatsFirst(claim: Claim, { firstOfMessage }: Before): boolean {
  return claim.kind === 'result' && firstOfMessage !== undefined && fingerprint(claim.value) === firstOfMessage
}

/** Why an answer says nothing about the evaluation. */
function silenceOf(claim: Claim, before: Before): ToleranceKind {
  return repeatsFirst(claim, before) ? 'repeated-answer' : 'checkpoint-answer'
}

/**
 * A unit that started from a checkpoint evaluates nothing for a request about the message right before it, and gives the empty
 * result (CU domain/lib/evaluate.js, the first `prev`). If a checkpoint with the computed memory lies there, such an answer says
 * nothing.
 */
function beganBehind({ kind, value }: Claim, { checkpointBehind = false }: Gate): boolean {
  return checkpointBehind && kind === 'result' && JSON.stringify(canonicalResult(value)) === EMPTY_TEXT
}

const REFUSED =
  'it says that the message failed, and here the message asked for more memory: a host without enough memory refuses it'

/**
 * Whether the unit claims a failure although the module received more memory here: the unit's host may have had too little. Some
 * modules report that in `Output` alone (§2.10).
 */
function saysRefused({ value }: Claim, { memoryGrew, outcome }: Evaluation): boolean {
  if (memoryGrew !== true || outcome.kind !== 'result' || canonicalResult(outcome.result).Error) return false
  const { Error: error, Output: output } = canonicalResult(value)
  return Boolean(error) || /memory/i.test(JSON.stringify(output))
}

const BEGAN_UNSEEN =
  'its answer is empty, and it claims nothing earlier: it may have started from a checkpoint right after it that no gateway lists'

/** As `beganBehind`, for a unit without any earlier claim: a checkpoint may exist although no gateway lists it. */
function mayHaveBegun({ claims, claimedBefore }: JudgeInput): boolean {
  if (claimedBefore !== false) return false
  return claims.every(({ kind, value }) => kind === 'result' && JSON.stringify(canonicalResult(value)) === EMPTY_TEXT)
}

/**
 * Errors are not listed (§2.1), and change no state: an honest unit says nothing about a cron that failed. Which crons a CU fires
 * depends on the blocks that it knew (profiles §1.9): it may not have evaluated another cron that it does not list, unless its own
 * checkpoint shows that it did.
 */
function judgeUnclaimed({ key }: Evaluation, computed: EvaluationResult, { cronShown }: Gate): EvaluationJudgement {
  if (key.cron === undefined) return { status: 'unclaimed', compared: false }
  if (canonicalResult(computed).Error) return { status: 'match', compared: false, failedCron: true }
  const judged: EvaluationJudgement = { status: 'unclaimed', compared: false }
  if (cronShown === true) return judged
  return {
    ...judged,
    stateUnsure: `it does not list the cron ${key.cron} after nonce ${key.ordinate}, and may not have fired it`
  }
}

function judgeDuplicate(input: JudgeInput, outcome: SkippedOutcome): EvaluationJudgement {
  const { claims, before, options } = input
  const what = `${outcome.reason === 'duplicate-push' ? 'a push' : 'an assignment'} that repeats nonce ${outcome.of}`
  const answers = claims.map((claim) => judgeSkipped(claim, outcome, before, options))
  const evaluated = answers.find((answer) => answer.kind === 'evaluated')
  if (evaluated !== undefined) {
    const reason = `it evaluated ${what}, as a unit that started from a checkpoint in between may do`
    const unsure = evaluated.stateKept ? {} : { stateUnsure: reason }
    return { status: 'inconclusive', compared: false, reason, unexplained: true, ...unsure }
  }
  const unknown = answers.find((answer) => answer.kind === 'unknown')
  if (unknown !== undefined) return { status: 'inconclusive', compared: false, reason: `${what}; ${unknown.why}` }
  const differing = answers.find((answer) => answer.kind === 'differs')
  if (differing !== undefined) {
    const reason = `${what}: no unit that skips it gives this answer`
    const judged = { compared: false, comparison: differing.comparison, unexplained: true } as const
    const { status, reason: kept } = blame(input)
    if (kept === undefined) return { ...judged, status, reason }
    return { ...judged, status, reason: kept, stateUnsure: `it may have evaluated ${what}` }
  }
  const ambiguous = claims.flatMap(({ faults = [] }) => faults).find(isAmbiguous)
  if (ambiguous !== undefined) {
    return { status: 'inconclusive', compared: false, reason: `${what}; ${ambiguityOf(ambiguous)}` }
  }
  const given = answers.find((answer) => answer.kind === 'agrees')
  if (given === undefined) return { status: 'skipped', compared: false, reason: what }
  const tolerated = [{ kind: 'duplicate-answer', bits: Math.log2(SKIPPED_ANSWERS) } as const]
  return { status: 'skipped', compared: false, reason: `${what}; answered with ${given.as}`, tolerated }
}

/** Applies the rules of accusation to a difference. */
function blame({ evaluation, gate, otherState }: JudgeInput): Pick<EvaluationJudgement, 'status' | 'reason'> {
  const accusal: Accusal = accuse({
    ...gate.evidence,
    ordinate: evaluation.key.ordinate,
    ...(otherState === undefined ? {} : { otherState: `the unit's state may honestly differ by then: ${otherState}` })
  })
  return accusal.attributable ? { status: 'mismatch' } : { status: 'inconclusive', reason: accusal.reason }
}

/** Compares the claimant's `/result` with its listings. A different order of tags is no contradiction: it may have evaluated twice. */
function findContradiction(claims: readonly Claim[], before: Before): Comparison | undefined {
  for (const result of ofKind(claims, 'result')) {
    if (repeatsFirst(result, before)) continue
    for (const listed of ofKind(claims, 'listed')) {
      const covers = listed.covers.filter((field) => result.covers.includes(field))
      const comparison = compareResult({ covers, value: result.value }, listed.value)
      if (!agrees(comparison)) return comparison
    }
  }
  return undefined
}

function ofKind(claims: readonly Claim[], kind: Claim['kind']): Claim[] {
  return claims.filter((claim) => claim.kind === kind)
}
