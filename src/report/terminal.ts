/** The report as an auditor reads it in ten seconds. */
import CliTable from 'cli-table3'
import pc from 'picocolors'
import type { Verdict } from '../compare/comparison.ts'
import type { Severity } from '../model/findings.ts'
import { escapeForTerminal as safe } from '../util/escape.ts'
import { differingTexts } from './bounds.ts'
import type { FirstDivergence, Report, ReportedDifference } from './model.ts'
import * as words from './report-words.ts'

interface TerminalOptions {
  /** Whether to write colours; what `NO_COLOR` and the stream say is the caller's to know. */
  readonly color: boolean
  /** Columns. Values and details are cut to them; below 80 they may wrap. */
  readonly width: number
}

type Colors = ReturnType<typeof pc.createColors>

const LABEL_COLUMNS = 14
const MIN_VALUE_CHARS = 52
const MIN_DETAIL_COLUMNS = 40
/** `… (16384 more)`, the most that a cut value's mark takes. */
const CUT_MARK_COLUMNS = 14
/** Lines of one kind that are shown, so that the summary stays one. */
const MAX_DIFFERENCES_SHOWN = 3
const MAX_GROUPS_SHOWN = 8
const MAX_LINES_SHOWN = 4

const VERDICT_COLOR = { match: 'green', mismatch: 'red', inconclusive: 'yellow' } as const satisfies Record<
  Verdict,
  keyof Colors
>
const SEVERITY_COLOR = { error: 'red', warning: 'yellow', info: 'dim' } as const satisfies Record<Severity, keyof Colors>

/**
 * Renders the summary for a terminal: about 25 lines, the verdict first, the first divergence with its fields, then what was
 * and what was not compared. All text from outside is escaped.
 *
 * @returns lines, each with its line feed
 */
export function renderTerminal(report: Report, { color, width }: TerminalOptions): string {
  const colors = pc.createColors(color)
  const verdict = colors.bold(colors[VERDICT_COLOR[report.verdict]](report.verdict.toUpperCase()))
  const row = (label: string, text: string) => `${colors.dim(label.padEnd(LABEL_COLUMNS))}${text}`
  const rows = (label: string, texts: readonly string[]) => {
    return limited(texts).map((text, index) => row(index === 0 ? label : '', text))
  }
  const lines = [
    `${verdict}  ${words.headline(report, safe)}`,
    ...rows('tolerated', toleratedTexts(report)),
    ...rows(report.verdict === 'match' ? 'but' : 'why', otherReasons(report).map(sentence)),
    ...rows(
      'trusted',
      report.trusted.map((text) => colors.yellow(sentence(text)))
    ),
    ...rows('no answer', unreachableTexts(report)),
    ...divergenceLines(report, colors, width),
    '',
    ...aboutProcess(report, row),
    ...rows('compared', comparedTexts(report)),
    ...rows('not checked', words.notCheckedTexts(report, safe)),
    ...rows('evaluations', evaluationTexts(report)),
    ...rows(
      'checkpoints',
      report.checkpoints.length === 0 ? [] : [words.countedBy(report.checkpoints.map(({ status }) => status))]
    ),
    ...rows('memory', memoryTexts(report)),
    ...findingLines(report, colors, width),
    ...rows('profile', report.profile === null ? [] : [words.profileText(report.profile, safe)]),
    ...rows('state hash', stateHashTexts(report)),
    row('time', words.timingsText(report.timings)),
    row('tool', words.toolText(report.tool, safe))
  ]
  return lines.map((line) => `${line}\n`).join('')
}

/** A line for each checkpoint that differs; the ranges are in the other renderings. */
function memoryTexts({ checkpoints }: Report): readonly string[] {
  return checkpoints.flatMap(({ id, memory }) => {
    if (memory === undefined) return []
    const [first] = memory.ranges
    const where = first === undefined ? '' : `, first at ${words.addressText(first.offset)} (${first.place})`
    return [`${safe(id, words.ID_CHARS)}: ${words.memoryText(memory)}${where}`]
  })
}

function sentence(text: string): string {
  return safe(text, words.SENTENCE_CHARS)
}

function limited(texts: readonly string[]): readonly string[] {
  if (texts.length <= MAX_LINES_SHOWN) return texts
  return [...texts.slice(0, MAX_LINES_SHOWN), `… and ${texts.length - MAX_LINES_SHOWN} more, see --json`]
}

/** Escaped, and within the columns together with the mark of a cut. */
function fitted(text: string, columns: number): string {
  const whole = safe(text, columns)
  return whole.length <= columns ? whole : safe(text, columns - CUT_MARK_COLUMNS)
}

/** The headline of an inconclusive report is its first reason. */
function otherReasons({ verdict, reasons }: Report): readonly string[] {
  return verdict === 'inconclusive' ? reasons.slice(1) : reasons
}

function unreachableTexts(report: Report): readonly string[] {
  return report.unreachable.map(({ unit, url, detail }) => `${unit} ${safe(url, words.ID_CHARS)}: ${sentence(detail)}`)
}

/** Of every audited unit that needed any: what was let pass in its favour. */
function toleratedTexts({ claimants }: Report): readonly string[] {
  const audited = claimants.filter((claimant) => claimant.audited)
  return audited.flatMap((claimant) => {
    const text = words.tolerancesText(claimant.tolerances)
    if (text === '') return []
    return audited.length === 1 ? text : `${safe(claimant.id, words.ID_CHARS)}: ${text}`
  })
}

function divergenceLines({ firstDivergence }: Report, colors: Colors, width: number): readonly string[] {
  if (firstDivergence === null) return []
  const shown = firstDivergence.differences.slice(0, MAX_DIFFERENCES_SHOWN)
  const more = firstDivergence.differences.length - shown.length + (firstDivergence.differencesCut ?? 0)
  return [
    '',
    colors.bold(`First divergence: ${divergenceName(firstDivergence)}`),
    ...(firstDivergence.message === undefined ? [] : [`  message ${safe(firstDivergence.message, words.ID_CHARS)}`]),
    ...shown.flatMap((difference) => differenceLines(difference, colors, width)),
    ...(more > 0 ? [`  … and ${more} more ${more === 1 ? 'difference' : 'differences'}`] : [])
  ]
}

function divergenceName(divergence: FirstDivergence): string {
  return `${words.evaluationName(divergence, safe)}, claimed by ${safe(divergence.claimant, words.ID_CHARS)}`
}

function differenceLines(difference: ReportedDifference, colors: Colors, width: number): readonly string[] {
  const columns = Math.max(MIN_VALUE_CHARS + CUT_MARK_COLUMNS, width - '    computed  '.length)
  const [claimed, computed] = differingTexts(difference, columns - CUT_MARK_COLUMNS)
  return [
    `  ${fitted(difference.path, columns)}`,
    `    claimed   ${colors.red(fitted(claimed, columns))}`,
    `    computed  ${colors.green(fitted(computed, columns))}`
  ]
}

function aboutProcess({ process, range }: Report, row: (label: string, text: string) => string): readonly string[] {
  if (process === null) return []
  const { id, sha256, format } = process.module
  return [
    row('process', safe(process.id, words.ID_CHARS)),
    row('module', `${safe(id, words.ID_CHARS)} (${safe(format, words.ID_CHARS)})`),
    row('', `sha256 ${safe(sha256, words.ID_CHARS)}`),
    row('scheduler', safe(process.scheduler, words.ID_CHARS)),
    ...(range === null ? [] : [row('range', `nonces ${range.from} to ${range.to}`)])
  ]
}

function comparedTexts({ claimants, coverage }: Report): readonly string[] {
  if (claimants.length === 0) return [`${words.comparedOf(coverage)}, with no claimant`]
  return claimants.map((claimant) => {
    const role = claimant.audited ? '' : ', not audited'
    return `${words.comparedOf(claimant.coverage)}, by ${words.claimantName(claimant, safe)}: ${claimant.verdict}${role}`
  })
}

function evaluationTexts({ evaluations, evaluationsCut }: Report): readonly string[] {
  if (evaluations.length === 0) return []
  const cut = evaluationsCut === 0 ? '' : `, ${evaluationsCut} left out`
  return [`not a plain match: ${words.countedBy(evaluations.map(({ status }) => status))}${cut}`]
}

function findingLines({ findings, findingsCut }: Report, colors: Colors, width: number): readonly string[] {
  if (findings.length === 0) return [`${colors.dim('findings'.padEnd(LABEL_COLUMNS))}none`]
  const groups = words.groupFindings(findings)
  const shown = groups.slice(0, MAX_GROUPS_SHOWN)
  const codeColumns = Math.max(...shown.map(({ first }) => first.code.length))
  const detailColumns = Math.max(MIN_DETAIL_COLUMNS, width - '  warning  '.length - codeColumns - '  ×1000  '.length)
  const table = borderlessTable()
  for (const { first, count } of shown) {
    const nonce = first.nonce === undefined ? '' : `, nonce ${first.nonce}`
    const detail = fitted(`${first.attribution}${nonce}: ${first.detail}`, detailColumns)
    table.push([colors[SEVERITY_COLOR[first.severity]](first.severity), first.code, `×${count}`, detail])
  }
  const hidden = groups.length - shown.length
  return [
    colors.dim('findings'),
    ...table
      .toString()
      .split('\n')
      .map((line) => line.trimEnd()),
    ...(hidden > 0 ? [`  … and ${hidden} more ${hidden === 1 ? 'kind' : 'kinds'}, see --json`] : []),
    ...(findingsCut > 0 ? [`  … and ${findingsCut} left out of the report`] : [])
  ]
}

function borderlessTable(): CliTable.Table {
  const none = { top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '' }
  const neither = {
    'bottom-right': '',
    left: '',
    'left-mid': '',
    mid: '',
    'mid-mid': '',
    right: '',
    'right-mid': '',
    middle: ''
  }
  return new CliTable({
    chars: { ...none, ...neither },
    style: { 'padding-left': 2, 'padding-right': 0, head: [], border: [] }
  })
}

function stateHashTexts({ stateHashes }: Report): readonly string[] {
  const hashes = Object.entries(stateHashes)
  const last = hashes.at(-1)
  if (last === undefined) return []
  const others = hashes.length === 1 ? '' : ` (and ${hashes.length - 1} earlier)`
  return [`nonce ${safe(last[0], words.ID_CHARS)}: ${safe(last[1], words.ID_CHARS)}${others}`]
}
