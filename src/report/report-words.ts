/** Texts that all renderings share. Text from outside passes through the {@link Writing} of each rendering. */

import type { Difference, Tolerance, ToleranceKind } from '../compare/comparison.ts'
import type { MemoryDifference } from '../memory/difference.ts'
import type { Finding } from '../model/findings.ts'
import type { EvaluationKey } from '../model/records.ts'
import { counted } from '../util/counted.ts'
import type {
  ClaimantReport,
  Coverage,
  FirstDivergence,
  ProfileReport,
  Report,
  ReportedEvaluation,
  Timings,
  UnreachableUnit
} from './model.ts'

/** Escapes text from outside for a rendering. */
export interface Writing {
  /** An id, an address, a URL, a name. */
  readonly value: (text: string) => string
  /** A sentence that may contain one of these. */
  readonly sentence: (text: string) => string
}

/** The limit for an id, an address or a URL. */
export const ID_CHARS = 100
/** The limit for a reason or a detail, if the line has no other. */
export const SENTENCE_CHARS = 500

/** The headline, without the word for the verdict itself. */
export function headline(report: Report, { value, sentence }: Writing): string {
  const audited = report.claimants.filter((claimant) => claimant.audited)
  const [first] = audited
  if (report.verdict === 'match') {
    const whom = audited.length === 1 && first !== undefined ? value(first.id) : `${audited.length} claimants`
    return `${comparedOf(report.coverage)} compared, all agree with ${whom}`
  }
  if (report.verdict === 'mismatch' && report.firstDivergence !== null) {
    const { claimant } = report.firstDivergence
    return `${evaluationTitle(report.firstDivergence, value)}: re-execution contradicts ${value(claimant)}`
  }
  return sentence(decisive(report)[0] ?? 'see the findings')
}

/** The reasons that decide the verdict. */
export function decisive({ reasons, remarks }: Pick<Report, 'reasons' | 'remarks'>): readonly string[] {
  return reasons.filter((reason) => !remarks.includes(reason))
}

/** `398 of 402 evaluations`. */
export function comparedOf({ compared, scheduled, cron }: Coverage): string {
  const total = scheduled + cron
  return `${compared} of ${counted(total, 'evaluation')}`
}

/** Names an evaluation: a nonce, a cron, or the process message without a nonce. */
export function evaluationTitle(
  { key, nonce, through }: { readonly key: EvaluationKey; readonly nonce?: number; readonly through?: number },
  value: Writing['value']
): string {
  if (key.cron !== undefined) return `cron ${value(key.cron)} after nonce ${key.ordinate}`
  if (through !== undefined) return `nonces ${nonce} to ${through}`
  return nonce === undefined ? 'the process message' : `nonce ${nonce}`
}

/** A place in the order of evaluation. */
export function keyName({ cron, ordinate }: EvaluationKey, value: Writing['value']): string {
  return cron === undefined ? `nonce ${ordinate}` : `cron ${value(cron)} after nonce ${ordinate}`
}

/** `Compute Unit http://… (address …)`. */
export function claimantName({ id, kind, address }: ClaimantReport, { value }: Writing): string {
  const name = `${kind === 'compute-unit' ? 'Compute Unit' : 'checkpoint signer'} ${value(id)}`
  return address === undefined ? name : `${name} (address ${value(address)})`
}

/** `2 mismatch, 1 skipped`, in the order of first appearance; empty for no values. */
export function countedBy(values: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].map(([value, count]) => `${count} ${value}`).join(', ')
}

const TOLERANCE_WORDS: Readonly<Record<ToleranceKind, readonly [one: string, several: string]>> = {
  'tag-order': ['order of tags', 'orders of tags'],
  'instance-boundary': ['instance boundary', 'instance boundaries'],
  'instances-per-message': ['instance with every message', 'instances with every message'],
  'duplicate-evaluated': ['duplicate evaluated', 'duplicates evaluated'],
  'duplicate-answer': ['answer for a duplicate', 'answers for duplicates'],
  'repeated-answer': ['answer repeated', 'answers repeated'],
  'checkpoint-answer': ['empty answer before a checkpoint', 'empty answers before checkpoints'],
  'gas-left-out': ['answer without gas', 'answers without gas'],
  'gas-unlisted': ['listing without gas', 'listings without gas'],
  'known-blocks': ['set of known blocks', 'sets of known blocks'],
  'program-path': ['program path', 'program paths'],
  'time-zone': ['time zone', 'time zones']
}

/** `1 instance boundary (1 bit), 2 answers for duplicates (4 bits)`; empty if nothing was tolerated. */
function tolerancesText(tolerances: readonly Tolerance[]): string {
  return tolerances
    .map(({ kind, count, bits }) => `${counted(count, ...TOLERANCE_WORDS[kind])} (${counted(bits, 'bit')})`)
    .join(', ')
}

/** The tolerances of every audited unit that needed any. */
export function toleratedTexts({ claimants }: Report, { value }: Writing): readonly string[] {
  const audited = claimants.filter((claimant) => claimant.audited)
  return audited.flatMap((claimant) => {
    const text = tolerancesText(claimant.tolerances)
    if (text === '') return []
    return audited.length === 1 ? text : `${value(claimant.id)}: ${text}`
  })
}

/** The page with the rules of accusation, relative to the package. */
export const RULES_PAGE = 'docs/accusation-rules.md'

/** The rules that a mismatch cites; none if nobody is blamed. */
export function citedRules({ claimants }: Report): readonly string[] {
  return [...new Set(claimants.flatMap(({ rules }) => rules))]
}

/** A difference with a title: the first divergence, or the first difference if nobody is blamed. */
export interface ShownDivergence {
  readonly title: string
  readonly divergence: FirstDivergence
}

export function shownDivergence({ firstDivergence, verdict, evaluations }: Report): ShownDivergence | undefined {
  if (firstDivergence !== null) return { title: 'First divergence', divergence: firstDivergence }
  const first = verdict === 'inconclusive' ? evaluations.find(isOpenDifference) : undefined
  return first === undefined ? undefined : { title: 'First difference, for which nobody is blamed', divergence: first }
}

function isOpenDifference(evaluation: ReportedEvaluation): evaluation is ReportedEvaluation & FirstDivergence {
  const { status, claimant, differences = [] } = evaluation
  return status === 'inconclusive' && claimant !== undefined && differences.length > 0
}

/** The path of a difference, or words if it has none. */
export function pathText({ path }: Difference, value: Writing['value']): string {
  return path === '' ? 'the answer as a whole, which is not an object' : value(path)
}

/** Why something could not be fetched from a unit, as a label. */
export function absenceName({ code }: UnreachableUnit): string {
  if (code === 'UNIT_UNREACHABLE') return 'no answer'
  if (code === 'ADDRESS_FORBIDDEN') return 'not asked'
  return code === 'UNIT_REFUSED' ? 'refused' : 'not usable'
}

/** @param said sentences that the rendering already contains */
export function absenceText({ unit, url, detail, hint }: UnreachableUnit, said: ReadonlySet<string>, writing: Writing): string {
  const why = said.has(detail) ? '' : `: ${writing.sentence(detail)}`
  return `${unit} ${writing.value(url)}${why}${hint === undefined ? '' : `; ${writing.sentence(hint)}`}`
}

/** Whom a finding concerns, and at which nonce. */
export function findingPlace({ attribution, nonce }: Finding): string {
  return nonce === undefined ? attribution : `${attribution}, nonce ${nonce}`
}

export interface FindingGroup {
  /** The first of its kind in the report's order. */
  readonly first: Finding
  readonly count: number
}

/** Groups findings by code, severity and attribution, in the report's order. */
export function groupFindings(findings: readonly Finding[]): readonly FindingGroup[] {
  const groups = new Map<string, FindingGroup>()
  for (const finding of findings) {
    const kind = `${finding.severity}/${finding.code}/${finding.attribution}`
    const group = groups.get(kind) ?? { first: finding, count: 0 }
    groups.set(kind, { ...group, count: group.count + (finding.count ?? 1) })
  }
  return [...groups.values()]
}

export function profileText(profile: ProfileReport, { value, sentence }: Writing): string {
  return [
    `${value(profile.name)} (${sentence(profile.source)})`,
    `loader ${value(profile.loader)}`,
    instancesText(profile),
    counted(profile.environment.length, 'environment string'),
    ...(profile.tried.length > 1 ? [`${profile.tried.length} profiles tried`] : [])
  ].join(', ')
}

function instancesText({ instances }: ProfileReport): string {
  if (instances === 'one') return 'one instance'
  return instances === 'per-message' ? 'an instance per message' : `${instances.length + 1} instances`
}

/** `110034944 bytes as claimed, 110034944 as computed; 3 bytes differ in 1 page of 4 KiB`. */
export function memoryText({ bytesA, bytesB, differingBytes, differingPages }: MemoryDifference): string {
  const sizes = bytesA === bytesB ? `${bytesA} bytes` : `${bytesA} bytes as claimed, ${bytesB} as computed`
  return `${sizes}; ${counted(differingBytes, 'byte')} in ${counted(differingPages, 'page')} of 4 KiB differ`
}

/** An address as the engine's own tools write it. */
export function addressText(offset: number): string {
  return `0x${offset.toString(16)}`
}

/** Everything that the verdict does not cover; never an empty list. */
export function notCheckedTexts({ notChecked }: Report, { sentence }: Writing): readonly string[] {
  if (notChecked.length === 0) return ['nothing in the range was left out']
  return notChecked.map(sentence)
}

export function toolText({ version, node, loader }: Report['tool'], { value }: Writing): string {
  return `ao-audit ${value(version)}, Node ${value(node)}, loader ${value(loader)}`
}

/** `fetch 3.1 s, verify 0.2 s, replay 12.0 s, compare 0.4 s; 33.5 messages/s in the module`. */
export function timingsText(timings: Timings): string {
  const stages = [
    `fetch ${seconds(timings.fetchMs)}`,
    `verify ${seconds(timings.verifyMs)}`,
    `replay ${seconds(timings.replayMs)}`,
    `compare ${seconds(timings.compareMs)}`
  ]
  const { messagesPerSecond, resumedAfter } = timings
  const kept = resumedAfter === null ? '' : `; up to nonce ${resumedAfter} as an earlier audit computed it`
  return `${stages.join(', ')}; ${messagesPerSecond.toFixed(1)} messages/s in the module${kept}`
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`
}
