/** The report as a page: GitHub-flavoured Markdown, values from outside as code spans. */

import { codeSpan, markdownSentence } from '../util/escape.ts'
import { differingTexts } from './bounds.ts'
import type { CheckpointReport, ClaimantReport, Report, ReportedEvaluation } from './model.ts'
import * as words from './report-words.ts'

/** The limit for rows of one table; the JSON has all of them. */
const MAX_ROWS = 100
const VALUE_CHARS = 400

/**
 * Renders the report as Markdown: the contents of the summary, and tables (claimants, evaluations that are not a plain match,
 * checkpoints, findings, state hashes). Each table has at most 100 rows, and a count of the rest.
 */
export function renderMarkdown(report: Report): string {
  const said = new Set(report.reasons)
  const sections = [
    headlineSection(report),
    list('Why', words.decisive(report).map(sentence)),
    list('But', report.remarks.map(sentence)),
    rulesSection(report),
    list('Taken on trust', report.trusted.map(sentence)),
    list(
      'No usable answer',
      report.unreachable.map((unit) => `${words.absenceName(unit)}: ${words.absenceText(unit, said, WRITING)}`)
    ),
    divergenceSection(report),
    table('What was audited', ['', ''], aboutRows(report)),
    list('Not checked', words.notCheckedTexts(report, WRITING)),
    table('Claimants', ['claimant', 'audited', 'verdict', 'compared', 'why', 'but'], report.claimants.map(claimantRow)),
    table(
      'Tolerated',
      ['claimant', 'tolerance', 'count', 'bits', 'first at'],
      report.claimants.filter(({ audited }) => audited).flatMap(toleranceRows)
    ),
    table('Findings', ['severity', 'code', 'about', 'nonce', 'count', 'detail'], findingRows(report), report.findingsCut),
    table(
      'Evaluations that are not a plain match',
      ['evaluation', 'message', 'status', 'claimant', 'differences'],
      report.evaluations.map(evaluationRow),
      report.evaluationsCut
    ),
    table(
      'Checkpoints',
      ['id', 'nonce', 'signer', 'status', 'claimed', 'data', 'computed'],
      report.checkpoints.map(checkpointRow)
    ),
    table(
      'Memories that differ',
      ['checkpoint', 'what', 'place', 'at', 'bytes', 'claimed', 'computed'],
      report.checkpoints.flatMap(memoryRows)
    ),
    table(
      'State hashes',
      ['after nonce', 'SHA-256'],
      Object.entries(report.stateHashes).map((entry) => entry.map((text) => code(text)))
    )
  ]
  return `${sections
    .filter((section) => section.length > 0)
    .map((section) => section.join('\n'))
    .join('\n\n')}\n`
}

/** The limit for each side of a range of memory with its surroundings, in hex or text. */
const MEMORY_CHARS = 200

const WRITING: words.Writing = {
  value: (text) => codeSpan(text, words.ID_CHARS),
  sentence: (text) => markdownSentence(text, words.SENTENCE_CHARS)
}
const { sentence, value } = WRITING

function code(text: string, maxChars = words.ID_CHARS): string {
  return codeSpan(text, maxChars)
}

function headlineSection(report: Report): readonly string[] {
  const tolerated = words.toleratedTexts(report, WRITING).map((text) => `Tolerated: ${text}`)
  const lines = [words.headline(report, WRITING), ...tolerated]
  return [`# ao-audit: ${report.verdict.toUpperCase()}`, ...lines.flatMap((line) => ['', line])]
}

function rulesSection(report: Report): readonly string[] {
  const rules = words.citedRules(report)
  if (rules.length === 0) return []
  const names = rules.map((rule) => code(rule)).join(', ')
  return ['## Rules of accusation', '', `All ${rules.length} rules of ${code(words.RULES_PAGE)} hold: ${names}.`]
}

function list(title: string, items: readonly string[]): readonly string[] {
  return items.length === 0 ? [] : [`## ${title}`, '', ...items.map((item) => `- ${item}`)]
}

/** @param cut how many rows the report itself left out */
function table(title: string, head: readonly string[], rows: readonly (readonly string[])[], cut = 0): readonly string[] {
  if (rows.length === 0) return []
  const more = Math.max(0, rows.length - MAX_ROWS) + cut
  return [
    `## ${title}`,
    '',
    tableRow(head),
    tableRow(head.map(() => '---')),
    ...rows.slice(0, MAX_ROWS).map(tableRow),
    ...(more === 0 ? [] : ['', `… and ${more} more.`])
  ]
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

function divergenceSection(report: Report): readonly string[] {
  const shown = words.shownDivergence(report)
  if (shown === undefined) return []
  const { differences, differencesCut, message, claimant } = shown.divergence
  const rows = differences.map((difference) => {
    const [claimed, computed] = differingTexts(difference, VALUE_CHARS)
    const path = words.pathText(difference, (text) => code(text, VALUE_CHARS))
    return [path, code(claimed, VALUE_CHARS), code(computed, VALUE_CHARS)]
  })
  const [heading, ...body] = table(shown.title, ['path', 'claimed', 'computed'], rows, differencesCut)
  const where = `${words.evaluationTitle(shown.divergence, value)}${message === undefined ? '' : `, message ${code(message)}`}`
  return heading === undefined ? [] : [heading, '', `${where}, claimed by ${code(claimant)}`, ...body]
}

function aboutRows({
  date,
  digest,
  inputsDigest,
  processId,
  process,
  range,
  coverage,
  profile,
  timings,
  tool
}: Report): readonly (readonly string[])[] {
  const about =
    process === null
      ? [['process', code(processId)]]
      : [
          ['process', code(process.id)],
          ['owner', code(process.owner)],
          ['scheduler', code(process.scheduler)],
          ['module', `${code(process.module.id)} (${code(process.module.format)})`],
          ['module SHA-256', code(process.module.sha256)]
        ]
  return [
    ...about,
    ...(range === null ? [] : [['range', `nonces ${range.from} to ${range.to}`]]),
    ['compared', words.comparedOf(coverage)],
    ...(profile === null
      ? []
      : [
          ['profile', words.profileText(profile, WRITING)],
          ['environment', profile.environment.map((variable) => code(variable)).join('<br>')]
        ]),
    ['date', code(date)],
    ...(inputsDigest === null ? [] : [['inputs SHA-256', code(inputsDigest)]]),
    ['report SHA-256', code(digest)],
    ['time', words.timingsText(timings)],
    ['tool', words.toolText(tool, WRITING)]
  ]
}

function claimantRow(claimant: ClaimantReport): readonly string[] {
  return [
    words.claimantName(claimant, WRITING),
    claimant.audited ? 'yes' : 'no',
    claimant.verdict,
    words.comparedOf(claimant.coverage),
    words.decisive(claimant).map(sentence).join('<br>'),
    claimant.remarks.map(sentence).join('<br>')
  ]
}

function toleranceRows({ id, tolerances }: ClaimantReport): readonly (readonly string[])[] {
  return tolerances.map(({ kind, count, bits, first }) => [
    code(id),
    code(kind),
    String(count),
    String(bits),
    first === undefined ? 'all of them' : words.keyName(first, value)
  ])
}

function findingRows({ findings }: Report): readonly (readonly string[])[] {
  return findings.map(({ severity, code: findingCode, attribution, claimant, nonce, count = 1, detail }) => [
    severity,
    findingCode,
    claimant === undefined ? attribution : `${attribution} ${code(claimant)}`,
    nonce === undefined ? '' : String(nonce),
    String(count),
    sentence(detail)
  ])
}

function evaluationRow(evaluation: ReportedEvaluation): readonly string[] {
  const { message, status, claimant, reason, differences = [], differencesCut = 0 } = evaluation
  const count = differences.length + differencesCut
  const [first] = differences
  return [
    words.evaluationTitle(evaluation, value),
    message === undefined ? '' : code(message),
    reason === undefined ? status : `${status}: ${sentence(reason)}`,
    claimant === undefined ? '' : code(claimant),
    first === undefined ? '' : `${count}, first at ${words.pathText(first, value)}`
  ]
}

/** One row for the whole memory, and one for each range that is shown. */
function memoryRows({ id, memory }: CheckpointReport): readonly (readonly string[])[] {
  if (memory === undefined) return []
  const cut = memory.cut === 0 ? '' : `, ${memory.cut} further ranges not shown`
  return [
    [code(id), `${words.memoryText(memory)}${cut}`, '', '', '', '', ''],
    ...memory.ranges.map(({ offset, length, place, a, b }) => [
      code(id),
      'range',
      place,
      words.addressText(offset),
      String(length),
      `${code(a.hex, MEMORY_CHARS)} ${code(a.text, MEMORY_CHARS)}`,
      `${code(b.hex, MEMORY_CHARS)} ${code(b.text, MEMORY_CHARS)}`
    ])
  ]
}

function checkpointRow(checkpoint: CheckpointReport): readonly string[] {
  const { id, nonce, signer, status, claimedSha256, dataSha256, computedSha256 } = checkpoint
  const hashes = [claimedSha256, dataSha256, computedSha256].map((hash) => (hash === null ? '' : code(hash)))
  return [code(id), String(nonce), code(signer), status, ...hashes]
}
