import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judge, kinds, signatureOf } from './judged.ts'
import { idOf, type Sample, send, USER } from './sample-node.ts'

/** Names that have a meaning of their own in a message. */
const OWN_MEANING = new Set(
  'body data commitments content-type content-digest ao-body-key signature signature-input date server status'.split(' ')
)

describe('any message', () => {
  const name = fc.stringMatching(/^[A-Za-z][\w.-]{0,11}$/).filter((one) => !OWN_MEANING.has(one))
  const named = fc.oneof(name, fc.stringMatching(/^[\w-]{43}$/))
  const value = fc.oneof(fc.stringMatching(/^[ -~]{0,20}$/), fc.constant('\u00e9'), fc.constant('x'.repeat(4097)))
  const fields = fc.uniqueArray(fc.tuple(named, value), { selector: ([one]) => one, maxLength: 5 })
  const inline = fc.option(fc.tuple(fc.constantFrom('body', 'data'), fc.oneof(value, fc.constant('\0\n'))), { nil: undefined })
  const { tree } = fc.letrec<{ tree: Sample }>((tie) => {
    const children: fc.Arbitrary<[string, Sample][]> = fc.uniqueArray(fc.tuple(name, tie('tree')), {
      selector: ([one]) => one,
      maxLength: 3
    })
    const nested: fc.Arbitrary<[string, Sample][]> = fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constant<[string, Sample][]>([]),
      children
    )
    return {
      tree: fc.record({ fields, inline, nested, signed: fc.boolean() }).map((drawn): Sample => {
        const own = drawn.inline === undefined ? drawn.fields : [...drawn.fields, drawn.inline]
        const taken = new Set(own.map(([one]) => one))
        return {
          fields: own,
          nested: drawn.nested.filter(([one]) => !taken.has(one)),
          ...(drawn.signed ? { signers: [USER] } : {})
        }
      })
    }
  })

  it('that a node signs is accepted, by links and bundled, with the same fields', () => {
    fc.assert(
      fc.property(tree, ({ fields: own, nested = [], ...rest }) => {
        const sample = { fields: own, nested, ...rest }
        const names = own.map(([one]) => one)
        const expected = [...names, ...(names.includes('data') ? ['ao-body-key'] : [])].toSorted()
        const links = judge(send(sample))
        expect(kinds(links)).toEqual(['signature', 'checksum'])
        expect([...signatureOf(links).content.fields.keys()].toSorted()).toEqual(expected)
        const hasLong = own.some(([one, { length }]) => one === 'body' || one === 'data' || length > 4096)
        if (nested.length === 0 && !hasLong) return
        const bundled = judge(send(sample, { bundle: true }))
        expect(kinds(bundled)).toEqual(['signature', 'checksum'])
        const { content } = signatureOf(bundled)
        expect([...content.fields.keys()].toSorted()).toEqual(expected)
        const linked = nested.map(
          ([one, inner]) => [one, { kind: inner.signers ? 'signed' : 'whole', id: idOf(inner) }] as const
        )
        expect([...content.messages.keys()].toSorted()).toEqual(linked.map(([one]) => one).toSorted())
        for (const [one, given] of linked) expect(content.messages.get(one)).toMatchObject(given)
      }),
      { numRuns: 60 }
    )
  })
})
