import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareKeys, decodeKey, encodeKey, rangeOf } from '../../src/store/keys.ts'

/** Any JavaScript string, including lone surrogates. */
const anyText = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 6 }).map((units) => String.fromCharCode(...units))
const troublesome = fc.constantFrom(
  '',
  '\u0000',
  '\u0001',
  'a\u0000b',
  '\u0001\u0001',
  '\u0001\u0003d800',
  '\ud800',
  '\udc00',
  '1',
  '2',
  '3'
)
const part = fc.oneof(fc.nat({ max: 20 }), fc.maxSafeNat(), fc.string(), anyText, troublesome)
const key = fc.array(part, { minLength: 1, maxLength: 4 })

/** The keys as level sees and orders them. */
const bytesOf = (text: string) => Buffer.from(text)
const isWithin = (one: readonly (string | number)[], { gte, lt }: { gte: string; lt: string }) => {
  const bytes = bytesOf(encodeKey(one))
  return Buffer.compare(bytes, bytesOf(gte)) >= 0 && Buffer.compare(bytes, bytesOf(lt)) < 0
}

describe('keys', () => {
  it('are the same after encoding and decoding, also through bytes', () => {
    fc.assert(
      fc.property(key, (one) => {
        expect(decodeKey(bytesOf(encodeKey(one)).toString())).toEqual(one)
      })
    )
  })

  it('have the same bytes only if they are equal', () => {
    fc.assert(
      fc.property(key, key, (one, other) => {
        const same = one.length === other.length && one.every((member, place) => member === other[place])
        expect(bytesOf(encodeKey(one)).equals(bytesOf(encodeKey(other)))).toBe(same)
        expect(compareKeys(one, other) === 0).toBe(same)
      })
    )
  })

  it('lie in the range of each of their prefixes, and in no other', () => {
    fc.assert(
      fc.property(key, key, (one, other) => {
        const below = other.length <= one.length && other.every((member, place) => one[place] === member)
        expect(isWithin(one, rangeOf(other))).toBe(below)
      })
    )
    fc.assert(fc.property(key, key, (prefix, rest) => isWithin([...prefix, ...rest], rangeOf(prefix))))
  })

  it('lie in a range of numbers exactly if their next part does, whatever follows', () => {
    const number = fc.nat({ max: 12 })
    fc.assert(
      fc.property(key, number, number, number, key, (prefix, from, to, next, rest) => {
        const range = rangeOf(prefix, { from, to })
        expect(isWithin([...prefix, next, ...rest], range)).toBe(next >= from && next <= to)
        expect(isWithin([...prefix, next], range)).toBe(next >= from && next <= to)
      })
    )
  })

  it('lie in the range of one string exactly if it is their next part', () => {
    const text = fc.oneof(anyText, troublesome)
    fc.assert(
      fc.property(text, text, key, (only, next, rest) => {
        expect(isWithin(['p', next, ...rest], rangeOf(['p'], { from: only, to: only }))).toBe(next === only)
      })
    )
  })

  it('sort numbers as numbers, and before strings', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), anyText, (one, other, text) => {
        expect(compareKeys(['a', one], ['a', other])).toBe(Math.sign(one - other))
        expect(compareKeys(['a', one], ['a', text])).toBe(-1)
      })
    )
  })

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('refuse the number %d as a part', (number) => {
    expect(() => encodeKey([number])).toThrow(RangeError)
  })
})
