/** Answers that an honest unit may give for reasons of its host, and such as readers take in two ways. */
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
  it('blames nobody who claims nothing before it, for it may have begun with the memory behind', () => {
    expect(judged([evaluated(1, resultOf(1)), []], [second, [claimOf(second, EMPTY)]])).toEqual(['unclaimed', 'inconclusive'])
  })

  it('is a mismatch of a unit that claimed something before it', () => {
    expect(judged(honest(1), [second, [claimOf(second, EMPTY)]])).toEqual(['match', 'mismatch'])
  })

  it('is a mismatch of a unit that lists the same evaluation otherwise than it was computed', () => {
    const claims = [claimOf(second, EMPTY), listedOf(second, resultOf(9))]
    expect(judged([second, claims])).toEqual(['mismatch'])
  })
})

describe('where a module was given more memory', () => {
  const grown = evaluated(2, resultOf(2), { memoryGrew: true })
  it.each([
    ['an Error', { ...EMPTY, Error: {} }, 'inconclusive'],
    ['an Output that speaks of memory', { ...EMPTY, Output: 'not enough memory for buffer allocation' }, 'inconclusive'],
    ['another number', resultOf(9), 'mismatch']
  ] as const)('%s of a unit is %s', (_, value, status) => {
    expect(judged(honest(1), [grown, [claimOf(grown, value)]])).toEqual(['match', status])
  })

  it('an Error is a mismatch where no memory was asked for', () => {
    const other = evaluated(2, resultOf(2))
    expect(judged(honest(1), [other, [claimOf(other, { ...EMPTY, Error: {} })]])).toEqual(['match', 'mismatch'])
  })
})

describe('an answer for a skipped message', () => {
  const twin = skipped(2, 1)
  it('that readers take in two ways is no match', () => {
    const faults = [{ kind: 'key-twice', path: 'Output', detail: 'twice' }] as const
    expect(judged(honest(1), [twin, [claimOf(twin, EMPTY, { faults })]])).toEqual(['match', 'inconclusive'])
  })

  it.each([
    ['none', EMPTY, 'skipped'],
    ['0', { ...EMPTY, GasUsed: 0 }, 'skipped'],
    ['that of the result before it', { ...resultOf(1), GasUsed: 7 }, 'skipped'],
    ['any', { ...EMPTY, GasUsed: 1e15 }, 'inconclusive'],
    ['a text', { ...EMPTY, GasUsed: 'EVIL' }, 'inconclusive']
  ])('may speak of gas: %s', (_, value, status) => {
    const first = evaluated(1, { ...resultOf(1), GasUsed: 7 })
    const claims = [claimOf(first, { ...resultOf(1), GasUsed: 7 })]
    expect(judged([first, claims], [twin, [claimOf(twin, value as never)]])).toEqual(['match', status])
  })
})
