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
  it('reads what reportJson writes, and what JSON.parse makes of it', () => {
    expect(parseReport(text)).toEqual(report)
    expect(parseReport(JSON.parse(text))).toEqual(report)
    expect(parseReport(report)).toEqual(report)
  })

  it('reads whatever values differ', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (claimed, computed) => {
        const firstDivergence = { ...DIVERGENCE, differences: [{ path: 'Output', claimed, computed }] }
        const json = reportJson(buildReport(parts({ claimants: [dishonest({ firstDivergence })] })))
        expect(reportJson(parseReport(json))).toBe(json)
      })
    )
  })

  it('reads the largest values that a report may have', () => {
    const nested = (levels: number): unknown => (levels === 0 ? 'x' : [nested(levels - 1)])
    const differences = Array.from({ length: 60 }, () => ({
      path: 'Output',
      claimed: nested(64),
      computed: '\u200b'.repeat(99_999)
    }))
    const built = buildReport(parts({ claimants: [claimant({ firstDivergence: { ...DIVERGENCE, differences } })] }))
    expect(parseReport(reportJson(built))).toEqual(built)
  })

  it('keeps fields that it does not know, wherever they stand', () => {
    for (const path of ['more', 'coverage.more', 'claimants.0.more', 'findings.0.more', 'tool.more'])
      expect(parseReport(altered(path, { a: [1] }))).toEqual(altered(path, { a: [1] }))
  })

  it('changes no prototype', () => {
    const given = text.replace('{', '{"__proto__":{"polluted":1},')
    expect(Object.getPrototypeOf(parseReport(given))).toBe(Object.prototype)
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
  })

  it.each<[string, unknown, RegExp]>([
    ['a text that is no JSON', '{', /it is no JSON$/],
    ['an empty text', '', /it is no JSON$/],
    ['nothing', undefined, /cannot be written as JSON/],
    ['null', null, /expected object/],
    ['a list', [], /expected object/],
    ['something else', { schema: 'x' }, /schema: .*"ao-audit\/report\/v1"/],
    ['a later version', altered('schema', 'ao-audit/report/v2'), /schema: /],
    ['a verdict that is none', altered('verdict', 'perhaps'), /verdict: .*"match"\|"mismatch"\|"inconclusive"/],
    ['a count that is a text', altered('coverage.compared', '4'), /coverage\.compared: .*expected int|number/],
    ['a count below 0', altered('findingsCut', -1), /findingsCut: /],
    ['a field of null', altered('claimants.0.address', null), /claimants\.0\.address: /],
    ['a finding code that is none', altered('findings.0.code', 'GUESSED'), /findings\.0\.code: /],
    ['a rule that is none', altered('claimants.0.rules.0', 'because'), /claimants\.0\.rules\.0: /],
    ['a hash that is none', altered('process.module.sha256', 'ab'), /process\.module\.sha256: /],
    ['a list that is an object', altered('evaluations', {}), /evaluations: .*expected array/],
    ['a key that stands twice', text.replace('"verdict"', '"verdict": "match", "verdict"'), /the key verdict twice$/],
    ['a key that stands twice below', text.replace('"compared"', '"compared": 1, "compared"'), /coverage\.compared twice$/],
    ['deep nesting', text.replace('{', `{"a":${'['.repeat(100)}${']'.repeat(100)},`), /deeper than 100 levels$/],
    ['nesting without end', '['.repeat(1_000_000), /deeper than 100 levels$/],
    [
      'an object that holds itself',
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

  it('bounds what it says of a key from outside', () => {
    expect(reasonOf(altered(`stateHashes.${'k'.repeat(10_000)}`, 1)).length).toBeLessThan(400)
  })
})
