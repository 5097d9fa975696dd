/** The digest by which a report is known, and by which one that was altered shows. */
import { createHash } from 'node:crypto'
import { canonicalJson } from '../util/canonical-json.ts'
import type { Report } from './model.ts'

/** The report with its digest: SHA-256, in lowercase hex, over the UTF-8 of the canonical JSON (RFC 8785) of all its other fields. */
export function withDigest(report: Omit<Report, 'digest'>): Report {
  return { ...report, digest: digestOf(report) }
}

/**
 * Whether a report is as it was when its digest was made. The digest is no signature: whoever alters a report can make it anew. It
 * proves something where it is known from elsewhere.
 *
 * @param report as `audit` or `parseReport` gives it; fields that this version does not know count, too
 *
 * @example
 * ```ts
 * const report = parseReport(await readFile('report.json', 'utf8'))
 * if (!verifyReportDigest(report)) console.error('the report was altered')
 * ```
 */
export function verifyReportDigest(report: Report): boolean {
  const { digest, ...rest } = report
  return digest === digestOf(rest)
}

function digestOf(report: Omit<Report, 'digest'>): string {
  return createHash('sha256').update(canonicalJson(report)).digest('hex')
}
