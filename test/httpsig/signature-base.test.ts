import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { coveredName, plainName, signedName } from '../../src/httpsig/field-names.ts'
import { signatureBase } from '../../src/httpsig/signature-base.ts'
import { wireName } from './sample-node.ts'

function base(lines: readonly (readonly [string, string])[], parameters: Record<string, string | number> = {}): string {
  const given = lines.map(([name, value]) => ({ name: coveredName(name), value: Buffer.from(value, 'latin1') }))
  const made = signatureBase(given, new Map(Object.entries(parameters)))
  return made.ok ? Buffer.from(made.value).toString('latin1') : made.reason
}

describe('signatureBase', () => {
  it('has a line for each name in the given order, and the sorted parameters that are signed', () => {
    const parameters = {
      tag: 't',
      nonce: 'n',
      keyid: 'k',
      expires: 9,
      created: 7,
      bundle: 'false',
      alg: 'a',
      'original-tags': '1:A:',
      'field-target': 'x'
    }
    expect(
      base(
        [
          ['b', ' \u00e9 '],
          ['a', '']
        ],
        parameters
      )
    ).toBe(
      '"b":  \u00e9 \n"a": \n"@signature-params": ("b" "a");alg="a";bundle="false";created=7;expires=9;keyid="k";nonce="n";tag="t"'
    )
  })

  it('begins with an empty line if nothing is covered', () => {
    expect(base([])).toBe('\n"@signature-params": ()')
  })

  it('lists derived names with @ whether they were listed with it or not, and has no @ in their lines', () => {
    const names = [
      'path',
      '@method',
      '@authority',
      'scheme',
      'query',
      'query-param',
      'target-uri',
      'request-target',
      'status',
      '@status2'
    ]
    const text = base(names.map((name) => [name, 'v']))
    expect(text.split('\n').slice(0, -1)).toEqual(names.map((name) => `"${name.replace('@', '')}": v`))
    expect(text.split('\n').at(-1)).toBe(
      '"@signature-params": ("@path" "@method" "@authority" "@scheme" "@query" "@query-param" "@target-uri" "@request-target" "status" "@status2")'
    )
  })

  it('escapes parameters, and refuses those with control characters', () => {
    expect(base([], { tag: 'a"\\b' })).toBe('\n"@signature-params": ();tag="a\\"\\\\b"')
    expect(base([], { tag: 'a\nb' })).toBe('the parameter tag has control characters')
  })

  it('refuses names that would break a line or its quotes', () => {
    for (const name of ['a\nb', 'a"b', 'a\\b', '\0'])
      expect(base([[name, 'v']])).toBe(`the name ${JSON.stringify(name)} cannot be covered`)
  })

  it('is made for at most one of all values that would give the same bytes', () => {
    const piece = fc.constantFrom('x', '\n', '\n"a": ', '\n"b": ', '\n"c": ', '"b": ', '\n"@signature-params": ("a")')
    const value = fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join(''))
    const lines = fc.tuple(value, value, value).map(
      ([a, b, c]) =>
        [
          ['a', a],
          ['b', b],
          ['c', c]
        ] as const
    )
    /** Every way to cut a base into the lines of a, b and c. */
    const readings = (text: string) => {
      const body = text.slice('"a": '.length, text.lastIndexOf('\n"@signature-params"'))
      const places = (head: string) => [...body.matchAll(new RegExp(head, 'g'))].map(({ index }) => index)
      return places('\n"b": ').flatMap((b) => places('\n"c": ').filter((c) => c >= b + '\n"b": '.length)).length
    }
    fc.assert(
      fc.property(lines, (given) => {
        const made = base(given)
        if (made.startsWith('"a"')) expect(readings(made)).toBe(1)
      }),
      { numRuns: 2000 }
    )
  })
})

describe('names', () => {
  it('of 32, 42 and 43 bytes are percent-encoded, others are not', () => {
    expect(signedName('A'.repeat(31))).toBe('A'.repeat(31))
    expect(signedName('Ab/._-?&+'.padEnd(32, 'z'))).toBe('%41b/._-?&%2b'.padEnd(36, 'z'))
    expect(signedName('\u00e9'.repeat(42))).toBe('%e9'.repeat(42))
  })

  it('have one signed form, whichever form they came in', () => {
    const name = fc.oneof(...[32, 42, 43, 10].map((length) => fc.stringMatching(new RegExp(`^[A-Ca-c0-9%_-]{${length}}$`))))
    fc.assert(
      fc.property(name, (one) => {
        const signed = signedName(one)
        expect(signedName(signed)).toBe(signed)
        if (!one.includes('%')) expect([signed, plainName(signed)]).toEqual([wireName(one), one])
      })
    )
  })
})
