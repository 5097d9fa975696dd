/** The findings about a judged evaluation. */

import type { Finding } from '../model/findings.ts'
import type { Claim, ClaimUnavailable, Evaluation } from '../model/records.ts'
import { defined } from '../util/defined.ts'
import type { Comparison } from './comparison.ts'
import type { EvaluationJudgement } from './judge-evaluation.ts'
import { evaluationName, type Tally } from './tally.ts'

/** For each claim. */
const FAULTS_SHOWN = 4

/**
 * The findings of one evaluation of one claimant.
 *
 * @param claims the claimant's own claims about it
 * @param unavailable answers of the claimant's `/result` that are no result
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
  const place = placeOf(evaluation)
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
    const detail = `${place}no unit writes an answer like this one (${kind}${path === '' ? '' : ` at ${path}`}): ${what}`
    found.push({ code: 'CLAIM_FAULTY', severity: 'warning', ...unit, detail })
  }
  if (outcome.kind === 'skipped') {
    const detail = `${place}${reason ?? 'the rules of the unit skip it'}`
    found.push({ code: 'DUPLICATE_SKIPPED', severity: 'info', attribution: 'process', ...about, detail })
  }
  for (const { status: answered, unread, detail: words } of unavailable) {
    if (unread === true) {
      const detail = `${place}the answer of /result could not be read: ${words}`
      found.push({ code: 'ANSWER_NOT_READ', severity: 'warning', ...unit, detail })
      continue
    }
    const severity = claims.length > 0 || outcome.kind === 'skipped' ? 'info' : 'warning'
    const detail = `${place}/result answered ${answered}${words === '' ? '' : `, ${words}`}`
    found.push({ code: 'RESULT_UNAVAILABLE', severity, ...unit, detail })
  }
  return found
}

/** The part of the place that the finding's nonce does not show. */
function placeOf(evaluation: Evaluation): string {
  const { nonce, through } = evaluation
  if (nonce === undefined) return `${evaluationName(evaluation)}: `
  return through === undefined ? '' : `up to nonce ${through}: `
}

/** The finding of a claim about an evaluation that is not planned. */
export function unmatchedFinding({ claimant, key, messageId }: Claim): Finding {
  const what = key.cron === undefined ? `nonce ${key.ordinate}` : `a cron ${key.cron} after nonce ${key.ordinate}`
  const says = messageId === undefined ? 'it lists' : `its answer for message ${messageId} names`
  const detail = `${says} ${what} at ${key.timestamp} ms, which the schedule does not have`
  return { code: 'CLAIM_UNMATCHED', severity: 'warning', attribution: 'compute-unit', claimant, key, detail }
}

/** One finding for all listed crons after the end of the range; none if there are none. */
export function behindEndFindings(claimant: string, count: number): Finding[] {
  if (count === 0) return []
  const crons = `${count} ${count === 1 ? 'cron' : 'crons'}`
  const detail = `it lists ${crons} after the end of the range, which are not judged because only a later message bounds them`
  return [{ code: 'CRONS_BEHIND_RANGE', severity: 'info', attribution: 'auditor', claimant, count, detail }]
}

/** One finding for all evaluations that agree except for the order of tags; none if there are none. */
export function tagOrderFindings(claimant: string, tagOrder: ReturnType<Tally['tagOrder']>): Finding[] {
  if (tagOrder === undefined) return []
  const { count, first } = tagOrder
  const about = { claimant, key: first.key, ...defined({ nonce: first.nonce }), count }
  const place = first.nonce === undefined ? evaluationName(first) : 'this nonce'
  const detail = `the order of tags differs, first at ${place}: it depends on inputs of the execution profile`
  return [{ code: 'TAG_ORDER_DIFFERS', severity: 'info', attribution: 'auditor', ...about, detail }]
}

function inWords(comparison: Comparison | undefined): string {
  const [first, ...others] = comparison?.differences ?? []
  const more = others.length + (comparison?.cut ?? 0)
  if (first?.path === '') return 'the answer is not an object'
  return `${first?.path ?? 'the result'} differs${more === 0 ? '' : `, and ${more} more`}`
}
