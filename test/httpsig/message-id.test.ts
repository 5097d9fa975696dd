import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { commitmentId, createMessageIds, sumOfIds, valueId } from '../../src/httpsig/message-id.ts'
import type { MessageNode } from '../../src/httpsig/message-node.ts'
import { hash64, idOf, type Sample } from './sample-node.ts'

function nodeOf({ fields, nested = [] }: Sample): MessageNode {
  return {
    fields: new Map(fields.map(([name, value]) => [name, typeof value === 'string' ? Buffer.from(value, 'latin1') : value])),
    children: new Map(nested.map(([name, child]) => [name, nodeOf(child)]))
  }
}

const id = (node: MessageNode) => {
  const found = createMessageIds().idOf(node)
  return found.ok ? found.value : found.reason
}

function committed(names: readonly string[]): MessageNode {
  return { fields: new Map(names.map((name, place) => [String(place + 1), Buffer.from(name)])), children: new Map() }
}

describe('the id of a message that nobody signed', () => {
  it('is a known one for a known message', () => {
    expect(
      id(
        nodeOf({
          fields: [
            ['name', 'Data-Protocol'],
            ['value', 'ao']
          ]
        })
      )
    ).toBe('mxqlb8xnFF9WZwnz2Qe0nLz-rZ1kGjYdHynbolD0v2M')
  })

  it('is that of another encoder, for bodies, long values, long names and nested messages', () => {
    const value = fc.constantFrom('', 'v', 'x'.repeat(4097), '\u00e9\n')
    const name = fc.constantFrom('a', 'B', 'body', 'data', 'A'.repeat(32), 'b_'.repeat(21), 'C'.repeat(43), '__proto__')
    const fields = fc.uniqueArray(fc.tuple(name, value), { selector: ([one]) => one })
    const nested = fc.option(fields, { nil: undefined })
    fc.assert(
      fc.property(fields, nested, (own, inner) => {
        const sample: Sample = { fields: own, nested: inner === undefined ? [] : [['n'.repeat(38), { fields: inner }]] }
        expect(id(nodeOf(sample))).toBe(idOf(sample))
      })
    )
  })

  it('has the order of its own list of names where there are more than 32', () => {
    const names = Array.from({ length: 33 }, (_, number) => `k${(number * 5) % 33}`)
    const node = nodeOf({ fields: names.map((name) => [name, name] as const) })
    const listing = (order: readonly string[]) => {
      const checksum = {
        fields: new Map([['type', Buffer.from('hmac-sha256')]]),
        children: new Map([['committed', committed(order)]])
      }
      return id({
        ...node,
        children: new Map([['commitments', { fields: new Map(), children: new Map([['any', checksum]]) }]])
      })
    }
    const sorted = id(node)
    expect(listing(names.toSorted())).toBe(sorted)
    expect(listing(names)).not.toBe(sorted)
    for (const order of [names.slice(1), [...names, 'more'], [...names.slice(1), 'other']]) expect(listing(order)).toBe(sorted)
  })

  it('does not exist where a name has two values in the signed form', () => {
    const nested = [['a', { fields: [['x', '1']] }]] as const
    expect(id(nodeOf({ fields: [['a+link', 'v']], nested }))).toBe('a+link has two values')
    expect(
      id(
        nodeOf({
          fields: [
            ['content-digest', 'v'],
            ['body', 'v']
          ]
        })
      )
    ).toBe('content-digest has two values')
    expect(
      id(
        nodeOf({
          fields: [],
          nested: [
            [
              'inner',
              {
                fields: [
                  ['content-digest', 'v'],
                  ['body', 'v']
                ]
              }
            ]
          ]
        })
      )
    ).toBe('inner: content-digest has two values')
  })
})

describe('other ids', () => {
  it('are hashes of values and signatures; an HMAC is its own id', () => {
    expect(valueId(Buffer.from('a'))).toBe(hash64(Buffer.from('a')))
    expect(commitmentId(Buffer.alloc(512))).toBe(hash64(Buffer.alloc(512)))
    expect(commitmentId(Buffer.alloc(32, 7))).toBe(Buffer.alloc(32, 7).toString('base64url'))
  })

  it('are added modulo 2^256, in any order', () => {
    const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 })
    const of = (one: Uint8Array) => Buffer.from(one).toString('base64url')
    expect(sumOfIds([of(new Uint8Array(32).fill(255)), of(Buffer.from('02'.padStart(64, '0'), 'hex'))])).toBe(
      of(Buffer.from('01'.padStart(64, '0'), 'hex'))
    )
    expect(sumOfIds([])).toBe(of(new Uint8Array(32)))
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(sumOfIds([of(a)])).toBe(of(a))
        expect(sumOfIds([of(a), of(b)])).toBe(sumOfIds([of(b), of(a)]))
      })
    )
  })
})
