import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalResult } from '../../src/compare/canonical.ts'
import { MAX_LISTED_DIFFERENCES, MAX_PATH_DEPTH } from '../../src/compare/differences.ts'
import { fingerprint } from '../../src/compare/history.ts'
import { agrees, compareResult } from '../../src/compare/result.ts'
import type { EvaluationResult } from '../../src/model/records.ts'
import { ALL, distinctTags, LISTED, nested, resultArbitrary, resultOf } from './fixtures.ts'

const compare = (claimed: unknown, computed: unknown, options = {}) =>
  compareResult({ covers: ALL, value: claimed as EvaluationResult }, computed as EvaluationResult, options)

describe('canonicalResult', () => {
  it('fills in the fields that the CU fills in, and treats null as missing', () => {
    const empty = { Messages: [], Spawns: [], Assignments: [], Output: '' }
    expect(canonicalResult({})).toStrictEqual(empty)
    expect(
      canonicalResult({ Messages: null, Spawns: null, Assignments: null, Output: null, Error: null, GasUsed: null })
    ).toEqual(empty)
    expect(Object.keys(canonicalResult({ GasUsed: 1, Error: 'e' }))).toEqual([
      'Messages',
      'Spawns',
      'Assignments',
      'Output',
      'Error',
      'GasUsed'
    ])
  })

  it('turns a number into text if it is the Output itself, and nowhere else', () => {
    expect(canonicalResult({ Output: 5.5 }).Output).toBe('5.5')
    expect(canonicalResult({ Output: 0 }).Output).toBe('0')
    expect(canonicalResult({ Output: false }).Output).toBe(false)
    expect(canonicalResult({ Output: { data: { output: 5 } } }).Output).toEqual({ data: { output: 5 } })
    expect(canonicalResult({ Error: 5 }).Error).toBe(5)
  })

  it('keeps an Error that is an empty text', () => {
    expect(Object.hasOwn(canonicalResult({ Error: '' }), 'Error')).toBe(true)
    expect(Object.hasOwn(canonicalResult({ Error: null }), 'Error')).toBe(false)
  })

  it('reads only own fields, whatever the value is', () => {
    const inherited = Object.create({ Output: 'inherited' }) as EvaluationResult
    expect(canonicalResult(inherited).Output).toBe('')
    for (const hostile of [null, undefined, 5, 'text', [], true]) {
      expect(canonicalResult(hostile as unknown as EvaluationResult).Messages).toEqual([])
    }
  })
})

describe('compareResult', () => {
  it('compares only the fields that the claim covers', () => {
    const computed = { ...resultOf(1), GasUsed: 7 }
    const claimed = { ...resultOf(1), GasUsed: 8, Output: 'other' }
    expect(compareResult({ covers: ['Messages', 'Spawns'], value: claimed }, computed).differences).toEqual([])
    expect(compareResult({ covers: LISTED, value: { ...resultOf(1) } }, computed).differences).toEqual([])
    expect(compare(claimed, computed).differences).toEqual([
      { path: 'Output', claimed: 'other', computed: { data: 'done' } },
      { path: 'GasUsed', claimed: 8, computed: 7 }
    ])
  })

  it('names the altered tag by its place in the claim', () => {
    expect(compare(resultOf(101), resultOf(100))).toMatchObject({
      differences: [{ path: 'Messages[0].Tags[1].value', claimed: '101', computed: '100' }],
      cut: 0,
      tagOrderDiffers: false
    })
  })

  it('finds a difference if only one side has an Error', () => {
    expect(compare({ Error: 'no' }, {}).differences).toStrictEqual([{ path: 'Error', claimed: 'no' }])
    expect(compare({}, { Error: { deep: 1 } }).differences).toStrictEqual([{ path: 'Error', computed: { deep: 1 } }])
    expect(agrees(compare({ Error: null }, {}))).toBe(true)
  })

  it('finds items that only the longer of two lists has, on either side', () => {
    expect(compare({ Output: [1, 2, 3] }, { Output: [1] }).differences).toStrictEqual([
      { path: 'Output[1]', claimed: 2 },
      { path: 'Output[2]', claimed: 3 }
    ])
    expect(compare({ Output: [1] }, { Output: [1, 2, 3] }).differences).toStrictEqual([
      { path: 'Output[1]', computed: 2 },
      { path: 'Output[2]', computed: 3 }
    ])
    const tags = (...names: string[]) => ({ Messages: [{ Tags: names.map((name) => ({ name, value: '' })) }] })
    expect(compare(tags('a', 'b'), tags('b')).differences).toStrictEqual([
      { path: 'Messages[0].Tags[0]', claimed: { name: 'a', value: '' } }
    ])
    expect(compare(tags('b'), tags('b', 'a')).differences).toStrictEqual([
      { path: 'Messages[0].Tags[1]', computed: { name: 'a', value: '' } }
    ])
    expect(agrees(compare({ Messages: [resultOf(1)] }, { Messages: [] }))).toBe(false)
    expect(agrees(compare({ Messages: [] }, { Messages: [resultOf(1)] }))).toBe(false)
  })

  it('quotes names that are no identifiers', () => {
    const claimed = { Output: { 'a b': { '0': 1, $x: 2, 'q"': 3, __proto__: 0 } } }
    const computed = JSON.parse('{"Output":{"a b":{"0":9,"$x":9,"q\\"":9}}}')
    expect(compare(claimed, computed).differences.map(({ path }) => path)).toEqual([
      'Output["a b"]["0"]',
      'Output["a b"].$x',
      'Output["a b"]["q\\""]'
    ])
  })

  it('treats __proto__ as a name like any other', () => {
    const claimed = JSON.parse('{"Output":{"__proto__":{"x":1}}}')
    const computed = JSON.parse('{"Output":{}}')
    expect(compare(claimed, computed).differences).toEqual([{ path: 'Output.__proto__', claimed: { x: 1 } }])
    expect(compare(computed, claimed).differences).toEqual([{ path: 'Output.__proto__', computed: { x: 1 } }])
    expect(compare(claimed, claimed).differences).toEqual([])
    expect(compare({ Output: { constructor: 1 } }, { Output: {} }).differences).toEqual([
      { path: 'Output.constructor', claimed: 1 }
    ])
    expect(({} as { x?: unknown }).x).toBeUndefined()
  })

  it('distinguishes an array from an object, null from nothing, and a number from its text', () => {
    expect(compare({ Output: { a: [] } }, { Output: { a: {} } }).differences).toEqual([
      { path: 'Output.a', claimed: [], computed: {} }
    ])
    expect(compare({ Output: { a: null } }, { Output: {} }).differences).toEqual([{ path: 'Output.a', claimed: null }])
    expect(compare({ Output: { a: 1 } }, { Output: { a: '1' } }).differences).toEqual([
      { path: 'Output.a', claimed: 1, computed: '1' }
    ])
    expect(compare({ Output: { a: undefined } }, { Output: {} }).differences).toEqual([])
    expect(compare({ Messages: {} }, { Messages: [] }).differences).toEqual([{ path: 'Messages', claimed: {}, computed: [] }])
  })

  it('distinguishes an infinite number from null, nothing, its name and any finite number, in every field', () => {
    const infinite = JSON.parse('1e999') as unknown
    for (const at of ['Error', 'GasUsed', 'Output', 'Messages']) {
      expect([at, agrees(compare({ [at]: infinite }, {}))]).toEqual([at, false])
      expect([at, agrees(compare({ [at]: [infinite] }, { [at]: [null] }))]).toEqual([at, false])
      expect([at, agrees(compare({ [at]: { a: infinite } }, { [at]: {} }))]).toEqual([at, false])
    }
    expect(agrees(compare({ Output: infinite }, { Output: 'Infinity' }))).toBe(false)
    expect(agrees(compare({ Output: [null] }, { Output: [null] }))).toBe(true)
  })

  it('finds two numbers equal exactly if JSON reads the same number, whatever their texts are', () => {
    const digits = fc.stringMatching(/^(0|[1-9]\d{0,25})$/)
    const number = fc
      .tuple(
        fc.constantFrom('', '-'),
        digits,
        fc.constantFrom('', '.0', '.5', '.10'),
        fc.constantFrom('', 'e0', 'E+2', 'e-400', 'e400')
      )
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(number, fc.oneof(number, fc.constantFrom('null', '"1"', '0', 'true')), (left, right) => {
        for (const wrap of [(text: string) => `{"Output":[${text}]}`, (text: string) => `{"GasUsed":${text}}`]) {
          const [claimed, computed] = [JSON.parse(wrap(left)), JSON.parse(wrap(right))] as [object, object]
          const [one, other] = [JSON.parse(left), JSON.parse(right)] as [unknown, unknown]
          expect(agrees(compare(claimed, computed))).toBe(one === other)
          expect(fingerprint({ Output: [one] }) === fingerprint({ Output: [other] })).toBe(one === other)
        }
      }),
      { numRuns: 500 }
    )
  })

  it('lists a bounded number of differences and counts the rest', () => {
    const many = (value: number) => ({ Output: Array.from({ length: 1000 }, () => value) })
    const bounded = compare(many(1), many(2))
    expect(bounded.differences).toHaveLength(MAX_LISTED_DIFFERENCES)
    expect(bounded.cut).toBe(1000 - MAX_LISTED_DIFFERENCES)
    expect(compare(many(1), many(2), { maxDifferences: 0 })).toMatchObject({ differences: [], cut: 1000 })
    expect(agrees(compare(many(1), many(2), { maxDifferences: 0 }))).toBe(false)
    expect(agrees(compare(many(1), many(2), { maxDifferences: 500 }))).toBe(false)
  })

  it('sees a difference ten thousand levels deep, and shows it at the deepest path', () => {
    const found = compare({ Output: nested(10_000, '1') }, { Output: nested(10_000, '2') })
    expect(found.differences.map(({ path }) => path)).toEqual([`Output${'[0]'.repeat(MAX_PATH_DEPTH)}`])
    expect(agrees(compare({ Output: nested(10_000, '1') }, { Output: nested(10_000, '1') }))).toBe(true)
    expect(agrees(compare({ Output: nested(10_000, '{"a":1}') }, { Output: nested(10_000, '{"b":1}') }))).toBe(false)
    expect(agrees(compare({ Output: nested(10_000, '[1]') }, { Output: nested(10_000, '[1,2]') }))).toBe(false)
    expect(agrees(compare({ Output: nested(10_000, '[1]') }, { Output: nested(10_000, '{"0":1}') }))).toBe(false)
    expect(agrees(compare({ Output: nested(10_000, '{"a":1,"b":2}') }, { Output: nested(10_000, '{"b":2,"a":1}') }))).toBe(true)
  })

  it('finds nothing in equal results, and ignores the order of keys', () => {
    fc.assert(
      fc.property(resultArbitrary, fc.integer(), (result, seed) => {
        const shuffled = shuffleKeys(result, seed) as EvaluationResult
        expect(compare(shuffled, result, { strictTagOrder: true })).toMatchObject({
          differences: [],
          cut: 0,
          tagOrderDiffers: false
        })
      })
    )
  })

  it('finds exactly one difference for one altered leaf, with its path and both values', () => {
    fc.assert(
      fc.property(resultArbitrary, fc.nat(), fc.boolean(), (result, choice, strictTagOrder) => {
        const computed = canonicalResult(result)
        const leaves = leavesOf(computed, '')
        const leaf = leaves[choice % leaves.length]
        fc.pre(leaf !== undefined)
        const claimed = structuredClone(computed)
        leaf.set(claimed, 'altered \u0000')
        const { differences, cut } = compare(claimed, computed, { strictTagOrder })
        expect({ differences, cut }).toEqual({
          differences: [{ path: leaf.path, claimed: 'altered \u0000', computed: leaf.value }],
          cut: 0
        })
      })
    )
  })

  it('counts permuted tags of distinct names as a different order only, or as differences if the order is proven', () => {
    fc.assert(
      fc.property(distinctTags, fc.integer(), fc.constantFrom('Messages', 'Spawns', 'Assignments'), (tags, seed, field) => {
        const permuted = shuffle(tags, seed)
        fc.pre(permuted.some((tag, index) => tag !== tags[index]))
        const claimed = { [field]: [{ Tags: permuted }] }
        const computed = { [field]: [{ Tags: tags }] }
        expect(compare(claimed, computed)).toMatchObject({ differences: [], cut: 0, tagOrderDiffers: true })
        const strict = compare(claimed, computed, { strictTagOrder: true })
        expect(strict.differences.length).toBeGreaterThan(0)
        expect(strict.tagOrderDiffers).toBe(false)
      })
    )
  })

  it('finds the one altered value among permuted tags', () => {
    fc.assert(
      fc.property(distinctTags, fc.integer(), fc.nat(), (tags, seed, choice) => {
        const permuted = shuffle(tags, seed)
        const place = choice % permuted.length
        const original = permuted[place]
        fc.pre(original !== undefined)
        const claimed = permuted.map((tag, index) => (index === place ? { ...tag, value: `${tag.value}!` } : tag))
        const found = compare({ Messages: [{ Tags: claimed }] }, { Messages: [{ Tags: tags }] })
        expect(found.differences).toEqual([
          { path: `Messages[0].Tags[${place}].value`, claimed: `${original.value}!`, computed: original.value }
        ])
      })
    )
  })

  it('gives the same verdict if the sides are exchanged, and finds every value equal to itself', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()), (left, right) => {
        for (const strictTagOrder of [true, false]) {
          const there = agrees(compare({ Messages: [{ Tags: left }] }, { Messages: [{ Tags: right }] }, { strictTagOrder }))
          const back = agrees(compare({ Messages: [{ Tags: right }] }, { Messages: [{ Tags: left }] }, { strictTagOrder }))
          expect(there).toBe(back)
        }
        expect(agrees(compare(left, left))).toBe(true)
      })
    )
  })

  it('compares the order of Tags outside of the outbox', () => {
    const tags = [
      { name: 'a', value: '1' },
      { name: 'b', value: '2' }
    ]
    expect(agrees(compare({ Output: { Tags: tags } }, { Output: { Tags: tags.toReversed() } }))).toBe(false)
    expect(agrees(compare({ Messages: [{ Processes: tags }] }, { Messages: [{ Processes: tags.toReversed() }] }))).toBe(false)
  })
})

interface Leaf {
  readonly path: string
  readonly value: unknown
  readonly set: (root: unknown, value: string) => void
}

/** All scalars below a value, found without the code under test. */
function leavesOf(value: unknown, path: string, keys: readonly string[] = []): Leaf[] {
  if (typeof value !== 'object' || value === null) {
    return [{ path, value, set: (root, altered) => assign(root, keys, altered) }]
  }
  return Object.entries(value).flatMap(([key, item]) => {
    const named = /^[A-Za-z_$][\w$]*$/.test(key) ? `${path === '' ? '' : '.'}${key}` : `[${JSON.stringify(key)}]`
    return leavesOf(item, `${path}${Array.isArray(value) ? `[${key}]` : named}`, [...keys, key])
  })
}

function assign(root: unknown, keys: readonly string[], value: string): void {
  const holder = keys.slice(0, -1).reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], root)
  const options = { value, enumerable: true, configurable: true, writable: true }
  Object.defineProperty(holder, keys.at(-1) ?? '', options)
}

function shuffle<T>(items: readonly T[], seed: number): T[] {
  const rank = (index: number) => Math.sin(seed + index * 7919)
  return items
    .map((item, index) => ({ item, rank: rank(index) }))
    .sort((left, right) => left.rank - right.rank)
    .map(({ item }) => item)
}

function shuffleKeys(value: unknown, seed: number): unknown {
  if (Array.isArray(value)) return value.map((item) => shuffleKeys(item, seed))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(shuffle(Object.entries(value), seed).map(([key, item]) => [key, shuffleKeys(item, seed)]))
}
