/** What is to be said of a judged evaluation, as findings. */

import type { Finding } from '../model/findings.ts'
import type { Claim, ClaimUnavailable, Evaluation } from '../model/records.ts'
import { defined } from '../util/defined.ts'
import type { Comparison } from './comparison.ts'
import type { EvaluationJudgement } from './judge-evaluation.ts'
import { evaluationName, type Tally } from './tally.ts'

/** Of one claim. */
const FAULTS_SHOWN = 4

/**
 * The findings of one evaluation of one claimant.
 *
 * @param claims of the claimant about it
 * @param unavailable what the claimant's `/result` answered in place of a result
 */
export function findingsOf(
  claimant: string,
  evaluation: Evaluation,
  judged: EvaluationJudgement,
  claims: readonly Claim[],
  unavailable: readonly ClaimUnavailable[]
): Finding[] {
  const { key, nonce, outcome } = evaluation
  const { status, comparison, contradiction, reason } = judged
  const about = { claimant, key, ...defined({ nonce }) }
  const unit = { attribution: 'compute-unit', ...about } as const
  // What has a nonce of its own is placed by it.
  const place = nonce === undefined || evaluation.through !== undefined ? `${evaluationName(evaluation)}: ` : ''
  const found: Finding[] = []
  if (status === 'mismatch') {
    found.push({ code: 'RESULT_MISMATCH', severity: 'error', ...unit, detail: `${place}${reason ?? inWords(comparison)}` })
  }
  if (contradiction !== undefined) {
    // Several machines may answer at one URL, each of them honest.
    const detail = `${place}/result and /results do not agree, ${inWords(contradiction)}; one URL may be several machines`
    found.push({ code: 'CLAIMANT_CONTRADICTS_ITSELF', severity: 'warning', ...unit, detail })
  }
  for (const { kind, path, detail: what } of claims.flatMap(({ faults = [] }) => faults.slice(0, FAULTS_SHOWN))) {
    const detail = `${place}its answer is not one that a unit writes (${kind}${path === '' ? '' : ` at ${path}`}): ${what}`
    found.push({ code: 'CLAIM_FAULTY', severity: 'warning', ...unit, detail })
  }
  if (outcome.kind === 'skipped') {
    const detail = `${place}${reason ?? 'left out by the rules of the unit'}`
    found.push({ code: 'DUPLICATE_SKIPPED', severity: 'info', attribution: 'process', ...about, detail })
  }
  for (const { status: answered, unread, detail: words } of unavailable) {
    if (unread === true) {
      const detail = `${place}/result answered, but not so that it could be read: ${words}`
      found.push({ code: 'ANSWER_NOT_READ', severity: 'warning', ...unit, detail })
      continue
    }
    const severity = claims.length > 0 || outcome.kind === 'skipped' ? 'info' : 'warning'
    const detail = `${place}/result answered ${answered}${words === '' ? '' : `, ${words}`}`
    found.push({ code: 'RESULT_UNAVAILABLE', severity, ...unit, detail })
  }
  return found
}

/** The finding of a claim about an evaluation that is not planned. */
export function unmatchedFinding({ claimant, key, messageId }: Claim): Finding {
  const what = key.cron === undefined ? `nonce ${key.ordinate}` : `a cron ${key.cron} after nonce ${key.ordinate}`
  const says = messageId === undefined ? 'it lists' : `it answers for message ${messageId} as`
  const detail = `${says} ${what} at ${key.timestamp} ms, which the schedule does not have`
  return { code: 'CLAIM_UNMATCHED', severity: 'warning', attribution: 'compute-unit', claimant, key, detail }
}

/** The one finding of all listed crons behind the range's end; none where there are none. */
export function behindEndFindings(claimant: string, count: number): Finding[] {
  if (count === 0) return []
  const detail = `it lists ${count} ${count === 1 ? 'cron' : 'crons'} behind the range's end, which only a later message bounds: not judged`
  return [{ code: 'CRONS_BEHIND_RANGE', severity: 'info', attribution: 'auditor', claimant, count, detail }]
}

/** The one finding of all evaluations that agree but for the order of tags; none where there are none. */
export function tagOrderFindings(claimant: string, tagOrder: ReturnType<Tally['tagOrder']>): Finding[] {
  if (tagOrder === undefined) return []
  const { count, first } = tagOrder
  const about = { claimant, key: first.key, ...defined({ nonce: first.nonce }), count }
  const detail = `tags come in another order, first at ${evaluationName(first)}: inputs of the execution profile decide it`
  return [{ code: 'TAG_ORDER_DIFFERS', severity: 'info', attribution: 'auditor', ...about, detail }]
}

function inWords(comparison: Comparison | undefined): string {
  const [first, ...others] = comparison?.differences ?? []
  const more = others.length + (comparison?.cut ?? 0)
  if (first?.path === '') return 'the answer as a whole is no object'
  return `${first?.path ?? 'the result'} differs${more === 0 ? '' : `, and ${more} more`}`
}
