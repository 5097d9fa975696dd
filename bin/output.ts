/** Where a report goes: stdout, files, the terminal's width and colours. */
import { AuditError } from '../src/model/errors.ts'
import { reportJson } from '../src/report/json.ts'
import { renderMarkdown } from '../src/report/markdown.ts'
import type { Report } from '../src/report/model.ts'
import type { NextStep } from '../src/report/terminal.ts'
import { findOutput, type OutputTarget, writeOutput } from '../src/store/output-file.ts'
import { defined } from '../src/util/defined.ts'
import type { Shell } from './shell.ts'

/** The name of stdout on the command line. */
export const STDOUT = '-'

export interface OutputOptions {
  /** true: the option without a file. */
  readonly json?: string | true
  readonly markdown?: string
  readonly evaluations?: string
}

/** `stdout` replaces the summary. */
export type Output = OutputTarget | 'stdout'

/** The output of each requested form of a report. */
export type ReportOutputs = Readonly<Partial<Record<keyof OutputOptions, Output>>>

/** Lines in a file or a pipe are not wrapped, because programs read them line by line. */
const DEFAULT_WIDTH = Number.POSITIVE_INFINITY

/**
 * Checks that the files can be written, before hours of work. Existing files stay unchanged until the report is complete.
 *
 * @throws AuditError `OUTPUT_UNUSABLE`; `USAGE` if two of them go to stdout
 */
export async function findOutputs(options: OutputOptions): Promise<ReportOutputs> {
  const found: Partial<Record<keyof OutputOptions, Output>> = {}
  for (const name of ['json', 'markdown', 'evaluations'] as const) {
    const file = options[name]
    if (file !== undefined) found[name] = file === true || file === STDOUT ? 'stdout' : await findOutput(file)
  }
  const printed = Object.entries(found).flatMap(([name, output]) => (output === 'stdout' ? `--${name}` : []))
  if (printed.length > 1) {
    throw new AuditError('USAGE', `${printed.join(' and ')} cannot both go to stdout`, { hint: 'name a file for one of them' })
  }
  return found
}

/**
 * Writes the report in all requested forms.
 *
 * @param next the next step for the user, for the summary
 * @throws AuditError `OUTPUT_UNUSABLE`, `INTERRUPTED`
 */
export async function writeReport(report: Report, outputs: ReportOutputs, shell: Shell, next?: NextStep): Promise<void> {
  const write = async (output: Output | undefined, render: (report: Report) => string) => {
    if (output === 'stdout') await shell.print(render(report))
    else if (output !== undefined) await writeOutput(output, render(report), shell.signal)
  }
  await write(outputs.markdown, renderMarkdown)
  await write(outputs.json, reportJson)
  if (!Object.values(outputs).includes('stdout')) await shell.print(await summaryOf(report, shell, next))
}

/** Loads the renderer only if the summary is needed. */
async function summaryOf(report: Report, { stdout }: Shell, next: NextStep | undefined): Promise<string> {
  const { renderTerminal } = await import('../src/report/terminal.ts')
  const color = isColoured(stdout.isTTY)
  return renderTerminal(report, { color, width: stdout.columns ?? DEFAULT_WIDTH, ...defined({ next }) })
}

/** See https://no-color.org and https://force-color.org. */
function isColoured(isTTY: boolean): boolean {
  const { NO_COLOR = '', FORCE_COLOR = '' } = process.env
  return NO_COLOR === '' && (isTTY ? FORCE_COLOR !== '0' : !['', '0'].includes(FORCE_COLOR))
}
