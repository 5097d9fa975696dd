import { describe, expect, it } from 'vitest'
import { worstVerdict } from '../../src/compare/combine.ts'
import type { JudgedEvaluation } from '../../src/compare/comparison.ts'
import { createKeeper } from '../../src/compare/keep.ts'
import type { Finding } from '../../src/model/findings.ts'
import { createFindings } from '../../src/util/bounded-findings.ts'
import { CU, keyOf, nested } from './fixtures.ts'

const judged = (nonce: number, status: JudgedEvaluation['status'], claimed?: unknown): JudgedEvaluation => ({
  key: keyOf(nonce),
  status,
  claimant: CU,
  ...(claimed === undefined ? {} : { differences: [{ path: 'Output', claimed }] })
})

describe('createKeeper', () => {
  it('keeps as many mismatches as others, in the order in which they came', () => {
    const keeper = createKeeper(2)
    const statuses = ['unclaimed', 'mismatch', 'skipped', 'inconclusive', 'mismatch', 'mismatch'] as const
    for (const [nonce, status] of statuses.entries()) keeper.add(judged(nonce, status))
    const { evaluations, cut } = keeper.kept()
    expect(evaluations.map(({ key }) => key.ordinate)).toEqual([0, 1, 2, 4])
    expect(cut).toBe(2)
  })

  it('drops and counts differences that are too long, and keeps shorter ones that follow', () => {
    const keeper = createKeeper(10, 200)
    keeper.add({ ...judged(0, 'mismatch', 'x'.repeat(300)), differencesCut: 4 })
    keeper.add(judged(1, 'mismatch', { a: ['x'.repeat(150)] }))
    keeper.add(judged(2, 'mismatch', 'x'.repeat(100)))
    keeper.add(judged(3, 'mismatch', 'x'))
    keeper.add(judged(4, 'mismatch', nested(10_000, '1')))
    expect(keeper.kept().evaluations.map(({ differences, differencesCut }) => [differences?.length, differencesCut])).toEqual([
      [0, 5],
      [1, undefined],
      [0, 1],
      [0, 1],
      [0, 1]
    ])
  })

  it('counts texts and names by their length, and every other value as 8', () => {
    const kept = (claimed: unknown, maxChars: number) => {
      const keeper = createKeeper(1, maxChars)
      keeper.add(judged(0, 'mismatch', claimed))
      return keeper.kept().evaluations[0]?.differences?.length
    }
    // 8 for the difference itself, 17 for its path and names.
    for (const [claimed, chars] of [
      ['x'.repeat(175), 200],
      [null, 33],
      [7, 33],
      [[], 33],
      [{ ab: 'c' }, 36],
      [['a', 'b'], 37]
    ] as const) {
      expect(kept(claimed, chars), JSON.stringify(claimed)).toBe(1)
      expect(kept(claimed, chars - 1), JSON.stringify(claimed)).toBe(0)
    }
  })

  it('adds up the length of kept differences, and that of dropped ones takes no room', () => {
    const keeper = createKeeper(10, 100)
    for (const [nonce, chars] of [25, 76, 25, 1].entries()) keeper.add(judged(nonce, 'mismatch', 'x'.repeat(chars)))
    expect(keeper.kept().evaluations.map(({ differences }) => differences?.length)).toEqual([1, 0, 1, 0])
    const two = createKeeper(1, 66)
    const differences = [
      { path: 'Output', claimed: 7 },
      { path: 'Output', claimed: 8 }
    ]
    two.add({ ...judged(0, 'mismatch'), differences })
    expect(two.kept().evaluations[0]?.differences).toEqual(differences)
    const small = createKeeper(1, 65)
    small.add({ ...judged(0, 'mismatch'), differences })
    expect(small.kept().evaluations[0]).toMatchObject({ differences: [], differencesCut: 2 })
  })

  it('keeps an evaluation without differences as it is', () => {
    const keeper = createKeeper(1, 0)
    keeper.add(judged(0, 'unclaimed'))
    expect(keeper.kept()).toEqual({ evaluations: [judged(0, 'unclaimed')], cut: 0 })
  })
})

describe('createFindings', () => {
  it('keeps a limited number of findings of each code and severity, and counts the rest', () => {
    const finding = (nonce: number, severity: Finding['severity']): Finding => ({
      code: 'RESULT_UNAVAILABLE',
      severity,
      attribution: 'compute-unit',
      nonce,
      detail: `nonce ${nonce}`
    })
    const findings = createFindings(2)
    for (const nonce of [0, 1, 2, 3]) findings.add(finding(nonce, 'info'))
    for (const nonce of [4, 5]) findings.add(finding(nonce, 'warning'))
    expect(findings.all()).toEqual([
      finding(0, 'info'),
      finding(1, 'info'),
      finding(4, 'warning'),
      finding(5, 'warning'),
      {
        code: 'RESULT_UNAVAILABLE',
        severity: 'info',
        attribution: 'compute-unit',
        count: 2,
        detail: 'and 2 more like the 2 that are listed'
      }
    ])
  })
})

it('createFindings counts the findings that it drops by claimant, even a single one', () => {
  const findings = createFindings(1)
  for (const nonce of [0, 1]) {
    findings.add({
      code: 'CLAIM_UNMATCHED',
      severity: 'warning',
      attribution: 'compute-unit',
      claimant: CU,
      nonce,
      detail: 'd'
    })
  }
  expect(findings.all().slice(1)).toEqual([
    {
      code: 'CLAIM_UNMATCHED',
      severity: 'warning',
      attribution: 'compute-unit',
      claimant: CU,
      count: 1,
      detail: 'and 1 more like the 1 that are listed'
    }
  ])
})

describe('worstVerdict', () => {
  it('is the worst of several verdicts, and inconclusive if nobody was judged', () => {
    expect(worstVerdict(['match', 'inconclusive', 'mismatch'])).toBe('mismatch')
    expect(worstVerdict(['match', 'inconclusive'])).toBe('inconclusive')
    expect(worstVerdict(['match', 'match'])).toBe('match')
    expect(worstVerdict([])).toBe('inconclusive')
  })
})
