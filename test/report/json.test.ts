import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { buildReport } from '../../src/report/build.ts'
import { evaluationsLine, reportJson } from '../../src/report/json.ts'
import { DIVERGENCE, dishonest, evaluation, finding, HOSTILE, parts } from './fixtures.ts'

/** The same data with the keys of every object in reverse order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)])
  )
}

describe('reportJson', () => {
  it('writes keys in the order of the schema, indented by two spaces, with a line feed at the end', () => {
    const json = reportJson(buildReport(parts({ claimants: [dishonest()] })))
    expect(json.endsWith('\n  }\n}\n')).toBe(true)
    expect(json.match(/^ {2}"\w+"/gm)?.map((key) => key.trim().slice(1, -1))).toEqual([
      'schema',
      'date',
      'digest',
      'inputsDigest',
      'verdict',
      'reasons',
      'remarks',
      'trusted',
      'unreachable',
      'processId',
      'process',
      'range',
      'start',
      'coverage',
      'notChecked',
      'claimants',
      'evaluations',
      'evaluationsCut',
      'firstDivergence',
      'checkpoints',
      'findings',
      'findingsCut',
      'profile',
      'stateHashes',
      'tool',
      'timings'
    ])
    expect(json).toContain(`
  "firstDivergence": {
    "key": {
      "ordinate": 2,
      "timestamp": 1700000000002
    },
    "nonce": 2,
    "message": "mid0mid0mid0mid0mid0mid0mid0mid0mid0mid0mi0",
    "claimant": "http://127.0.0.1:4000",
    "differences": [
      {
        "path": "Messages[0].Tags[3].value",
        "claimed": "1001",
        "computed": "1000"
      }
    ]
  },
`)
    expect(json).toContain(`
  "profile": {
    "name": "legacynet",
    "environment": [
      "LANG=C.UTF-8",
      "_=/usr/app"
    ],
    "clock": {
      "start": 10004,
      "step": 1
    },
    "instances": "one",
    "loader": "0.0.44",
    "source": "default",
    "proven": false,
    "tried": [
      "legacynet"
    ],
    "instancesTried": 0
  },
  "stateHashes": {
    "3": "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
  },
  "tool": {
    "version": "0.1.0",
    "node": "v22.0.0",
    "loader": "0.0.49"
  },
`)
  })

  it('writes the same text whatever order the keys of the report have', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (claimed, computed) => {
        const firstDivergence = { ...DIVERGENCE, differences: [{ path: 'Output', claimed, computed }] }
        const report = buildReport(parts({ claimants: [dishonest({ firstDivergence })] }))
        expect(reportJson(reversed(report) as typeof report)).toBe(reportJson(report))
      })
    )
  })

  it('escapes all characters that a terminal could obey and keeps the data', () => {
    const differences = [{ path: HOSTILE, claimed: { [HOSTILE]: HOSTILE }, computed: HOSTILE }]
    const firstDivergence = { ...DIVERGENCE, message: HOSTILE, claimant: HOSTILE, differences }
    const report = buildReport(
      parts({
        claimants: [
          dishonest({ claimant: HOSTILE, reasons: [HOSTILE], firstDivergence, findings: [finding({ detail: HOSTILE })] })
        ]
      })
    )
    const json = reportJson(report)
    expect(json.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
    expect(JSON.parse(json)).toEqual(report)
  })

  it('writes a key __proto__ as an ordinary key', () => {
    const claimed = JSON.parse('{"__proto__":{"polluted":1},"a":2}')
    const json = reportJson(
      buildReport(
        parts({ claimants: [dishonest({ firstDivergence: { ...DIVERGENCE, differences: [{ path: 'Output', claimed }] } })] })
      )
    )
    expect(json.replace(/\s/g, '')).toContain('"claimed":{"__proto__":{"polluted":1},"a":2}')
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
  })
})

describe('evaluationsLine', () => {
  it('writes compact JSON on one line', () => {
    expect(evaluationsLine(evaluation(7))).toBe(
      '{"key":{"ordinate":7,"timestamp":1700000000007},"nonce":7,"status":"match","claimant":"http://127.0.0.1:4000"}\n'
    )
    const differences = [{ path: 'Output', claimed: 'a\n\u009b', computed: null }]
    expect(evaluationsLine(evaluation(8, { status: 'mismatch', differences }))).toBe(
      '{"key":{"ordinate":8,"timestamp":1700000000008},"nonce":8,"status":"mismatch","claimant":"http://127.0.0.1:4000",' +
        '"differences":[{"path":"Output","claimed":"a\\n\\u009b","computed":null}]}\n'
    )
  })

  it('writes no more than the bounds allow', () => {
    const differences = Array.from({ length: 60 }, () => ({ path: 'Output', claimed: 'x'.repeat(100_000) }))
    const line = evaluationsLine(evaluation(7, { differences }))
    expect(line.length).toBeLessThan(50 * 17_000)
    expect(JSON.parse(line).differencesCut).toBe(10)
  })
})
