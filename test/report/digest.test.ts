import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { buildReport } from '../../src/report/build.ts'
import { verifyReportDigest } from '../../src/report/digest.ts'
import { reportJson } from '../../src/report/json.ts'
import type { Report } from '../../src/report/model.ts'
import { parseReport } from '../../src/report/parse.ts'
import { DIVERGENCE, dishonest, finding, HOSTILE, parts } from './fixtures.ts'

const differences = [{ path: 'Output', claimed: undefined, computed: { [HOSTILE]: [HOSTILE, 0.1, null], 10: 1, 9: 2 } }]
const report = buildReport(
  parts({
    claimants: [dishonest({ firstDivergence: { ...DIVERGENCE, differences } })],
    findings: [finding({ detail: HOSTILE })]
  })
)

/** Yields every report that differs in one value, with the path of that value. */
function* changes(value: unknown, path: string): Generator<readonly [path: string, changed: unknown]> {
  if (typeof value !== 'object' || value === null) return yield [path, value === 1 ? 2 : 1]
  for (const [key, member] of Object.entries(value))
    for (const [inner, changed] of changes(member, `${path}.${key}`)) {
      const copy: unknown = Array.isArray(value) ? [...value] : { ...value }
      yield [inner, Object.assign(copy as object, { [key]: changed })]
    }
}

describe('the digest of a report', () => {
  it('is the SHA-256 of the canonical JSON of all other fields', () => {
    const plain = buildReport(parts())
    const sorted = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(sorted)
      if (typeof value !== 'object' || value === null) return value
      return Object.fromEntries(
        Object.entries(value)
          .sort(([left], [right]) => (left < right ? -1 : 1))
          .map(([key, member]) => [key, sorted(member)])
      )
    }
    const text = JSON.stringify(sorted({ ...plain, digest: undefined }))
    expect(plain.digest).toBe(createHash('sha256').update(text).digest('hex'))
  })

  it('is valid for the report as built and as read from its JSON', () => {
    expect(verifyReportDigest(report)).toBe(true)
    expect(verifyReportDigest(parseReport(reportJson(report)))).toBe(true)
    expect(verifyReportDigest(JSON.parse(JSON.stringify(report)))).toBe(true)
  })

  it('becomes invalid when any value changes', () => {
    const altered = [...changes(JSON.parse(reportJson(report)), 'report')]
    expect(altered.length).toBeGreaterThan(80)
    expect(altered.flatMap(([path, changed]) => (verifyReportDigest(changed as Report) ? path : []))).toEqual([])
  })

  it('becomes invalid when a field is added or removed', () => {
    expect(verifyReportDigest({ ...report, more: 1 } as Report)).toBe(false)
    expect(verifyReportDigest({ ...report, tool: { ...report.tool, more: 1 } } as Report)).toBe(false)
    const { notChecked: _left, ...less } = report
    expect(verifyReportDigest(less as Report)).toBe(false)
  })
})
