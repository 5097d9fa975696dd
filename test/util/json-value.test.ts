import fc from 'fast-check'
import { expect, it } from 'vitest'
import { sameJson } from '../../src/util/json-value.ts'

it('sameJson agrees with the equality of JSON with sorted keys', () => {
  const canonical = (value: unknown): string =>
    JSON.stringify(value, (_, item: unknown) => {
      if (typeof item !== 'object' || item === null || Array.isArray(item)) return item
      return { members: Object.entries(item).sort(([left], [right]) => (left < right ? -1 : 1)) }
    })
  const small = fc.jsonValue({ maxDepth: 2, stringUnit: fc.constantFrom('a', 'b') })
  fc.assert(
    fc.property(small, small, (left, right) => {
      expect(sameJson(left, right)).toBe(canonical(left) === canonical(right))
      expect(sameJson(left, structuredClone(left))).toBe(true)
    })
  )
})

it.each([
  ['a member more', { a: 1 }, { a: 1, b: 2 }],
  ['another name', { a: 1 }, { b: 1 }],
  ['a name of the prototype', JSON.parse('{"__proto__":{}}'), { a: 1 }],
  ['an item more', [1], [1, 2]],
  ['null', {}, null],
  ['an array', {}, []]
])('sameJson finds a difference: %s', (_, left, right) => {
  expect(sameJson(left, right)).toBe(false)
  expect(sameJson(right, left)).toBe(false)
})

it('sameJson treats an undefined member as absent', () => {
  expect(sameJson({ a: undefined, b: 1 }, { b: 1 })).toBe(true)
  expect(sameJson({ b: 1 }, { a: undefined, b: 1 })).toBe(true)
})

it('sameJson tells an infinite number from null, undefined, its name and every other number', () => {
  for (const other of [null, undefined, 'Infinity', '1e999', 0, Number.MAX_VALUE, Number.NEGATIVE_INFINITY, true, [], {}]) {
    expect(sameJson([JSON.parse('1e999')], [other])).toBe(false)
  }
  expect(sameJson({ a: JSON.parse('1e999') }, { a: JSON.parse('1e400') })).toBe(true)
})
