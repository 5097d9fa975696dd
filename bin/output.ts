/** Where a report goes: stdout, files, the terminal's width and colours. */
import { writeFile } from 'node:fs/promises'
import { AuditError } from '../src/errors.ts'
import { reportJson } from '../src/report/json.ts'
import { renderMarkdown } from '../src/report/markdown.ts'
import type { Report } from '../src/report/model.ts'

export interface OutputOptions {
  /** true: to stdout in place of the summary. */
  readonly json?: string | true
  readonly markdown?: string
}

const DEFAULT_WIDTH = 100

/** Writes the report as asked for. */
export async function writeReport(report: Report, { json, markdown }: OutputOptions): Promise<void> {
  if (markdown !== undefined) await writeTo(markdown, renderMarkdown(report))
  if (typeof json === 'string') await writeTo(json, reportJson(report))
  process.stdout.write(json === true ? reportJson(report) : await summaryOf(report))
}

/** Loaded where it is asked for: its tables take a while. */
async function summaryOf(report: Report): Promise<string> {
  const { renderTerminal } = await import('../src/report/terminal.ts')
  return renderTerminal(report, { color: wantsColor(), width: process.stdout.columns ?? DEFAULT_WIDTH })
}

/** Colours only where somebody sees them (https://no-color.org). */
function wantsColor(): boolean {
  return process.stdout.isTTY === true && (process.env['NO_COLOR'] ?? '') === ''
}

/**
 * Whether the files can be written, before hours of work.
 *
 * @throws AuditError `USAGE`
 */
export async function checkOutputs({ json, markdown }: OutputOptions): Promise<void> {
  for (const file of [json, markdown]) if (typeof file === 'string') await writeTo(file, '')
}

/** Writes a file that the user named. */
async function writeTo(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text)
  } catch (error) {
    throw new AuditError('USAGE', `the file ${file} cannot be written`, { cause: error })
  }
}
