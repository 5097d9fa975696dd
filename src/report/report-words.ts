/** What the renderings say in the same words. Text from outside passes through the renderer's own `safe`. */

import type { Tolerance, ToleranceKind } from '../compare/comparison.ts'
import type { MemoryDifference } from '../memory/difference.ts'
import type { Finding } from '../model/findings.ts'
import type { EvaluationKey } from '../model/records.ts'
import type { ClaimantReport, Coverage, ProfileReport, Report, Timings } from './model.ts'

/** Makes text from outside fit for the rendering, cut after `maxChars`. */
type Escape = (text: string, maxChars: number) => string

/** Characters of an id, an address or a URL that are shown. */
export const ID_CHARS = 100
/** Characters of a reason or a detail that are shown where a line has no other bound. */
export const SENTENCE_CHARS = 300

/** The verdict in words, without the verdict's own word. */
export function headline(report: Report, safe: Escape): string {
  const audited = report.claimants.filter((claimant) => claimant.audited)
  const [first] = audited
  if (report.verdict === 'match') {
    const whom = audited.length === 1 && first !== undefined ? safe(first.id, ID_CHARS) : `${audited.length} claimants`
    return `${comparedOf(report.coverage)} compared, all agree with ${whom}`
  }
  if (report.verdict === 'mismatch' && report.firstDivergence !== null) {
    const { claimant } = report.firstDivergence
    return `${evaluationName(report.firstDivergence, safe)}: re-execution contradicts ${safe(claimant, ID_CHARS)}`
  }
  return safe(report.reasons[0] ?? 'see the findings', SENTENCE_CHARS)
}

/** `398 of 402 evaluations`. */
export function comparedOf({ compared, scheduled, cron }: Coverage): string {
  const total = scheduled + cron
  return `${compared} of ${total} ${total === 1 ? 'evaluation' : 'evaluations'}`
}

/** What was evaluated: a nonce, a cron message, or the process message that has no nonce of its own. */
export function evaluationName(
  { key, nonce, through }: { readonly key: EvaluationKey; readonly nonce?: number; readonly through?: number },
  safe: Escape
): string {
  if (key.cron !== undefined) return `cron ${safe(key.cron, ID_CHARS)} after nonce ${key.ordinate}`
  if (through !== undefined) return `nonces ${nonce} to ${through}`
  return nonce === undefined ? 'the process message' : `nonce ${nonce}`
}

/** `Compute Unit http://… (address …)`. */
export function claimantName({ id, kind, address }: ClaimantReport, safe: Escape): string {
  const name = `${kind === 'compute-unit' ? 'Compute Unit' : 'checkpoint signer'} ${safe(id, ID_CHARS)}`
  return address === undefined ? name : `${name} (address ${safe(address, ID_CHARS)})`
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
  'began-behind': ['empty answer at a checkpoint', 'empty answers at checkpoints'],
  'gas-left-out': ['answer without gas', 'answers without gas'],
  'gas-unlisted': ['listing without gas', 'listings without gas'],
  'known-blocks': ['set of known blocks', 'sets of known blocks'],
  'program-path': ['program path', 'program paths'],
  'time-zone': ['time zone', 'time zones']
}

/** `1 instance boundary (1 bit), 2 answers for duplicates (4 bits)`; empty where nothing was tolerated. */
export function tolerancesText(tolerances: readonly Tolerance[]): string {
  return tolerances
    .map(({ kind, count, bits }) => {
      const [one, several] = TOLERANCE_WORDS[kind]
      return `${count} ${count === 1 ? one : several} (${bits} ${bits === 1 ? 'bit' : 'bits'})`
    })
    .join(', ')
}

interface FindingGroup {
  /** The first of its kind in the report's order. */
  readonly first: Finding
  readonly count: number
}

/** Findings of one code, severity and attribution together, in the report's order. */
export function groupFindings(findings: readonly Finding[]): readonly FindingGroup[] {
  const groups = new Map<string, FindingGroup>()
  for (const finding of findings) {
    const kind = `${finding.severity}/${finding.code}/${finding.attribution}`
    const group = groups.get(kind) ?? { first: finding, count: 0 }
    groups.set(kind, { ...group, count: group.count + (finding.count ?? 1) })
  }
  return [...groups.values()]
}

export function profileText(profile: ProfileReport, safe: Escape): string {
  return [
    `${safe(profile.name, ID_CHARS)} (${safe(profile.source, ID_CHARS)})`,
    `loader ${safe(profile.loader, ID_CHARS)}`,
    instancesText(profile),
    `${profile.environment.length} environment strings`,
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

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

/** All that the verdict does not speak of, never an empty list. */
export function notCheckedTexts({ notChecked }: Report, safe: Escape): readonly string[] {
  if (notChecked.length === 0) return ['nothing in the range was left out']
  return notChecked.map((text) => safe(text, SENTENCE_CHARS))
}

export function toolText({ version, node, loader }: Report['tool'], safe: Escape): string {
  return `ao-audit ${safe(version, ID_CHARS)}, Node ${safe(node, ID_CHARS)}, loader ${safe(loader, ID_CHARS)}`
}

/** `fetch 3.1 s, verify 0.2 s, replay 12.0 s, compare 0.4 s; 33.5 messages/s`. */
export function timingsText(timings: Timings): string {
  const stages = [
    `fetch ${seconds(timings.fetchMs)}`,
    `verify ${seconds(timings.verifyMs)}`,
    `replay ${seconds(timings.replayMs)}`,
    `compare ${seconds(timings.compareMs)}`
  ]
  const { messagesPerSecond, resumedAfter } = timings
  const kept = resumedAfter === null ? '' : `; up to nonce ${resumedAfter} as an earlier audit computed it`
  return `${stages.join(', ')}; ${messagesPerSecond.toFixed(1)} messages/s${kept}`
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`
}
