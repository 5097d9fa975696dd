/** The report as an auditor reads it in ten seconds. */
import pc from 'picocolors'
import type { Verdict } from '../compare/comparison.ts'
import type { Severity } from '../model/findings.ts'
import { counted } from '../util/counted.ts'
import { escapeForTerminal as safe } from '../util/escape.ts'
import { differingTexts } from './bounds.ts'
import type { Report, ReportedDifference } from './model.ts'
import * as words from './report-words.ts'
import { wrap } from './wrap.ts'

export interface TerminalOptions {
  /** Whether to use colours. The caller takes `NO_COLOR` and the stream into account. */
  readonly color: boolean
  /** In columns. Longer lines are wrapped. */
  readonly width: number
  /** The command to run next. */
  readonly next?: NextStep
}

/** A command to copy. */
export interface NextStep {
  /** Its purpose, in a few words. */
  readonly why: string
  /** Quoted for a shell, without control characters. */
  readonly command: string
}

type Colors = ReturnType<typeof pc.createColors>

const LABEL_COLUMNS = 14
const FINDING_INDENT = 10
/** A narrower terminal wraps lines by itself. */
const MIN_WIDTH = 40
/** The limit for each side of a difference, and for its path. */
const VALUE_CHARS = 320
/** `… (16384 more)`, the longest mark of a cut value. */
const CUT_MARK_CHARS = 14
/** Digits of a digest: enough to tell two digests apart at a glance. */
const DIGEST_CHARS = 12
/** Limits for lines of one kind, so that the summary stays short. */
const MAX_DIFFERENCES_SHOWN = 3
const MAX_GROUPS_SHOWN = 8
const MAX_LINES_SHOWN = 4

const VERDICT_COLOR = { match: 'green', mismatch: 'red', inconclusive: 'yellow' } as const satisfies Record<
  Verdict,
  keyof Colors
>
const SEVERITY_COLOR = { error: 'red', warning: 'yellow', info: 'dim' } as const satisfies Record<Severity, keyof Colors>

const WRITING: words.Writing = {
  value: (text) => safe(text, words.ID_CHARS),
  sentence: (text) => safe(text, words.SENTENCE_CHARS)
}
const { sentence, value } = WRITING

/** Formats lines for a terminal. */
interface Page {
  readonly colors: Colors
  /** Wraps a text that starts at column `begin`, indents the further lines, and colours each line by itself. */
  readonly wrapped: (text: string, begin: number, indent: number, color?: (line: string) => string) => readonly string[]
  /** Rows under one label. Only the first few are shown. */
  readonly rows: (label: string, texts: readonly string[], color?: (line: string) => string) => readonly string[]
}

function createPage({ color, width }: TerminalOptions): Page {
  const colors = pc.createColors(color)
  const columns = Math.max(MIN_WIDTH, width)
  const wrapped: Page['wrapped'] = (text, begin, indent, paint = (line) => line) => {
    const lines = wrap(text, { width: columns, begin, indent })
    return lines.map((line, index) => `${index === 0 ? '' : ' '.repeat(indent)}${line === '' ? '' : paint(line)}`)
  }
  const rows: Page['rows'] = (label, texts, paint) => {
    return limited(texts).flatMap((text, place) => {
      const [first = '', ...more] = wrapped(text, LABEL_COLUMNS, LABEL_COLUMNS, paint)
      return [`${colors.dim((place === 0 ? label : '').padEnd(LABEL_COLUMNS))}${first}`, ...more]
    })
  }
  return { colors, wrapped, rows }
}

/**
 * Renders the summary for a terminal, in about 25 lines: the verdict, the first divergence with its fields, and what was and
 * was not compared. Text from outside is escaped, and long lines are wrapped.
 *
 * @returns lines, each with its line feed
 */
export function renderTerminal(report: Report, options: TerminalOptions): string {
  const page = createPage(options)
  const { colors, rows } = page
  const { why, but } = otherReasons(report)
  const said = new Set([...(headlineReason(report) ?? []), ...[why, but].flatMap((texts) => texts.slice(0, MAX_LINES_SHOWN))])
  const lines = [
    ...headlineLines(report, page),
    ...rows('tolerated', words.toleratedTexts(report, WRITING)),
    ...rows('why', why.map(sentence)),
    ...rows('but', but.map(sentence)),
    ...rows('rules', ruleTexts(report)),
    ...rows('trusted', report.trusted.map(sentence), colors.yellow),
    ...absenceLines(report, said, page),
    ...divergenceLines(report, page),
    '',
    ...aboutProcess(report, page),
    ...rows('compared', comparedTexts(report)),
    ...rows('not checked', words.notCheckedTexts(report, WRITING)),
    ...rows('evaluations', evaluationTexts(report)),
    ...rows(
      'checkpoints',
      report.checkpoints.length === 0 ? [] : [words.countedBy(report.checkpoints.map(({ status }) => status))]
    ),
    ...rows('memory', memoryTexts(report)),
    ...findingLines(
      report,
      new Set([...said, ...report.unreachable.slice(0, MAX_LINES_SHOWN).map(({ detail }) => detail)]),
      page
    ),
    ...rows('profile', report.profile === null ? [] : [words.profileText(report.profile, WRITING)]),
    ...rows('state hash', stateHashTexts(report)),
    ...rows('date', [dateText(report)]),
    ...rows('time', [words.timingsText(report.timings)]),
    ...rows('tool', [words.toolText(report.tool, WRITING)]),
    ...nextLines(options.next, page)
  ]
  return lines.map((line) => `${line}\n`).join('')
}

/** The command has a line of its own and is never wrapped, so that it can be copied. */
function nextLines(next: NextStep | undefined, { rows }: Page): readonly string[] {
  return next === undefined ? [] : [...rows('next', [`${next.why}:`]), `  ${next.command}`]
}

function headlineLines(report: Report, { colors, wrapped }: Page): readonly string[] {
  const verdict = report.verdict.toUpperCase()
  const [first = '', ...more] = wrapped(words.headline(report, WRITING), verdict.length + 2, LABEL_COLUMNS)
  return [`${colors.bold(colors[VERDICT_COLOR[report.verdict]](verdict))}  ${first}`, ...more]
}

/** A line for each checkpoint that differs; the ranges are in the other renderings. */
function memoryTexts({ checkpoints }: Report): readonly string[] {
  return checkpoints.flatMap(({ id, memory }) => {
    if (memory === undefined) return []
    const [first] = memory.ranges
    const where = first === undefined ? '' : `, first at ${words.addressText(first.offset)} (${first.place})`
    return [`${value(id)}: ${words.memoryText(memory)}${where}`]
  })
}

function limited(texts: readonly string[]): readonly string[] {
  if (texts.length <= MAX_LINES_SHOWN) return texts
  return [...texts.slice(0, MAX_LINES_SHOWN), `… and ${texts.length - MAX_LINES_SHOWN} more, see --json`]
}

/** The headline of an inconclusive report is its first reason. */
function headlineReason(report: Report): readonly string[] | undefined {
  return report.verdict === 'inconclusive' ? words.decisive(report).slice(0, 1) : undefined
}

/** The reasons that decide the verdict, without the one in the headline; and all other reasons. */
function otherReasons(report: Report): { readonly why: readonly string[]; readonly but: readonly string[] } {
  const why = words.decisive(report)
  return { why: report.verdict === 'inconclusive' ? why.slice(1) : why, but: report.remarks }
}

function ruleTexts(report: Report): readonly string[] {
  const rules = words.citedRules(report)
  return rules.length === 0 ? [] : [`all ${rules.length} of ${words.RULES_PAGE} hold: ${rules.join(', ')}`]
}

/** Does not repeat sentences that the summary already contains. */
function absenceLines({ unreachable }: Report, said: ReadonlySet<string>, { rows }: Page): readonly string[] {
  const shown = unreachable.map((unit) => ({ label: words.absenceName(unit), text: words.absenceText(unit, said, WRITING) }))
  return [...new Set(shown.map(({ label }) => label))].flatMap((label) => {
    return rows(
      label,
      shown.flatMap((one) => (one.label === label ? one.text : []))
    )
  })
}

function divergenceLines(report: Report, page: Page): readonly string[] {
  const { colors, wrapped } = page
  const shown = words.shownDivergence(report)
  if (shown === undefined) return []
  const { differences, differencesCut = 0, message, claimant } = shown.divergence
  const more = Math.max(0, differences.length - MAX_DIFFERENCES_SHOWN) + differencesCut
  const name = `${words.evaluationTitle(shown.divergence, value)}, claimed by ${value(claimant)}`
  return [
    '',
    ...wrapped(`${shown.title}: ${name}`, 0, 2, colors.bold),
    ...(message === undefined ? [] : wrapped(`  message ${value(message)}`, 0, 4)),
    ...differences.slice(0, MAX_DIFFERENCES_SHOWN).flatMap((difference) => differenceLines(difference, page)),
    ...(more > 0 ? [`  … and ${counted(more, 'more difference', 'more differences')}`] : [])
  ]
}

/** Shows both values from where they begin to differ. */
function differenceLines(difference: ReportedDifference, { colors, wrapped }: Page): readonly string[] {
  const [claimed, computed] = differingTexts(difference, VALUE_CHARS - CUT_MARK_CHARS)
  const side = (label: string, text: string, paint: (line: string) => string) => {
    const [first = '', ...more] = wrapped(safe(text, VALUE_CHARS), LABEL_COLUMNS, LABEL_COLUMNS, paint)
    return [`    ${label.padEnd(LABEL_COLUMNS - 4)}${first}`, ...more]
  }
  const path = words.pathText(difference, (text) => safe(text, VALUE_CHARS))
  return [
    ...wrapped(path, 2, 4).map((line, index) => (index === 0 ? `  ${line}` : line)),
    ...side('claimed', claimed, colors.red),
    ...side('computed', computed, colors.green)
  ]
}

function aboutProcess({ processId, process, range }: Report, { rows }: Page): readonly string[] {
  if (process === null) return rows('process', [value(processId)])
  const { id, sha256, format } = process.module
  return [
    ...rows('process', [value(process.id)]),
    ...rows('module', [`${value(id)} (${value(format)})`]),
    ...rows('module sha256', [value(sha256)]),
    ...rows('scheduler', [value(process.scheduler)]),
    ...rows('range', range === null ? [] : [`nonces ${range.from} to ${range.to}`])
  ]
}

function comparedTexts({ claimants, coverage }: Report): readonly string[] {
  if (claimants.length === 0) return [`${words.comparedOf(coverage)}, with no claimant`]
  return claimants.map((claimant) => {
    const role = claimant.audited ? '' : ', not audited'
    return `${words.comparedOf(claimant.coverage)}, by ${words.claimantName(claimant, WRITING)}: ${claimant.verdict}${role}`
  })
}

function evaluationTexts({ evaluations, evaluationsCut }: Report): readonly string[] {
  if (evaluations.length === 0) return []
  const cut = evaluationsCut === 0 ? '' : `, ${evaluationsCut} left out`
  return [`not a plain match: ${words.countedBy(evaluations.map(({ status }) => status))}${cut}`]
}

/** One line for each kind, with the first finding in full, unless the summary already contains its detail. */
function findingLines({ findings, findingsCut }: Report, said: ReadonlySet<string>, page: Page): readonly string[] {
  const { colors, rows, wrapped } = page
  if (findings.length === 0) return rows('findings', ['none'])
  const groups = words.groupFindings(findings)
  const shown = groups.slice(0, MAX_GROUPS_SHOWN)
  const columnsOf = (text: (group: words.FindingGroup) => string) => Math.max(...shown.map((group) => text(group).length))
  const severityColumns = columnsOf(({ first }) => first.severity)
  const codeColumns = columnsOf(({ first }) => first.code)
  const countColumns = columnsOf(({ count }) => `×${count}`)
  const lines = shown.flatMap(({ first, count }) => {
    const kind = `  ${first.code.padEnd(codeColumns)}  ${`×${count}`.padEnd(countColumns)}  `
    const detail = said.has(first.detail) ? '' : `: ${sentence(first.detail)}`
    const begin = 2 + severityColumns + kind.length
    const [text = '', ...more] = wrapped(`${words.findingPlace(first)}${detail}`, begin, FINDING_INDENT)
    const severity = first.severity.padEnd(severityColumns)
    return [`  ${colors[SEVERITY_COLOR[first.severity]](severity)}${kind}${text}`.trimEnd(), ...more]
  })
  const hidden = groups.length - shown.length
  return [
    colors.dim('findings'),
    ...lines,
    ...(hidden > 0 ? [`  … and ${counted(hidden, 'more kind', 'more kinds')}, see --json`] : []),
    ...(findingsCut > 0 ? [`  … and ${findingsCut} left out of the report`] : [])
  ]
}

/** The other renderings show the digests in full. */
function dateText({ date, digest, inputsDigest }: Report): string {
  const start = (text: string) => value(text.slice(0, DIGEST_CHARS))
  const inputs = inputsDigest === null ? '' : `inputs ${start(inputsDigest)}, `
  return `${value(date)}, ${inputs}report ${start(digest)}`
}

function stateHashTexts({ stateHashes }: Report): readonly string[] {
  return Object.entries(stateHashes).map(([nonce, hash]) => `nonce ${value(nonce)}: ${value(hash)}`)
}
