/** Counts a claimant's evaluations, and derives the verdict. */

import { type Evaluation, type EvaluationKey, spanOf } from '../model/records.ts'
import { counted as numbered } from '../util/counted.ts'
import { defined } from '../util/defined.ts'
import type { Gate, JudgedCoverage, Tolerance, Verdict } from './comparison.ts'
import type { EvaluationJudgement } from './judge-evaluation.ts'
import { createNonceRanges } from './nonce-ranges.ts'
import { createTolerances, type Tolerances } from './tolerances.ts'

export interface Tally {
  /** @param inputs whether all inputs were checked, and which were taken on trust */
  count(evaluation: Evaluation, judged: EvaluationJudgement, inputs: Pick<Gate, 'verified' | 'trusted'>): void
  /** A claim about an evaluation that is not planned. */
  countUnmatched(): void
  coverage(): JudgedCoverage
  verdict(): Verdict
  /** Why it is not a plain match, in words. */
  reasons(): string[]
  /** Those of the reasons that did not decide the verdict. */
  remarks(): string[]
  tolerances(): readonly Tolerance[]
  /** How many agree except for the order of tags, and the first of them. */
  tagOrder(): { readonly count: number; readonly first: Evaluation } | undefined
  unexplained(): EvaluationKey | null
}

export interface TallyOptions {
  /** The percentage of answerable evaluations that must be claimed for a match. */
  readonly minCoveragePercent: number
  /** How many explanations a unit may need in all. */
  readonly maxExplanations: number
  /** Explanations that the replay assumed from the start. */
  readonly given: readonly Tolerance[]
}

/** A match covers the whole range, and needs no more explanations than an honest unit plausibly does. */
export const STRICT_TALLY: TallyOptions = { minCoveragePercent: 100, maxExplanations: 8, given: [] }

/** A reason, and the verdict that it leads to; none if it is only information. */
interface VerdictReason {
  readonly text: string
  readonly makes?: 'mismatch' | 'inconclusive'
}

const NOTHING_COMPARED = 'nothing could be compared'

export function createTally({ minCoveragePercent, maxExplanations, given }: TallyOptions = STRICT_TALLY): Tally {
  const coverage = { scheduled: 0, cron: 0, evaluated: 0, compared: 0, skipped: 0, unclaimed: 0, unread: 0, unverified: 0 }
  const counts = {
    mismatch: 0,
    trusted: 0,
    profile: 0,
    inconclusive: 0,
    unmatched: 0,
    tagOrder: 0,
    gasless: 0,
    failedCron: 0
  }
  const tolerances: Tolerances = createTolerances(given)
  const silent = createNonceRanges()
  let firstMismatch: Evaluation | undefined
  let firstTrusted = ''
  let firstTagOrder: Evaluation | undefined
  let firstInconclusive = ''
  let unexplained: EvaluationKey | null = null

  const coveredPercent = () => (100 * coverage.compared) / Math.max(1, coverage.compared + coverage.unclaimed)
  const leavesOut = () => coverage.unclaimed > 0 && coveredPercent() < minCoveragePercent
  const isStrained = () => tolerances.explanations() > maxExplanations

  function verdict(): Verdict {
    if (counts.mismatch > 0) return 'mismatch'
    const open = counts.inconclusive > 0 || counts.unmatched > 0 || counts.gasless > 0
    return open || coverage.compared === 0 || leavesOut() || isStrained() ? 'inconclusive' : 'match'
  }

  function said(): VerdictReason[] {
    const first = firstMismatch === undefined ? '' : `, the first at ${evaluationName(firstMismatch)}`
    const needed = numbered(tolerances.explanations(), 'explanation')
    const strained = `the unit needs ${needed}, more than the ${maxExplanations} that are allowed (--max-explanations)`
    return [
      ...counted(counts.mismatch, `the claim differs from the computed result${first}`, 'mismatch'),
      ...counted(counts.trusted, `differs over inputs taken on trust, the first at ${firstTrusted}`, 'mismatch'),
      ...counted(counts.inconclusive, `no verdict, the first at ${firstInconclusive}`, 'inconclusive'),
      ...(coverage.compared === 0 ? [{ text: NOTHING_COMPARED, makes: 'inconclusive' } as const] : []),
      ...counted(counts.unmatched, 'listed by the unit, but not in the schedule', 'inconclusive'),
      ...counted(coverage.unclaimed, `nothing is claimed (${silent.text()})`, leavesOut() ? 'inconclusive' : undefined),
      ...counted(counts.failedCron, 'a cron that failed, which no unit lists'),
      ...counted(counts.gasless, 'its answer leaves out the gas that was used', 'inconclusive'),
      ...(isStrained() ? [{ text: strained, makes: 'inconclusive' } as const] : []),
      ...counted(counts.profile, 'agrees under another execution profile'),
      ...counted(counts.tagOrder, 'agrees except for the order of tags')
    ]
  }

  return {
    count(evaluation, judged, { verified = true, trusted }) {
      const { key, nonce, outcome } = evaluation
      const { status, compared, comparison, reason } = judged
      const span = spanOf(evaluation)
      if (nonce !== undefined) coverage.scheduled += span
      if (key.cron !== undefined) coverage.cron++
      if (outcome.kind === 'result') coverage.evaluated++
      if (outcome.kind === 'skipped') coverage.skipped++
      if (compared) coverage.compared++
      if (status === 'unclaimed') {
        coverage.unclaimed++
        silent.add(key)
      }
      if (judged.unread === true) coverage.unread++
      if (judged.failedCron === true) counts.failedCron++
      if (!verified) coverage.unverified += span
      if (status === 'match-profile') counts.profile++
      if (judged.unexplained === true) unexplained ??= key
      for (const one of judged.tolerated ?? []) {
        tolerances.add(one, key)
        if (one.kind === 'gas-left-out') counts.gasless++
      }
      if (status === 'mismatch') {
        counts.mismatch++
        firstMismatch ??= evaluation
        if (trusted !== undefined && counts.trusted++ === 0) firstTrusted = `${evaluationName(evaluation)}: ${trusted}`
      } else if (status === 'inconclusive') {
        if (counts.inconclusive === 0) firstInconclusive = `${evaluationName(evaluation)}: ${reason ?? 'unknown'}`
        counts.inconclusive += span
      } else if (comparison?.tagOrderDiffers === true) {
        counts.tagOrder++
        firstTagOrder ??= evaluation
      }
    },
    countUnmatched: () => counts.unmatched++,
    coverage: () => ({ ...coverage }),
    verdict,
    reasons: () => said().map(({ text }) => text),
    remarks: () => said().flatMap(({ text, makes }) => (makes === verdict() ? [] : text)),
    tolerances: () => tolerances.all(),
    tagOrder: () => (firstTagOrder === undefined ? undefined : { count: counts.tagOrder, first: firstTagOrder }),
    unexplained: () => unexplained
  }
}

/** An evaluation's name in a sentence. */
export function evaluationName({ key, nonce, through }: Pick<Evaluation, 'key' | 'nonce' | 'through'>): string {
  if (key.cron !== undefined) return `cron ${key.cron} after nonce ${key.ordinate}`
  if (through !== undefined) return `nonces ${nonce} to ${through}`
  return nonce === undefined ? 'the process message' : `nonce ${nonce}`
}

function counted(count: number, what: string, makes?: VerdictReason['makes']): VerdictReason[] {
  if (count === 0) return []
  return [{ text: `${numbered(count, 'evaluation')}: ${what}`, ...defined({ makes }) }]
}
