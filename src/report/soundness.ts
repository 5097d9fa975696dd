/** Held against every report before anybody sees it: a verdict that breaks the rules is a fault of this tool, and is not shown. */
import { RULE_NAMES } from '../attribution/rules.ts'
import { type Finding, LEAVES_OPEN } from '../model/findings.ts'
import type { ClaimantReport, Report } from './model.ts'

/** Said of a unit without blame: it was away, or sent what cannot be read. */
const NO_BLAME: ReadonlySet<Finding['code']> = new Set(['UNIT_UNREACHABLE', 'INPUT_MISSING'])

/**
 * What is wrong with a report, in words; empty for every report that this tool may give.
 *
 * - A mismatch is that of an audited unit, with all rules cited and the first divergence shown.
 * - A match covers an audited unit that claimed something, of which nothing was left unread or unjudged, and none was away but
 *   gateways, in whose place another answered.
 * - Nothing but a mismatch comes with an error that is attributed to a unit.
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

/** @throws Error where a report breaks the rules */
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
