import { describe, expect, it } from 'vitest'
import { worstVerdict } from '../../src/compare/combine.ts'
import { createFindings, createKeeper } from '../../src/compare/keep.ts'
import type { JudgedEvaluation } from '../../src/compare/types.ts'
import type { Finding } from '../../src/findings.ts'
import { CU, keyOf, nested } from './fixtures.ts'

const judged = (nonce: number, status: JudgedEvaluation['status'], claimed?: unknown): JudgedEvaluation => ({
  key: keyOf(nonce),
  status,
  claimant: CU,
  ...(claimed === undefined ? {} : { differences: [{ path: 'Output', claimed }] })
})

describe('createKeeper', () => {
  it('keeps as many mismatches as others, in the order they came', () => {
    const keeper = createKeeper(2)
    const statuses = ['unclaimed', 'mismatch', 'skipped', 'inconclusive', 'mismatch', 'mismatch'] as const
    for (const [nonce, status] of statuses.entries()) keeper.add(judged(nonce, status))
    const { evaluations, cut } = keeper.kept()
    expect(evaluations.map(({ key }) => key.ordinate)).toEqual([0, 1, 2, 4])
    expect(cut).toBe(2)
  })

  it('drops differences, counted, where they are too long, and goes on with shorter ones', () => {
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
})

describe('createFindings', () => {
  it('keeps some of each code and severity, and counts the rest', () => {
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

describe('worstVerdict', () => {
  it('is the worst, and inconclusive where nobody was judged', () => {
    expect(worstVerdict(['match', 'inconclusive', 'mismatch'])).toBe('mismatch')
    expect(worstVerdict(['match', 'inconclusive'])).toBe('inconclusive')
    expect(worstVerdict(['match', 'match'])).toBe('match')
    expect(worstVerdict([])).toBe('inconclusive')
  })
})
