/** Counts of a claimant's evaluations, and the verdict that follows from them. */
import type { Evaluation } from '../records.ts'
import type { Judged } from './judge-evaluation.ts'
import type { Gate, JudgedCoverage, Verdict } from './types.ts'

export interface Tally {
  /** @param inputs what is known of them: whether all were checked, what was taken on trust */
  count(evaluation: Evaluation, judged: Judged, inputs: Pick<Gate, 'verified' | 'trusted'>): void
  /** A claim about an evaluation that is not planned. */
  countUnmatched(): void
  coverage(): JudgedCoverage
  verdict(): Verdict
  /** Why not a plain match, in words. */
  reasons(): string[]
  /** How many agree but for the order of tags, and the first of them. */
  tagOrder(): { readonly count: number; readonly first: Evaluation } | undefined
}

const NOTHING_COMPARED = 'nothing could be compared'

export function createTally(): Tally {
  const coverage = { scheduled: 0, cron: 0, evaluated: 0, compared: 0, skipped: 0, unclaimed: 0, unverified: 0 }
  const counts = { mismatch: 0, trusted: 0, profile: 0, inconclusive: 0, unmatched: 0, tagOrder: 0, failedCron: 0 }
  let firstMismatch: Evaluation | undefined
  let firstTrusted = ''
  let firstTagOrder: Evaluation | undefined
  let firstInconclusive = ''

  return {
    count(evaluation, { status, compared, failedCron, comparison, reason }, { verified = true, trusted }) {
      const { key, nonce, outcome } = evaluation
      if (nonce !== undefined) coverage.scheduled++
      if (key.cron !== undefined) coverage.cron++
      if (outcome.kind === 'result') coverage.evaluated++
      if (outcome.kind === 'skipped') coverage.skipped++
      if (compared) coverage.compared++
      if (status === 'unclaimed') coverage.unclaimed++
      if (failedCron === true) counts.failedCron++
      if (!verified) coverage.unverified++
      if (status === 'match-profile') counts.profile++
      if (status === 'mismatch') {
        counts.mismatch++
        firstMismatch ??= evaluation
        if (trusted !== undefined && counts.trusted++ === 0) firstTrusted = `${evaluationName(evaluation)}: ${trusted}`
      } else if (status === 'inconclusive') {
        if (counts.inconclusive++ === 0) firstInconclusive = `${evaluationName(evaluation)}: ${reason ?? 'unknown'}`
      } else if (comparison?.tagOrderDiffers === true) {
        counts.tagOrder++
        firstTagOrder ??= evaluation
      }
    },
    countUnmatched: () => counts.unmatched++,
    coverage: () => ({ ...coverage }),
    verdict() {
      if (counts.mismatch > 0) return 'mismatch'
      return counts.inconclusive > 0 || counts.unmatched > 0 || coverage.compared === 0 ? 'inconclusive' : 'match'
    },
    reasons() {
      const first = firstMismatch === undefined ? '' : `, the first at ${evaluationName(firstMismatch)}`
      return [
        ...counted(counts.mismatch, `what is claimed differs from what was computed${first}`),
        ...counted(counts.trusted, `differs over what was taken on trust, the first at ${firstTrusted}`),
        ...counted(counts.inconclusive, `no verdict, the first at ${firstInconclusive}`),
        ...(coverage.compared === 0 ? [NOTHING_COMPARED] : []),
        ...counted(counts.unmatched, 'listed by the unit, but not in the schedule'),
        ...counted(coverage.unclaimed, 'nothing is claimed'),
        ...counted(counts.failedCron, 'a cron that failed, which no unit lists'),
        ...counted(counts.profile, 'agrees under another execution profile'),
        ...counted(counts.tagOrder, 'agrees but for the order of tags')
      ]
    },
    tagOrder: () => (firstTagOrder === undefined ? undefined : { count: counts.tagOrder, first: firstTagOrder })
  }
}

/** An evaluation's name in a sentence. */
export function evaluationName({ key, nonce }: Pick<Evaluation, 'key' | 'nonce'>): string {
  if (key.cron !== undefined) return `cron ${key.cron} after nonce ${key.ordinate}`
  return nonce === undefined ? 'the process message' : `nonce ${nonce}`
}

function counted(count: number, what: string): string[] {
  return count === 0 ? [] : [`${count} ${count === 1 ? 'evaluation' : 'evaluations'}: ${what}`]
}
