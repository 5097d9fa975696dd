import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createHistory, fingerprint } from '../../src/compare/history.ts'
import { cronEvaluated, distinctTags, evaluated, messageId, nested, resultArbitrary, resultOf, skipped } from './fixtures.ts'

describe('createHistory', () => {
  it('knows the result before a skipped message, but none after an evaluation that failed to run', () => {
    const history = createHistory()
    expect(history.before(evaluated(1, resultOf(1))).previous).toBeUndefined()
    expect(history.before(skipped(2, 1)).previous).toEqual(resultOf(1))
    expect(history.before(evaluated(3, { Error: 'no' })).previous).toEqual(resultOf(1))
    expect(history.before(skipped(4, 1)).previous).toMatchObject({ Error: 'no', Messages: [] })
    expect(history.before({ ...evaluated(5, {}), outcome: { kind: 'inconclusive', reason: 'r' } }).previous).toBeDefined()
    expect(history.before(skipped(6, 1)).previous).toBeUndefined()
  })

  it('gives the same answer again for the evaluation of the last call', () => {
    const history = createHistory()
    const first = evaluated(1, resultOf(1))
    expect(history.before(first)).toEqual({ crons: false })
    expect(history.before(first)).toEqual({ crons: false })
    expect(history.before(evaluated(2, resultOf(2))).previous).toEqual(resultOf(1))
  })

  it('remembers the first result of a message id', () => {
    const history = createHistory()
    const again = { messageId: messageId('m1') }
    history.before(evaluated(1, resultOf(1)))
    expect(history.before(evaluated(2, resultOf(2), again)).firstOfMessage).toBe(fingerprint(resultOf(1)))
    expect(history.before(evaluated(3, resultOf(3), again)).firstOfMessage).toBe(fingerprint(resultOf(1)))
    expect(history.before(evaluated(4, resultOf(1))).firstOfMessage).toBeUndefined()
  })

  it('leaves out the fields that it does not know', () => {
    const history = createHistory()
    expect(history.before(evaluated(1, {}))).toStrictEqual({ crons: false })
    expect(history.before(cronEvaluated(1, 5, { Output: 1 }))).toStrictEqual({
      crons: true,
      previous: { Messages: [], Spawns: [], Assignments: [], Output: '' }
    })
    expect(history.before(cronEvaluated(1, 6, {}))).toStrictEqual({
      crons: true,
      previous: { Messages: [], Spawns: [], Assignments: [], Output: '1' }
    })
  })

  it('knows whether a cron came before', () => {
    const history = createHistory()
    expect(history.before(evaluated(1, {})).crons).toBe(false)
    expect(history.before(cronEvaluated(1, 5, {})).crons).toBe(true)
    expect(history.before(evaluated(2, {})).crons).toBe(true)
  })
})

describe('fingerprint', () => {
  it('does not depend on gas, on the order of keys, or on the order of differently named tags', () => {
    const tags = [
      { name: 'b', value: '1' },
      { value: '2', name: 'a' }
    ]
    expect(fingerprint({ Messages: [{ Tags: tags, Data: '' }], Output: 5 })).toBe(
      fingerprint({ Output: '5', Messages: [{ Data: '', Tags: [{ name: 'a', value: '2' }, tags[0]] }], GasUsed: 3 })
    )
    expect(fingerprint({})).toBe(fingerprint({ Messages: [], Spawns: null, Assignments: [], Output: '' }))
  })

  it('sorts names by code units, in whatever order they come', () => {
    const print = (...names: string[]) => fingerprint({ Output: Object.fromEntries(names.map((name) => [name, name])) })
    const tagged = (...names: string[]) => fingerprint({ Messages: [{ Tags: names.map((name) => ({ name, value: name })) }] })
    for (const of of [print, tagged]) {
      for (const names of [
        ['a', 'c', 'b'],
        ['b', 'a', 'c'],
        ['b', 'c', 'a'],
        ['c', 'a', 'b'],
        ['c', 'b', 'a']
      ]) {
        expect(of(...names)).toBe(of('a', 'b', 'c'))
      }
    }
  })

  it('differs between different results', () => {
    const some = [
      {},
      { Output: '1' },
      { Output: [] },
      { Output: {} },
      { Output: ['object'] },
      { Output: { object: 1 } },
      { Output: [['object', 1]] },
      { Output: JSON.parse('{"__proto__":1}') },
      { Error: '' },
      {
        Messages: [
          {
            Tags: [
              { name: 'a', value: '1' },
              { name: 'a', value: '2' }
            ]
          }
        ]
      },
      {
        Messages: [
          {
            Tags: [
              { name: 'a', value: '2' },
              { name: 'a', value: '1' }
            ]
          }
        ]
      },
      { Messages: [{ Tags: ['a', 'b'] }] },
      { Messages: [{ Tags: ['b', 'a'] }] },
      ...['[1,[2]]', '[[1],2]', '[[1,2]]', '[1,2]', '[2,1]', '[12]', '["1","2"]', '[null]', '[{}]', '[[]]'].map((json) => ({
        Output: JSON.parse(json)
      })),
      { Output: { a: 1, b: 2 } },
      { Output: { a: 2, b: 1 } },
      { Output: { 'a","b': 1 } },
      { Output: { Other: [{ name: 'b' }, { name: 'a' }] } },
      { Output: { Other: [{ name: 'a' }, { name: 'b' }] } },
      { Output: null, Error: 'null' },
      resultOf(1),
      resultOf(2)
    ]
    expect(new Set(some.map(fingerprint)).size).toBe(some.length)
  })

  it('is the same for permuted tags and accepts results of any depth', () => {
    fc.assert(
      fc.property(distinctTags, resultArbitrary, (tags, result) => {
        const withTags = (Tags: unknown) => fingerprint({ ...result, Messages: [{ Tags }] })
        expect(withTags(tags.toReversed())).toBe(withTags(tags))
      })
    )
    const deep = [nested(10_000, '1'), nested(10_000, '2'), nested(10_001, '1'), { a: nested(10_000, '1') }]
    const prints = deep.map((Output) => fingerprint({ Output }))
    expect(new Set(prints).size).toBe(deep.length)
    for (const print of prints) expect(print).toMatch(/^[\w-]{22}$/)
  })
})
