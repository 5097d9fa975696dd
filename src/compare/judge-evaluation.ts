/** One evaluation, and what one claimant says of it. */
import type { Claim, Evaluation, EvaluationResult } from '../records.ts'
import { canonicalResult } from './canonical.ts'
import { type Before, fingerprint } from './history.ts'
import { agrees, type ComparisonOptions, compareResult } from './result.ts'
import { judgeSkipped, type SkippedOutcome } from './skipped.ts'
import type { Comparison, EvaluationStatus, Gate } from './types.ts'

/** What came out for one evaluation and one claimant. */
export interface Judged {
  readonly status: EvaluationStatus
  /** Whether a claim was held against the result computed for this evaluation. */
  readonly compared: boolean
  /** A cron that failed, of which nothing is claimed: no unit lists it. */
  readonly failedCron?: true
  /** The first claim's that does not agree; for an agreeing one only `tagOrderDiffers` is of interest. */
  readonly comparison?: Comparison
  /** Why, for all but plain matches and mismatches of fields. */
  readonly reason?: string
  /** The claimant's `/result` and `/results` differ from each other. */
  readonly contradiction?: Comparison
  /** Why the claimant's state after it may honestly be another than the one computed here. */
  readonly stateUnsure?: string
}

export interface JudgeInput {
  readonly evaluation: Evaluation
  /** Of one claimant, about this evaluation. */
  readonly claims: readonly Claim[]
  readonly before: Before
  readonly gate: Gate
  readonly options: ComparisonOptions
}

/**
 * Judges what one claimant says of one evaluation.
 *
 * - `match`: something is claimed and all of it agrees; `match-profile` where the result is that of another profile
 * - `mismatch`: a claim differs and the gate allows to say so; otherwise `inconclusive` with the gate's reason
 * - `skipped`: the CU's rules skip it, and what is claimed is what an honest CU may answer then, or nothing
 * - `unclaimed`: evaluated here, but nothing is claimed
 */
export function judgeEvaluation(input: JudgeInput): Judged {
  const { outcome } = input.evaluation
  // What a memory hash says is judged beside results; results come first, then listings.
  const claims = [...ofKind(input.claims, 'result'), ...ofKind(input.claims, 'listed')]
  if (outcome.kind === 'skipped') return judgeDuplicate({ ...input, claims }, outcome)
  const judged: Judged =
    outcome.kind === 'result'
      ? judgeResult({ ...input, claims }, outcome.result, outcome.profile)
      : { status: 'inconclusive', compared: false, reason: outcome.reason }
  const contradiction = findContradiction(claims, input.before)
  return contradiction === undefined ? judged : { ...judged, contradiction }
}

function judgeResult(
  { evaluation, claims, before, gate, options }: JudgeInput,
  computed: EvaluationResult,
  profile: string | undefined
): Judged {
  const comparisons = claims
    .map((claim) => ({ claim, comparison: compareResult(claim, computed, options) }))
    .filter(({ claim, comparison }) => agrees(comparison) || !repeatsFirst(claim, before))
    .map(({ comparison }) => comparison)
  if (comparisons.length === 0) return judgeUnclaimed(evaluation, computed, gate)
  const differing = comparisons.find((comparison) => !agrees(comparison))
  if (differing !== undefined) return { ...accuse(gate, before), compared: true, comparison: differing }
  const comparison = { differences: [], cut: 0, tagOrderDiffers: comparisons.some(({ tagOrderDiffers }) => tagOrderDiffers) }
  if (profile === undefined) return { status: 'match', compared: true, comparison }
  return { status: 'match-profile', compared: true, comparison, reason: `agrees under the profile ${profile}` }
}

/**
 * `/result` knows messages by id alone: of an id that was evaluated before (a push, then its assignment, say) an honest CU gives
 * the first result, whichever was meant (§1.2, CU routes/result.js). Such an answer says nothing of the later evaluation.
 */
function repeatsFirst(claim: Claim, { firstOfMessage }: Before): boolean {
  return claim.kind === 'result' && firstOfMessage !== undefined && fingerprint(claim.value) === firstOfMessage
}

/**
 * Errors are not listed (§2.1), and change no state: that a unit says nothing of a cron that failed is what an honest one does.
 * Which crons a CU fires depends on the blocks that it knew (execution-profile): another one that it does not list it may not have
 * evaluated, unless its own checkpoint shows that it did.
 */
function judgeUnclaimed({ key }: Evaluation, computed: EvaluationResult, { cronShown }: Gate): Judged {
  if (key.cron === undefined) return { status: 'unclaimed', compared: false }
  if (canonicalResult(computed).Error) return { status: 'match', compared: false, failedCron: true }
  const judged: Judged = { status: 'unclaimed', compared: false }
  if (cronShown === true) return judged
  return {
    ...judged,
    stateUnsure: `it does not list the cron ${key.cron} after nonce ${key.ordinate}, and may not have fired it`
  }
}

function judgeDuplicate({ claims, before, gate, options }: JudgeInput, outcome: SkippedOutcome): Judged {
  const what = `${outcome.reason === 'duplicate-push' ? 'a push' : 'an assignment'} that repeats nonce ${outcome.of}`
  const answers = claims.map((claim) => judgeSkipped(claim, outcome, before, options))
  const evaluated = answers.find((answer) => answer.kind === 'evaluated')
  if (evaluated !== undefined) {
    const reason = `it evaluated ${what}, as a unit may that started from a checkpoint in between`
    return { status: 'inconclusive', compared: false, reason, ...(evaluated.stateKept ? {} : { stateUnsure: reason }) }
  }
  if (answers.some(({ kind }) => kind === 'unknown')) {
    return { status: 'inconclusive', compared: false, reason: `${what}, and what came before was not evaluated here` }
  }
  const differing = answers.find((answer) => answer.kind === 'differs')
  if (differing !== undefined) {
    const reason = `${what}: no unit that skips it answers this`
    const { status, reason: gated } = accuse(gate, before)
    const judged: Judged = { status, compared: false, comparison: differing.comparison, reason: gated ?? reason }
    return gated === undefined ? judged : { ...judged, stateUnsure: `it may have evaluated ${what}` }
  }
  const given = answers.find((answer) => answer.kind === 'agrees')
  return { status: 'skipped', compared: false, reason: given === undefined ? what : `${what}; answered with ${given.as}` }
}

function accuse(gate: Gate, { crons }: Before): { readonly status: EvaluationStatus; readonly reason?: string } {
  if (!gate.accusable)
    return { status: 'inconclusive', reason: gate.reason ?? 'what it depends on is not complete and verified' }
  if (gate.blocksKnown ?? !crons) return { status: 'mismatch' }
  return { status: 'inconclusive', reason: 'which blocks the unit knew when crons fired is not known' }
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
