import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AuditError } from '../../src/model/errors.ts'
import { buildReport } from '../../src/report/build.ts'
import { reportJson } from '../../src/report/json.ts'
import { parseReport } from '../../src/report/parse.ts'
import { claimant, DIVERGENCE, dishonest, finding, HOSTILE, parts } from './fixtures.ts'

const report = buildReport(parts({ claimants: [dishonest()], findings: [finding({ detail: HOSTILE })] }))
const text = reportJson(report)

function reasonOf(given: unknown): string {
  try {
    parseReport(given)
  } catch (error) {
    if (error instanceof AuditError && error.code === 'REPORT_INVALID') return error.message
    throw error
  }
  return 'it is a report'
}

/** The report with another value at a path, whose last part may be new. */
function altered(path: string, value: unknown): unknown {
  const copy = JSON.parse(text)
  const names = path.split('.')
  const last = names.pop() ?? ''
  names.reduce((part, name) => part[name], copy)[last] = value
  return copy
}

describe('parseReport', () => {
  it('reads the text that reportJson writes, and the value that JSON.parse returns for it', () => {
    expect(parseReport(text)).toEqual(report)
    expect(parseReport(JSON.parse(text))).toEqual(report)
    expect(parseReport(report)).toEqual(report)
  })

  it('reads differences of any JSON values', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (claimed, computed) => {
        const firstDivergence = { ...DIVERGENCE, differences: [{ path: 'Output', claimed, computed }] }
        const json = reportJson(buildReport(parts({ claimants: [dishonest({ firstDivergence })] })))
        expect(reportJson(parseReport(json))).toBe(json)
      })
    )
  })

  it('reads a report with values as large and deep as the bounds allow', () => {
    const nested = (levels: number): unknown => (levels === 0 ? 'x' : [nested(levels - 1)])
    const differences = Array.from({ length: 60 }, () => ({
      path: 'Output',
      claimed: nested(64),
      computed: '\u200b'.repeat(99_999)
    }))
    const built = buildReport(parts({ claimants: [claimant({ firstDivergence: { ...DIVERGENCE, differences } })] }))
    expect(parseReport(reportJson(built))).toEqual(built)
  })

  it('keeps unknown fields at every level', () => {
    for (const path of ['more', 'coverage.more', 'claimants.0.more', 'findings.0.more', 'tool.more'])
      expect(parseReport(altered(path, { a: [1] }))).toEqual(altered(path, { a: [1] }))
  })

  it('does not change a prototype', () => {
    const given = text.replace('{', '{"__proto__":{"polluted":1},')
    expect(Object.getPrototypeOf(parseReport(given))).toBe(Object.prototype)
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
  })

  it.each<[string, unknown, RegExp]>([
    ['a text that is not JSON', '{', /it is not JSON$/],
    ['an empty text', '', /it is not JSON$/],
    ['nothing', undefined, /cannot be written as JSON/],
    ['null', null, /expected object/],
    ['a list', [], /expected object/],
    ['an object without the fields of a report', { schema: 'x' }, /schema: .*"ao-audit\/report\/v1"/],
    ['a later version', altered('schema', 'ao-audit/report/v2'), /schema: /],
    ['an unknown verdict', altered('verdict', 'perhaps'), /verdict: .*"match"\|"mismatch"\|"inconclusive"/],
    ['a string in place of a count', altered('coverage.compared', '4'), /coverage\.compared: .*expected int|number/],
    ['a negative count', altered('findingsCut', -1), /findingsCut: /],
    ['null in place of a string', altered('claimants.0.address', null), /claimants\.0\.address: /],
    ['an unknown finding code', altered('findings.0.code', 'GUESSED'), /findings\.0\.code: /],
    ['an unknown rule', altered('claimants.0.rules.0', 'because'), /claimants\.0\.rules\.0: /],
    ['a string in place of a hash', altered('process.module.sha256', 'ab'), /process\.module\.sha256: /],
    ['an object in place of a list', altered('evaluations', {}), /evaluations: .*expected array/],
    ['a key that occurs twice', text.replace('"verdict"', '"verdict": "match", "verdict"'), /the key verdict twice$/],
    ['a nested key that occurs twice', text.replace('"compared"', '"compared": 1, "compared"'), /coverage\.compared twice$/],
    ['nesting beyond the limit', text.replace('{', `{"a":${'['.repeat(100)}${']'.repeat(100)},`), /deeper than 100 levels$/],
    ['a million open brackets', '['.repeat(1_000_000), /deeper than 100 levels$/],
    [
      'a value that contains itself',
      Object.assign([], {
        0: report,
        get 1() {
          return this
        }
      }),
      /cannot be written/
    ]
  ])('refuses %s', (_, given, reason) => {
    expect(reasonOf(given)).toMatch(reason)
  })

  it('bounds the message when a key from outside is part of it', () => {
    expect(reasonOf(altered(`stateHashes.${'k'.repeat(10_000)}`, 1)).length).toBeLessThan(400)
  })
})
