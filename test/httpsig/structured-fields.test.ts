import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseSignatureInputs, parseSignatures } from '../../src/httpsig/structured-fields.ts'

const LIMITS = { maxCommitments: 3, maxCovered: 3 }

function inputs(text: string): unknown {
  const parsed = parseSignatureInputs(text, LIMITS)
  if (!parsed.ok) return parsed.reason
  return parsed.value.map(({ label, names, parameters }) => [label, names, ...parameters])
}

function signatures(text: string): unknown {
  const parsed = parseSignatures(text, LIMITS)
  return parsed.ok ? [...parsed.value].map(([label, bytes]) => [label, [...bytes]]) : parsed.reason
}

describe('parseSignatureInputs', () => {
  it('keeps the order of members, names and parameters, and undoes escapes', () => {
    expect(inputs('comm-a=("x" "@path");alg="a\\"\\\\b";created=7, *b=()')).toEqual([
      ['comm-a', ['x', '@path'], ['alg', 'a"\\b'], ['created', 7]],
      ['*b', []]
    ])
    expect(inputs('')).toEqual([])
    expect(inputs('a=( "\u00e9"  "b" ); alg=""')).toEqual([['a', ['\u00e9', 'b'], ['alg', '']]])
    expect(inputs('a=();created=-12 \t,\t b=()')).toEqual([
      ['a', [], ['created', -12]],
      ['b', []]
    ])
  })

  it('refuses what could be read in two ways, with where it stands', () => {
    const cases = [
      ['a=(), a=()', 'a label that occurs twice at 7'],
      ['a=();x=1;x=1', 'a parameter that occurs twice at 10'],
      ['a=();x=07', 'a number that is not in its shortest form at 9'],
      ['a=();x=-0', 'a number that is not in its shortest form at 9']
    ]
    for (const [text = '', reason] of cases) expect(inputs(text)).toBe(`signature-input: ${reason}`)
  })

  it('refuses what is not of the form', () => {
    const cases = [
      ['A=()', 'no label at 0'],
      ['a', 'no = at 1'],
      ['a=("x"', 'no   at 6'],
      ['a=("x""y")', 'no   at 6'],
      ['a=(x)', 'no " at 3'],
      ['a=("x)', 'an unterminated string at 6'],
      ['a=("x\n")', 'a control character at 6'],
      ['a=("x\u007f")', 'a control character at 6'],
      ['a=("\\x")', 'an unknown escape at 6'],
      ['a=();', 'no parameter at 5'],
      ['a=();x', 'no = at 6'],
      ['a=();x=?1', 'no " at 7'],
      ['a=(),', 'nothing after a comma at 5'],
      ['a=() b=()', 'no , at 5'],
      ['a=();x=1.5', 'no , at 8'],
      ['a=("1" "2" "3" "4")', 'more than 3 names at 18'],
      ['a=(), b=(), c=(), d=()', 'more than 3 members at 19']
    ]
    for (const [text = '', reason] of cases) expect(inputs(text), text).toBe(`signature-input: ${reason}`)
  })
})

describe('parseSignatures', () => {
  it('reads bytes', () => {
    expect(signatures('a=:AQI=:, b=::')).toEqual([
      ['a', [1, 2]],
      ['b', []]
    ])
  })

  it('refuses base64 in any but its canonical form', () => {
    for (const text of ['AQJ=', 'AQI', 'AQI==', 'AQ-_', 'AQ I=']) expect(signatures(`a=:${text}:`)).toMatch(/^signature: /)
  })

  it('refuses doubles, parameters and what is left over', () => {
    expect(signatures('a=:AQI=:, a=:AQI=:')).toBe('signature: a label that occurs twice at 11')
    expect(signatures('a=:AQI=:;x=1')).toBe('signature: no , at 8')
    expect(signatures('a=::, b=::, c=::, d=::')).toBe('signature: more than 3 members at 19')
  })
})

describe('any text', () => {
  it('is read or refused, never thrown at', () => {
    const text = fc.oneof(fc.string({ maxLength: 60 }), fc.stringMatching(/^[a-c=();:," \\@1]{0,40}$/))
    fc.assert(
      fc.property(text, (one) => {
        expect(['string', 'object']).toContain(typeof inputs(one))
        expect(['string', 'object']).toContain(typeof signatures(one))
      }),
      { numRuns: 1000 }
    )
  })
})
