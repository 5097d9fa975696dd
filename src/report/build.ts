/** Assembles the report from what the audit found out. It joins, sorts and bounds; what is true was decided before. */
import { RULE_NAMES } from '../attribution/rules.ts'
import type { Judgement, Verdict } from '../compare/comparison.ts'
import type { Finding, Severity } from '../model/findings.ts'
import type { EvaluationKey } from '../model/records.ts'
import { defined } from '../util/defined.ts'
import { boundDivergence, boundEvaluation, boundText, MAX_DIFFERENCES, MAX_EVALUATIONS, MAX_FINDINGS } from './bounds.ts'
import { withDigest } from './digest.ts'
import type { ClaimantReport, Coverage, FirstDivergence, Report, ReportedEvaluation } from './model.ts'

/** Differences in one report, over all its evaluations. */
const MAX_TOTAL_DIFFERENCES = 1_000

const NOTHING_COMPARED = 'nothing could be compared'
const SEVERITIES: readonly Severity[] = ['error', 'warning', 'info']

/** A claimant and what was judged of it. */
export interface ClaimantParts extends Judgement, Pick<ClaimantReport, 'kind' | 'audited' | 'address' | 'profile'> {}

/** What the audit hands in: the report's own parts as they are, and what is joined to them. */
export interface ReportParts
  extends Pick<
    Report,
    | 'date'
    | 'inputsDigest'
    | 'processId'
    | 'process'
    | 'range'
    | 'start'
    | 'trusted'
    | 'unreachable'
    | 'notChecked'
    | 'checkpoints'
    | 'profile'
    | 'stateHashes'
    | 'tool'
    | 'timings'
  > {
  /** What was planned and run, whatever anybody claims of it; stands where no CU is audited. */
  readonly coverage: Coverage
  /** Why the audit as a whole can state no match, in words: a schedule with a gap, an input that nobody has. */
  readonly inconclusive: readonly string[]
  readonly claimants: readonly ClaimantParts[]
  /** Those about no single claimant. */
  readonly findings: readonly Finding[]
}

/**
 * Assembles a report.
 *
 * The verdict is the worst of the audited claimants'; a match becomes inconclusive where `parts.inconclusive` has a reason, where
 * nobody is audited, or where an audited claimant's match rests on no comparison at all.
 *
 * @param parts plain data; not changed
 * @returns a report bounded in evaluations, differences, findings and the length of values, each cut counted
 */
export function buildReport(parts: ReportParts): Report {
  const audited = parts.claimants.filter((claimant) => claimant.audited)
  const atBest: Verdict = audited.length === 0 || parts.inconclusive.length > 0 ? 'inconclusive' : 'match'
  const verdict = worst([atBest, ...audited.map(soundVerdict)])
  const coverage = audited.length === 0 ? parts.coverage : worstCoverage(audited.map((claimant) => claimant.coverage))
  const claimants = [...audited, ...parts.claimants.filter((claimant) => !claimant.audited)]
  const evaluations = claimants
    .flatMap((claimant) => claimant.evaluations)
    .sort((left, right) => compareOrder(left.key, right.key))
  const said = reasonsOf(parts, audited, verdict)
  const cutBefore = claimants.reduce((sum, claimant) => sum + claimant.evaluationsCut, 0)
  const findings = [...parts.findings, ...claimants.flatMap((claimant) => claimant.findings)].sort(compareFindings)
  return withDigest({
    schema: 'ao-audit/report/v1',
    date: parts.date,
    inputsDigest: parts.inputsDigest,
    verdict,
    reasons: said.map(({ text }) => text),
    remarks: said.flatMap(({ text, decides }) => (decides ? [] : text)),
    trusted: parts.trusted.map((text) => boundText(text)),
    unreachable: parts.unreachable.map((unit) => ({ ...unit, detail: boundText(unit.detail) })),
    processId: parts.processId,
    process: parts.process,
    range: parts.range,
    start: parts.start,
    coverage,
    notChecked: [...uncompared(coverage), ...parts.notChecked.map((text) => boundText(text))],
    claimants: claimants.map(claimantReport),
    evaluations: boundEvaluations(evaluations.slice(0, MAX_EVALUATIONS)),
    evaluationsCut: cutBefore + Math.max(0, evaluations.length - MAX_EVALUATIONS),
    firstDivergence: earliestDivergence(audited),
    checkpoints: parts.checkpoints,
    findings: findings.slice(0, MAX_FINDINGS).map((finding) => ({ ...finding, detail: boundText(finding.detail) })),
    findingsCut: Math.max(0, findings.length - MAX_FINDINGS),
    profile: parts.profile,
    stateHashes: parts.stateHashes,
    tool: parts.tool,
    timings: parts.timings
  })
}

/** Where nothing was compared, nothing matches. */
function soundVerdict({ verdict, coverage }: ClaimantParts): Verdict {
  return verdict === 'match' && coverage.compared === 0 ? 'inconclusive' : verdict
}

function worst(verdicts: readonly Verdict[]): Verdict {
  return (['mismatch', 'inconclusive'] as const).find((verdict) => verdicts.includes(verdict)) ?? 'match'
}

function claimantReport(claimant: ClaimantParts): ClaimantReport {
  const { claimant: id, kind, audited, address, coverage, firstDivergence, tolerances, profile } = claimant
  const verdict = soundVerdict(claimant)
  const said = claimantReasons(claimant)
  return {
    id,
    kind,
    audited,
    ...defined({ address }),
    verdict,
    reasons: said.map(({ text }) => text),
    remarks: said.flatMap(({ text, decides }) => (decides ? [] : text)),
    coverage,
    firstDivergence: firstDivergence === null ? null : boundDivergence(firstDivergence),
    rules: audited && verdict === 'mismatch' ? RULE_NAMES : [],
    tolerances: tolerances.map((one) => ({ ...one, bits: Math.round(one.bits * 10) / 10 })),
    ...defined({ profile })
  }
}

/** A reason, and whether it makes the verdict what it is. */
interface ReportReason {
  readonly text: string
  readonly decides: boolean
}

function claimantReasons(claimant: ClaimantParts): readonly ReportReason[] {
  const remarks = new Set(claimant.remarks)
  const isSound = soundVerdict(claimant) === claimant.verdict
  const reasons = claimant.reasons.map((text) => ({ text: boundText(text), decides: isSound && !remarks.has(text) }))
  return isSound ? reasons : [{ text: NOTHING_COMPARED, decides: true }, ...reasons]
}

/** The audit's own reasons, then the audited claimants': first of those whose verdict it is, with names where there are several. */
function reasonsOf(parts: ReportParts, audited: readonly ClaimantParts[], verdict: Verdict): readonly ReportReason[] {
  const nobody = audited.length === 0 ? ['no Compute Unit was audited'] : []
  const ours = [...parts.inconclusive.map((text) => boundText(text)), ...nobody]
  const isDecisive = (claimant: ClaimantParts) => soundVerdict(claimant) === verdict
  const inTurn = [...audited.filter(isDecisive), ...audited.filter((claimant) => !isDecisive(claimant))]
  const theirs = inTurn.flatMap((claimant) => {
    return claimantReasons(claimant).map(({ text, decides }) => ({
      text: audited.length === 1 ? text : boundText(`${claimant.claimant}: ${text}`),
      decides: decides && verdict !== 'match' && isDecisive(claimant)
    }))
  })
  return [...ours.map((text) => ({ text, decides: verdict === 'inconclusive' })), ...theirs]
}

/** In each count the worst: the least of what was done, the most of what was not. */
function worstCoverage(coverages: readonly Coverage[]): Coverage {
  const least = (count: (coverage: Coverage) => number) => Math.min(...coverages.map(count))
  const most = (count: (coverage: Coverage) => number) => Math.max(...coverages.map(count))
  return {
    scheduled: most((coverage) => coverage.scheduled),
    cron: most((coverage) => coverage.cron),
    evaluated: least((coverage) => coverage.evaluated),
    compared: least((coverage) => coverage.compared),
    skipped: most((coverage) => coverage.skipped),
    unclaimed: most((coverage) => coverage.unclaimed),
    unread: most((coverage) => coverage.unread),
    unverified: most((coverage) => coverage.unverified)
  }
}

/** What of the range was not compared, and what was compared over inputs that nobody checked. */
function uncompared({ scheduled, cron, compared, skipped, unclaimed, unread, unverified }: Coverage): readonly string[] {
  if (scheduled + cron === 0) return ['no evaluation is known, so none was checked']
  const missing = scheduled + cron - compared
  const claimless = Math.min(unclaimed, missing)
  const duplicates = Math.min(skipped, missing - claimless)
  return [
    counted(claimless, 'without a claim'),
    counted(duplicates, 'skipped as duplicates'),
    counted(missing - claimless - duplicates, 'not evaluated or not comparable'),
    counted(unread, 'with an answer that was given but could not be read'),
    counted(unverified, 'over inputs whose signature was not checked')
  ].flat()
}

function counted(count: number, what: string): readonly string[] {
  return count > 0 ? [`${count} ${count === 1 ? 'evaluation' : 'evaluations'} ${what}`] : []
}

function boundEvaluations(evaluations: readonly ReportedEvaluation[]): readonly ReportedEvaluation[] {
  let left = MAX_TOTAL_DIFFERENCES
  return evaluations.map((evaluation) => {
    const bounded = boundEvaluation(evaluation, Math.min(MAX_DIFFERENCES, left))
    left -= bounded.differences?.length ?? 0
    return bounded
  })
}

function earliestDivergence(claimants: readonly ClaimantParts[]): FirstDivergence | null {
  const divergences = claimants.flatMap(({ firstDivergence }) => firstDivergence ?? [])
  const [first] = divergences.sort((left, right) => compareOrder(left.key, right.key))
  return first === undefined ? null : boundDivergence(first)
}

/** A scheduled message before the cron messages that follow it, these by time; for the rest the order given stays. */
function compareOrder(left: EvaluationKey, right: EvaluationKey): number {
  return (
    left.ordinate - right.ordinate ||
    Number(left.cron !== undefined) - Number(right.cron !== undefined) ||
    left.timestamp - right.timestamp
  )
}

function compareFindings(left: Finding, right: Finding): number {
  return (
    SEVERITIES.indexOf(left.severity) - SEVERITIES.indexOf(right.severity) ||
    (left.nonce ?? left.key?.ordinate ?? -1) - (right.nonce ?? right.key?.ordinate ?? -1)
  )
}
