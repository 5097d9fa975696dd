/** One evaluation, and what one claimant says of it. */
import { type Accusal, accuse } from '../attribution/rules.ts'
import { type Claim, type Evaluation, type EvaluationResult, isAmbiguous } from '../model/records.ts'
import { canonicalResult, EMPTY_RESULT } from './canonical.ts'
import type { Comparison, EvaluationStatus, Gate, ToleranceKind } from './comparison.ts'
import { type Before, fingerprint } from './history.ts'
import { agrees, type ComparisonOptions, compareResult } from './result.ts'
import { judgeSkipped, type SkippedOutcome } from './skipped.ts'

/** What came out for one evaluation and one claimant. */
export interface EvaluationJudgement {
  readonly status: EvaluationStatus
  /** Whether a claim was held against the result computed for this evaluation. */
  readonly compared: boolean
  /** The unit gave an answer about it that could not be read. */
  readonly unread?: true
  /** A cron that failed, of which nothing is claimed: no unit lists it. */
  readonly failedCron?: true
  /** The first claim's that does not agree; for an agreeing one only the order of tags is of interest. */
  readonly comparison?: Comparison
  /** Why, for all but plain matches and mismatches of fields. */
  readonly reason?: string
  /** The claimant's `/result` and `/results` differ from each other. */
  readonly contradiction?: Comparison
  /** Why the claimant's state after it may honestly be another than the one computed here. */
  readonly stateUnsure?: string
  /** What is claimed is not what was computed, or shows another history: an explanation is to be looked for. */
  readonly unexplained?: true
  readonly tolerated?: readonly Tolerated[]
}

export interface Tolerated {
  readonly kind: ToleranceKind
  readonly bits: number
}

export interface JudgeInput {
  readonly evaluation: Evaluation
  /** Of one claimant, about this evaluation. */
  readonly claims: readonly Claim[]
  /** Why an answer of the claimant could not be read, where there is one. */
  readonly unread?: string
  readonly before: Before
  readonly gate: Gate
  /** Why the claimant's state may honestly be another by now. */
  readonly otherState?: string
  /** Whether the claimant claimed anything of an earlier evaluation; undefined where that is not known. */
  readonly claimedBefore?: boolean
  readonly options: ComparisonOptions
  /** The profile of the replay, where it is assumed. */
  readonly assumedProfile?: string
}

const EMPTY_TEXT = JSON.stringify(canonicalResult(EMPTY_RESULT))
/** One of the empty result, the one before, and the first one of the message or of its twin. */
const SKIPPED_ANSWERS = 4

/**
 * Judges what one claimant says of one evaluation.
 *
 * - `match`: something is claimed and all of it agrees; `match-profile` where the result is that of another profile
 * - `mismatch`: a claim differs and every rule of accusation holds; otherwise `inconclusive` with the reason of the first that does not
 * - `skipped`: the CU's rules skip it, and what is claimed is what an honest CU may answer then, or nothing
 * - `unclaimed`: evaluated here, but nothing is claimed
 *
 * Where an answer could not be read, what is read elsewhere may be the truth beside a lie: it is `inconclusive` at best.
 */
export function judgeEvaluation(input: JudgeInput): EvaluationJudgement {
  const judged = judgeRead(input)
  if (input.unread === undefined) return judged
  if (judged.status === 'mismatch' || judged.status === 'inconclusive') return { ...judged, unread: true }
  return { ...judged, status: 'inconclusive', reason: `its answer could not be read: ${input.unread}`, unread: true }
}

/** By what was read. */
function judgeRead(input: JudgeInput): EvaluationJudgement {
  const { outcome } = input.evaluation
  // What a memory hash says is judged beside results; results come first, then listings.
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

/** Of comparisons that agree nothing is left but the order of tags. */
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

/** Silence about gas that was used: whoever leaves it out could have said any number. */
function gasOf(claims: readonly Claim[], computed: EvaluationResult): Tolerated | undefined {
  const gas = Number(canonicalResult(computed).GasUsed ?? 0)
  if (!(gas > 0) || claims.some(({ covers }) => covers.includes('GasUsed'))) return undefined
  const kind = claims.some((claim) => claim.kind === 'result') ? 'gas-left-out' : 'gas-unlisted'
  return { kind, bits: Math.log2(gas + 1) }
}

/**
 * `/result` knows messages by id alone: of an id that was evaluated before (a push, then its assignment, say) an honest CU gives
 * the first result, whichever was meant (§1.2, CU routes/result.js). Such an answer says nothing of the later evaluation.
 */
function repeatsFirst(claim: Claim, { firstOfMessage }: Before): boolean {
  return claim.kind === 'result' && firstOfMessage !== undefined && fingerprint(claim.value) === firstOfMessage
}

/** Why an answer says nothing of the evaluation. */
function silenceOf(claim: Claim, before: Before): ToleranceKind {
  return repeatsFirst(claim, before) ? 'repeated-answer' : 'checkpoint-answer'
}

/**
 * A unit that began with the memory of a checkpoint and is asked for the message right before it evaluates nothing, and gives the
 * empty result (CU domain/lib/evaluate.js, the first `prev`). Where a checkpoint lies whose memory is the computed one, such an answer
 * says nothing.
 */
function beganBehind({ kind, value }: Claim, { checkpointBehind = false }: Gate): boolean {
  return checkpointBehind && kind === 'result' && JSON.stringify(canonicalResult(value)) === EMPTY_TEXT
}

const REFUSED = 'it says that the message failed, which here asked for more memory: a host that has none refuses it'

/**
 * Whether the claim is a failure where the module was given more memory: a unit's host may not have had it. Some modules say so in
 * `Output` alone (§2.10).
 */
function saysRefused({ value }: Claim, { memoryGrew, outcome }: Evaluation): boolean {
  if (memoryGrew !== true || outcome.kind !== 'result' || canonicalResult(outcome.result).Error) return false
  const { Error: error, Output: output } = canonicalResult(value)
  return Boolean(error) || /memory/i.test(JSON.stringify(output))
}

const BEGAN_UNSEEN =
  'it answers nothing, and claims nothing before it: it may have begun with the memory right behind, of a checkpoint that no gateway lists'

/** As `beganBehind`, of a unit that says nothing else of what came before: that no gateway lists a checkpoint proves nothing. */
function mayHaveBegun({ claims, claimedBefore }: JudgeInput): boolean {
  if (claimedBefore !== false) return false
  return claims.every(({ kind, value }) => kind === 'result' && JSON.stringify(canonicalResult(value)) === EMPTY_TEXT)
}

/**
 * Errors are not listed (§2.1), and change no state: that a unit says nothing of a cron that failed is what an honest one does.
 * Which crons a CU fires depends on the blocks that it knew (profiles §1.9): another one that it does not list it may not have
 * evaluated, unless its own checkpoint shows that it did.
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
    const reason = `it evaluated ${what}, as a unit may that started from a checkpoint in between`
    const unsure = evaluated.stateKept ? {} : { stateUnsure: reason }
    return { status: 'inconclusive', compared: false, reason, unexplained: true, ...unsure }
  }
  const unknown = answers.find((answer) => answer.kind === 'unknown')
  if (unknown !== undefined) return { status: 'inconclusive', compared: false, reason: `${what}; ${unknown.why}` }
  const differing = answers.find((answer) => answer.kind === 'differs')
  if (differing !== undefined) {
    const reason = `${what}: no unit that skips it answers this`
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

/** Holds a difference against the rules of accusation. */
function blame({ evaluation, gate, otherState }: JudgeInput): Pick<EvaluationJudgement, 'status' | 'reason'> {
  const accusal: Accusal = accuse({
    ...gate.evidence,
    ordinate: evaluation.key.ordinate,
    ...(otherState === undefined ? {} : { otherState: `the unit's state may honestly be another by then: ${otherState}` })
  })
  return accusal.attributable ? { status: 'mismatch' } : { status: 'inconclusive', reason: accusal.reason }
}

/** Holds the claimant's `/result` against its listings. Another order of tags is none: it may have evaluated twice. */
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
