/** Answers that an honest unit may give because of its host, and answers that readers may take in two ways. */
import { describe, expect, it } from 'vitest'
import { createHistory } from '../../src/compare/history.ts'
import { createJudge } from '../../src/compare/judge.ts'
import type { Claim, Evaluation } from '../../src/model/records.ts'
import { CU, claimOf, evaluated, listedOf, resultOf, skipped } from './fixtures.ts'

const EMPTY = { Messages: [], Spawns: [], Assignments: [], Output: '' }
const OPEN = { evidence: { search: { kind: 'complete' } } } as const

function judged(...all: readonly (readonly [Evaluation, readonly Claim[]])[]) {
  const judge = createJudge({ claimant: CU, history: createHistory(), crons: false })
  return all.map(([evaluation, claims]) => judge.evaluation(evaluation, claims, [], OPEN))
}
const honest = (nonce: number) => {
  const evaluation = evaluated(nonce, resultOf(nonce))
  return [evaluation, [claimOf(evaluation, resultOf(nonce)), listedOf(evaluation, resultOf(nonce))]] as const
}

describe('an empty answer', () => {
  const second = evaluated(2, resultOf(2))
  it('blames no unit without an earlier claim, because it may have started from the memory right after', () => {
    expect(judged([evaluated(1, resultOf(1)), []], [second, [claimOf(second, EMPTY)]])).toEqual(['unclaimed', 'inconclusive'])
  })

  it('is a mismatch if the unit claimed something before it', () => {
    expect(judged(honest(1), [second, [claimOf(second, EMPTY)]])).toEqual(['match', 'mismatch'])
  })

  it('is a mismatch if the unit lists the same evaluation with another result than the computed one', () => {
    const claims = [claimOf(second, EMPTY), listedOf(second, resultOf(9))]
    expect(judged([second, claims])).toEqual(['mismatch'])
  })
})

describe('an answer of a unit that may have had less memory', () => {
  const grown = evaluated(2, resultOf(2), { memoryGrew: true })
  it.each([
    ['inconclusive', 'is an Error', { ...EMPTY, Error: {} }],
    ['inconclusive', 'mentions memory in its Output', { ...EMPTY, Output: 'not enough memory for buffer allocation' }],
    ['mismatch', 'has another number', resultOf(9)]
  ] as const)('is judged %s if it %s and the module asked for more memory', (status, _, value) => {
    expect(judged(honest(1), [grown, [claimOf(grown, value)]])).toEqual(['match', status])
  })

  it('is a mismatch if it is an Error and the module asked for no memory', () => {
    const other = evaluated(2, resultOf(2))
    expect(judged(honest(1), [other, [claimOf(other, { ...EMPTY, Error: {} })]])).toEqual(['match', 'mismatch'])
  })
})

describe('an answer for a skipped message', () => {
  const twin = skipped(2, 1)
  it('is no match if readers may take it in two ways', () => {
    const faults = [{ kind: 'key-twice', path: 'Output', detail: 'twice' }] as const
    expect(judged(honest(1), [twin, [claimOf(twin, EMPTY, { faults })]])).toEqual(['match', 'inconclusive'])
  })

  it.each([
    ['skipped', 'no gas', EMPTY],
    ['skipped', '0 as its gas', { ...EMPTY, GasUsed: 0 }],
    ['skipped', 'the gas of the result before it', { ...resultOf(1), GasUsed: 7 }],
    ['inconclusive', 'any other gas', { ...EMPTY, GasUsed: 1e15 }],
    ['inconclusive', 'a text as its gas', { ...EMPTY, GasUsed: 'EVIL' }]
  ])('is judged %s if it reports %s', (status, _, value) => {
    const first = evaluated(1, { ...resultOf(1), GasUsed: 7 })
    const claims = [claimOf(first, { ...resultOf(1), GasUsed: 7 })]
    expect(judged([first, claims], [twin, [claimOf(twin, value as never)]])).toEqual(['match', status])
  })
})
