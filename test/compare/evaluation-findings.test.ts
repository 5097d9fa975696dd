import { describe, expect, it } from 'vitest'
import type { Comparison } from '../../src/compare/comparison.ts'
import { findingsOf, tagOrderFindings, unmatchedFinding } from '../../src/compare/evaluation-findings.ts'
import type { EvaluationJudgement } from '../../src/compare/judge-evaluation.ts'
import type { Evaluation } from '../../src/model/records.ts'
import { CU, cronEvaluated, evaluated, keyOf, listedOf, resultOf, skipped, unavailableOf } from './fixtures.ts'

const first = evaluated(1, resultOf(1))
const cron = cronEvaluated(1, 5, resultOf(1))
const injected: Evaluation = { key: keyOf(0), outcome: { kind: 'result', result: {}, text: '{}' } }
const differing = (count: number, cut = 0): Comparison => ({
  differences: Array.from({ length: count }, (_, index) => ({ path: `Output[${index}]` })),
  cut,
  tagOrderDiffers: false,
  tagOrderBits: 0
})
const unit = { attribution: 'compute-unit', claimant: CU } as const

describe('the finding of a mismatch', () => {
  const detail = (evaluation: Evaluation, judged: Partial<EvaluationJudgement>) => {
    const all = findingsOf(
      CU,
      evaluation,
      { status: 'mismatch', compared: true, ...judged },
      [listedOf(first, resultOf(1))],
      []
    )
    expect(all).toHaveLength(1)
    return all[0]
  }

  it('names the evaluation, the first place, and how many more there are', () => {
    expect(detail(first, { comparison: differing(1) })).toStrictEqual({
      code: 'RESULT_MISMATCH',
      severity: 'error',
      ...unit,
      key: keyOf(1),
      nonce: 1,
      detail: 'Output[0] differs'
    })
    expect(detail(first, { comparison: differing(3) })?.detail).toBe('Output[0] differs, and 2 more')
    expect(detail(first, { comparison: differing(3, 4) })?.detail).toBe('Output[0] differs, and 6 more')
    expect(detail(first, { comparison: differing(0, 4) })?.detail).toBe('the result differs, and 4 more')
    expect(detail(first, {})?.detail).toBe('the result differs')
    const whole = { ...differing(0), differences: [{ path: '', claimed: 'x', computed: {} }] }
    expect(detail(first, { comparison: whole })?.detail).toBe('the answer is not an object')
    const through = { ...first, through: 4 }
    expect(detail(through, { comparison: differing(1) })?.detail).toBe('up to nonce 4: Output[0] differs')
  })

  it('names a cron by the nonce before it, and the process message by its name', () => {
    expect(detail(cron, { comparison: differing(1) })).toStrictEqual({
      code: 'RESULT_MISMATCH',
      severity: 'error',
      ...unit,
      key: cron.key,
      detail: 'cron 0-30-seconds after nonce 1: Output[0] differs'
    })
    expect(detail(injected, { comparison: differing(1) })?.detail).toBe('the process message: Output[0] differs')
  })

  it('gives the reason if there is one', () => {
    expect(detail(first, { comparison: differing(1), reason: 'so it is' })?.detail).toBe('so it is')
  })
})

it('findingsOf reports an evaluation at which a claimant contradicts itself', () => {
  const judged: EvaluationJudgement = { status: 'match', compared: true, contradiction: differing(2) }
  expect(findingsOf(CU, first, judged, [listedOf(first, resultOf(1))], [])).toStrictEqual([
    {
      code: 'CLAIMANT_CONTRADICTS_ITSELF',
      severity: 'warning',
      ...unit,
      key: keyOf(1),
      nonce: 1,
      detail: '/result and /results do not agree, Output[0] differs, and 1 more; one URL may be several machines'
    }
  ])
})

it('findingsOf reports a skipped message, with the reason if it is known', () => {
  const judged: EvaluationJudgement = { status: 'skipped', compared: false }
  const finding = { code: 'DUPLICATE_SKIPPED', severity: 'info', attribution: 'process', claimant: CU, key: keyOf(2), nonce: 2 }
  expect(findingsOf(CU, skipped(2, 1), { ...judged, reason: 'a push' }, [listedOf(first, resultOf(1))], [])).toStrictEqual([
    { ...finding, detail: 'a push' }
  ])
  expect(findingsOf(CU, skipped(2, 1), judged, [listedOf(first, resultOf(1))], [])).toStrictEqual([
    { ...finding, detail: 'the rules of the unit skip it' }
  ])
})

it('findingsOf warns about an answer without a result only if nothing else is claimed', () => {
  const judged: EvaluationJudgement = { status: 'match', compared: true }
  const finding = { code: 'RESULT_UNAVAILABLE', ...unit, key: keyOf(1), nonce: 1 }
  const answer = unavailableOf(1, 425)
  expect(findingsOf(CU, first, judged, [listedOf(first, resultOf(1))], [{ ...answer, detail: '' }])).toStrictEqual([
    { ...finding, severity: 'info', detail: '/result answered 425' }
  ])
  expect(findingsOf(CU, first, judged, [], [answer])).toStrictEqual([
    { ...finding, severity: 'warning', detail: '/result answered 425, gone' }
  ])
})

it('unmatchedFinding names the listed evaluation that the schedule does not have', () => {
  const finding = { code: 'CLAIM_UNMATCHED', severity: 'warning', ...unit }
  expect(unmatchedFinding(listedOf(first, {}))).toStrictEqual({
    ...finding,
    key: keyOf(1),
    detail: 'it lists nonce 1 at 1720000000001 ms, which the schedule does not have'
  })
  expect(unmatchedFinding(listedOf(cron, {}))).toStrictEqual({
    ...finding,
    key: cron.key,
    detail: 'it lists a cron 0-30-seconds after nonce 1 at 5 ms, which the schedule does not have'
  })
})

it('tagOrderFindings reports a different order of tags once, with its first place', () => {
  expect(tagOrderFindings(CU, undefined)).toStrictEqual([])
  const finding = { code: 'TAG_ORDER_DIFFERS', severity: 'info', attribution: 'auditor', claimant: CU, count: 2 }
  const detail = (name: string) => `the order of tags differs, first at ${name}: it depends on inputs of the execution profile`
  expect(tagOrderFindings(CU, { count: 2, first })).toStrictEqual([
    { ...finding, key: keyOf(1), nonce: 1, detail: detail('this nonce') }
  ])
  expect(tagOrderFindings(CU, { count: 2, first: cron })).toStrictEqual([
    { ...finding, key: cron.key, detail: detail('cron 0-30-seconds after nonce 1') }
  ])
})
