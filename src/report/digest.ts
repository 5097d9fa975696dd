/** The digest of a report: it identifies the report and reveals alterations. */
import { createHash } from 'node:crypto'
import { canonicalJson } from '../util/canonical-json.ts'
import type { Report } from './model.ts'

/** Adds the digest: the SHA-256, in lowercase hex, of the UTF-8 of the canonical JSON (RFC 8785) of all other fields. */
export function withDigest(report: Omit<Report, 'digest'>): Report {
  return { ...report, digest: digestOf(report) }
}

/**
 * Tells whether a report still has the content for which its digest was computed. The digest is no signature: anybody who alters a
 * report can compute it again. It proves something only to those who know it from another source.
 *
 * @param report as `audit` or `parseReport` returns it; fields that this version does not know count as well
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
