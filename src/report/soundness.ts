/** Checks every report before anybody sees it: a verdict that breaks the rules is a fault of this tool, and is not shown. */
import { RULE_NAMES } from '../attribution/rules.ts'
import { type Finding, LEAVES_OPEN } from '../model/findings.ts'
import type { ClaimantReport, Report } from './model.ts'

/** Errors that do not blame the unit: it did not answer, or sent an unreadable answer. */
const NO_BLAME: ReadonlySet<Finding['code']> = new Set(['UNIT_UNREACHABLE', 'INPUT_MISSING'])

/**
 * The rules that a report breaks, in words; empty for every report that this tool may return.
 *
 * - A mismatch concerns an audited unit, cites all rules and shows the first divergence.
 * - A match covers an audited unit that made claims, all of which were read and judged. Every unit answered, except gateways that
 *   another gateway replaced.
 * - Only a mismatch may have an error that is attributed to a unit.
 */
function violations(report: Report): string[] {
  const audited = report.claimants.filter((claimant) => claimant.audited)
  const blamed = new Set(audited.filter(({ verdict }) => verdict === 'mismatch').map(({ id }) => id))
  return [
    ...((report.verdict === 'mismatch') === blamed.size > 0 ? [] : ['the verdict is not that of the audited units']),
    ...audited.flatMap(ofClaimant),
    ...(report.verdict === 'match' ? ofMatch(report, audited) : []),
    ...report.findings
      .filter((finding) => isUnfounded(finding, blamed))
      .map(({ code }) => `${code} blames a unit without a mismatch`)
  ]
}

/** @throws Error if a report breaks the rules */
export function assertSound(report: Report): Report {
  const [first] = violations(report)
  if (first !== undefined) throw new Error(`the report breaks the rules of accusation: ${first}`)
  return report
}

function ofClaimant({ id, verdict, rules, firstDivergence }: ClaimantReport): string[] {
  if (verdict !== 'mismatch') return rules.length === 0 ? [] : [`${id} is not blamed, but rules are cited`]
  const cited = rules.length === RULE_NAMES.length && rules.every((rule, place) => rule === RULE_NAMES[place])
  return [
    ...(cited ? [] : [`${id} is blamed without all rules`]),
    ...(firstDivergence === null ? [`${id} is blamed without a divergence`] : [])
  ]
}

function ofMatch({ unreachable, trusted, findings }: Report, audited: readonly ClaimantReport[]): string[] {
  const lowered = trusted.some((text) => text.includes('--min-coverage'))
  const silent = audited.some(({ coverage }) => coverage.compared === 0 || (coverage.unclaimed > 0 && !lowered))
  return [
    ...(audited.length === 0 ? ['a match without a unit'] : []),
    ...(audited.every(({ verdict }) => verdict === 'match') ? [] : ['a match over a unit that does not match']),
    ...(silent ? ['a match over evaluations that nobody claimed'] : []),
    ...(audited.some(({ coverage }) => coverage.unread > 0) ? ['a match over an answer that was not read'] : []),
    ...findings.filter(({ code }) => LEAVES_OPEN.has(code)).map(({ code }) => `a match beside ${code}`),
    ...(unreachable.every(({ unit }) => unit === 'gateway') ? [] : ['a match while a unit was away'])
  ]
}

function isUnfounded({ code, severity, attribution, claimant }: Finding, blamed: ReadonlySet<string>): boolean {
  if (severity !== 'error' || attribution !== 'compute-unit' || NO_BLAME.has(code)) return false
  return claimant === undefined || !blamed.has(claimant)
}
