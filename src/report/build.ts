/**
 * Assembles the report from the results of the audit. It joins, sorts and bounds them, and decides nothing about their truth.
 */
import { RULE_NAMES } from '../attribution/rules.ts'
import type { Judgement, Verdict } from '../compare/comparison.ts'
import type { Finding, Severity } from '../model/findings.ts'
import type { EvaluationKey } from '../model/records.ts'
import { defined } from '../util/defined.ts'
import { boundDivergence, boundEvaluation, boundText, MAX_DIFFERENCES, MAX_EVALUATIONS, MAX_FINDINGS } from './bounds.ts'
import { withDigest } from './digest.ts'
import type { ClaimantReport, Coverage, FirstDivergence, Report, ReportedEvaluation } from './model.ts'

/** The limit on differences in one report, for all evaluations together. */
const MAX_TOTAL_DIFFERENCES = 1_000

const NOTHING_COMPARED = 'nothing could be compared'
const SEVERITIES: readonly Severity[] = ['error', 'warning', 'info']

/** A claimant and the judgement of it. */
export interface ClaimantParts extends Judgement, Pick<ClaimantReport, 'kind' | 'audited' | 'address' | 'profile'> {}

/** The results of the audit: parts that the report takes over unchanged, and parts that are joined. */
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
  /** What was planned and executed, regardless of claims; used if no CU is audited. */
  readonly coverage: Coverage
  /** Why the audit as a whole cannot be a match, in words, such as a gap in the schedule or a missing input. */
  readonly inconclusive: readonly string[]
  readonly claimants: readonly ClaimantParts[]
  /** Findings that do not concern a single claimant. */
  readonly findings: readonly Finding[]
}

/**
 * Assembles a report.
 *
 * The verdict is the worst of the audited claimants. A match becomes inconclusive if `parts.inconclusive` has a reason, if
 * nobody is audited, or if the match of an audited claimant rests on no comparison.
 *
 * @param parts plain data, which stays unchanged
 * @returns a report with bounded evaluations, differences, findings and values; everything left out is counted
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

/** A match requires at least one comparison. */
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

/** A reason, and whether it decides the verdict. */
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

/**
 * The audit's own reasons, then those of the audited claimants. Claimants that have the report's verdict come first. If several
 * are audited, each reason names its claimant.
 */
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

/** The worst of each count: the least for work that was done, the most for work that was not. */
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

/** Evaluations in the range that were not compared, or that were compared over unchecked inputs. */
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

/** Puts a scheduled message before the crons that follow it, and these in order of time. Otherwise the order stays. */
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
