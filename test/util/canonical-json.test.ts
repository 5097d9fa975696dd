import fc from 'fast-check'
import { expect, it } from 'vitest'
import { canonicalJson } from '../../src/util/canonical-json.ts'

it('writes the examples of RFC 8785 as the RFC does', () => {
  expect(
    canonicalJson(
      JSON.parse(`{
        "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\"\\/",
        "literals": [null, true, false]
      }`)
    )
  ).toBe(
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
      `"string":"€$\\u000f\\nA'B\\"\\\\\\\\\\"/"}`
  )
  const keys = ['\u20ac', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', '\u00f6']
  expect(canonicalJson(Object.fromEntries(keys.map((key) => [key, 0])))).toBe(
    '{"\\r":0,"1":0,"\u0080":0,"\u00f6":0,"\u20ac":0,"\u{1f600}":0,"\ufb33":0}'
  )
})

it('orders integer keys as strings', () => {
  expect(canonicalJson({ 9: 'a', 10: 'b', '-': 'c' })).toBe('{"-":"c","10":"b","9":"a"}')
})

it('does not depend on the order of keys, and parses to the same value', () => {
  const reversed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reversed)
    if (typeof value !== 'object' || value === null) return value
    const members = Object.entries(value).reverse()
    return Object.fromEntries(members.map(([key, member]) => [key, reversed(member)]))
  }
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
      const json = canonicalJson(value)
      expect(canonicalJson(reversed(value))).toBe(json)
      expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(value)))
    })
  )
})

it('leaves out undefined members, as JSON.stringify does', () => {
  expect(canonicalJson({ a: undefined, b: [undefined] })).toBe('{"b":[null]}')
})
