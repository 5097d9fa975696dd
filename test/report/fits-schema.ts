/** Checks a report against both forms of its schema. */
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { reportJson } from '../../src/report/json.ts'
import type { Report } from '../../src/report/model.ts'
import { reportSchema } from '../../src/report/schema.ts'

const ajv = new Ajv2020({ validateFormats: false })
const fitsJsonSchema = ajv.compile(JSON.parse(readFileSync('docs/report-schema.json', 'utf8')))

/** @throws Error if the report does not fit, or has a field that the schema does not name */
export function expectSchema(report: Report): Report {
  const value: unknown = JSON.parse(reportJson(report))
  // Parsing drops fields that the schema does not name.
  const known = reportSchema.parse(value)
  if (!isDeepStrictEqual(known, value)) throw new Error('the report has fields that src/report/schema.ts does not name')
  if (!fitsJsonSchema(value))
    throw new Error(`the report does not fit docs/report-schema.json: ${ajv.errorsText(fitsJsonSchema.errors)}`)
  return report
}
