import { describe, expect, expectTypeOf, it } from 'vitest'
import type { z } from 'zod'
import { buildReport } from '../../src/report/build.ts'
import type { Report } from '../../src/report/model.ts'
import type { reportSchema } from '../../src/report/schema.ts'
import { expectSchema } from './fits-schema.ts'
import { dishonest, finding, parts } from './fixtures.ts'

type Writable<T> = T extends object ? { -readonly [Key in keyof T]: Writable<T[Key]> } : T

describe('the schema of a report', () => {
  it('equals the type Report', () => {
    expectTypeOf<z.infer<typeof reportSchema>>().toEqualTypeOf<Writable<Report>>()
  })

  it('is checked for every report that a test builds', () => {
    expect(() => buildReport(parts({ processId: 7 as never }))).toThrow('processId')
  })

  it.each<[string, (report: Report) => unknown, string]>([
    ['a field of another type', (report) => ({ ...report, findingsCut: '0' }), 'findingsCut'],
    ['a missing field', (report) => ({ ...report, range: undefined }), 'range'],
    ['an unknown finding code', (report) => ({ ...report, findings: [finding({ code: 'GUESSED' as never })] }), 'code'],
    ['too many findings', (report) => ({ ...report, findings: Array(1_001).fill(finding()) }), 'findings'],
    ['a string in place of a hash', (report) => ({ ...report, stateHashes: { 3: 'AB' } }), 'stateHashes'],
    ['a field without a schema', (report) => ({ ...report, more: 1 }), 'does not name']
  ])('makes a test fail for a report with %s', (_, altered, message) => {
    const report = buildReport(parts({ claimants: [dishonest()] }))
    expect(() => expectSchema(altered(report) as Report)).toThrow(message)
  })
})
