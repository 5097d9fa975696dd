/** Where a report goes: stdout, files, the terminal's width and colours. */
import { reportJson } from '../src/report/json.ts'
import { renderMarkdown } from '../src/report/markdown.ts'
import type { Report } from '../src/report/model.ts'
import { findOutput, type OutputTarget, writeOutput } from '../src/store/output-file.ts'
import type { Shell } from './shell.ts'

export interface OutputOptions {
  /** true: to stdout in place of the summary. */
  readonly json?: string | true
  readonly markdown?: string
  readonly evaluations?: string
}

/** Where the forms of a report go that were asked for. */
export interface ReportOutputs {
  readonly json?: OutputTarget | true
  readonly markdown?: OutputTarget
  readonly evaluations?: OutputTarget
}

/** In a file or a pipe no line is broken: what reads it goes by lines. */
const DEFAULT_WIDTH = Number.POSITIVE_INFINITY

/**
 * Whether the files can be written, before hours of work. What lies there stays until the report is made.
 *
 * @throws AuditError `OUTPUT_UNUSABLE`
 */
export async function findOutputs({ json, markdown, evaluations }: OutputOptions): Promise<ReportOutputs> {
  return {
    ...(json === undefined ? {} : { json: json === true ? json : await findOutput(json) }),
    ...(markdown === undefined ? {} : { markdown: await findOutput(markdown) }),
    ...(evaluations === undefined ? {} : { evaluations: await findOutput(evaluations) })
  }
}

/**
 * Writes the report as asked for.
 *
 * @throws AuditError `OUTPUT_UNUSABLE`, `INTERRUPTED`
 */
export async function writeReport(report: Report, { json, markdown }: ReportOutputs, shell: Shell): Promise<void> {
  if (markdown !== undefined) await writeOutput(markdown, renderMarkdown(report), shell.signal)
  if (json !== undefined && json !== true) await writeOutput(json, reportJson(report), shell.signal)
  await shell.print(json === true ? reportJson(report) : await summaryOf(report, shell))
}

/** Loaded where it is asked for. */
async function summaryOf(report: Report, { stdout }: Shell): Promise<string> {
  const { renderTerminal } = await import('../src/report/terminal.ts')
  // Colours only where somebody sees them (https://no-color.org).
  const color = stdout.isTTY && (process.env['NO_COLOR'] ?? '') === ''
  return renderTerminal(report, { color, width: stdout.columns ?? DEFAULT_WIDTH })
}
