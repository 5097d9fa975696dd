/** Reads reports that somebody else wrote. */
import { AuditError } from '../model/errors.ts'
import { defined } from '../util/defined.ts'
import { boundedJson, nestsDeeperThan } from '../util/json-depth.ts'
import { scanJson } from '../util/json-scan.ts'
import { boundText } from './bounds.ts'
import type { Report } from './model.ts'
import { reportSchema } from './schema.ts'

/** Characters of JSON: more than a report can have within its bounds, even if every character of its values is escaped. */
const MAX_CHARS = 384 * 1024 * 1024
/** Levels of JSON: those of a value that differs, and those around it. */
const MAX_DEPTH = 100
/** Characters of the reason for a refusal, which may contain a key from outside. */
const MAX_REASON_CHARS = 300

/**
 * Reads a report of the schema `ao-audit/report/v1`. Fields that this version does not know stay in it. `verifyReportDigest` tells
 * whether the report was altered; only another audit tells whether it is true.
 *
 * @param report the JSON text that `--json` and `reportJson` write, or the value that `JSON.parse` returns for it
 * @returns a copy of plain data
 * @throws AuditError `REPORT_INVALID` if the text is no JSON, is longer than 384 Mi characters, nests deeper than 100 levels or has a key
 *   twice, or if a field is missing or has a value that the schema does not allow
 *
 * @example
 * ```ts
 * const report = parseReport(await readFile('report.json', 'utf8'))
 * console.log(report.verdict, report.firstDivergence?.nonce)
 * ```
 */
export function parseReport(report: unknown): Report {
  const text = typeof report === 'string' ? report : boundedJson(report, MAX_DEPTH)
  if (text === undefined) throw invalid(`it cannot be written as JSON of at most ${MAX_DEPTH} levels`)
  if (text.length > MAX_CHARS) throw invalid(`it has more than ${MAX_CHARS} characters`)
  if (nestsDeeperThan(text, MAX_DEPTH)) throw invalid(`it nests deeper than ${MAX_DEPTH} levels`)
  const value = parsed(text)
  const [issue] = reportSchema.safeParse(value).error?.issues ?? []
  if (issue !== undefined) throw invalid(issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`)
  return value as Report
}

/** Refuses a key that an object has twice, because two readers could take different values. */
function parsed(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw invalid('it is not JSON', cause)
  }
  scanJson(Buffer.from(text), {
    key(path, twice) {
      if (twice) throw invalid(`it has the key ${path.join('.')} twice`)
    },
    number() {},
    text() {},
    value() {}
  })
  return value
}

function invalid(reason: string, cause?: unknown): AuditError {
  return new AuditError('REPORT_INVALID', `this is not a report of ao-audit: ${boundText(reason, MAX_REASON_CHARS)}`, {
    hint: 'a report is what `ao-audit audit --json` writes, ao-audit/report/v1',
    ...defined({ cause })
  })
}
