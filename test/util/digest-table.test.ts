import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createDigestTable } from '../../src/util/digest-table.ts'

const anyKey = fc.oneof(
  fc.constantFrom('', '__proto__', 'constructor', 'a', '\u{FFFD}', '\uD800', '\uD801'),
  fc.string(),
  fc.string({ unit: 'binary' })
)
const value = fc.tuple(fc.nat(0xffffffff), fc.nat(0xffffffff))

test('a digest table holds the same entries as a Map of first values', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyKey, value)), fc.array(anyKey), (added, asked) => {
      const table = createDigestTable(2)
      const map = new Map<string, number[]>()
      for (const [key, words] of added) {
        table.add(key, Uint32Array.from(words))
        if (!map.has(key)) map.set(key, words)
        expect([...(table.get(key) ?? [])]).toEqual(map.get(key))
      }
      for (const key of [...asked, ...map.keys()])
        expect(table.get(key)).toEqual(map.has(key) ? Uint32Array.from(map.get(key) ?? []) : undefined)
    })
  )
})

test('a digest table grows and keeps every key', () => {
  const table = createDigestTable(1)
  const count = 20_000
  for (let number = 0; number < count; number++) table.add(`key ${number}`, Uint32Array.of(number))
  const found = Array.from({ length: count }, (_, number) => table.get(`key ${number}`)?.[0])
  expect(found).toEqual(Array.from({ length: count }, (_, number) => number))
  expect(Array.from({ length: 1000 }, (_, number) => table.get(`other ${number}`)).every((one) => one === undefined)).toBe(true)
})

test('a digest table without values is a set', () => {
  const table = createDigestTable(0)
  table.add('a', new Uint32Array())
  expect(table.get('a')).toBeDefined()
  expect(table.get('b')).toBeUndefined()
})
