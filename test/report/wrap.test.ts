import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { wrap } from '../../src/report/wrap.ts'

const at = (width: number, begin = 0, indent = 0) => ({ width, begin, indent })

describe('wrap', () => {
  it('breaks between words, after a label and with an indent', () => {
    expect(wrap('one two three', at(10))).toEqual(['one two', 'three'])
    expect(wrap('one two three', at(10, 6, 2))).toEqual(['one', 'two', 'three'])
    expect(wrap('one two three', at(13))).toEqual(['one two three'])
    expect(wrap('', at(10))).toEqual([''])
  })

  it('breaks a word only if it is longer than a line', () => {
    expect(wrap('a abcdefghij', at(10))).toEqual(['a', 'abcdefghij'])
    expect(wrap('a abcdefghijkl b', at(10, 0, 2))).toEqual(['a', 'abcdefgh', 'ijkl b'])
  })

  it('begins on the next line if the first word does not fit beside the label', () => {
    expect(wrap('abcdef', at(10, 8, 2))).toEqual(['', 'abcdef'])
  })

  it('keeps spaces within a line and at its start', () => {
    expect(wrap('  a   b', at(10))).toEqual(['  a   b'])
  })

  it('counts two columns for wide characters and none for marks, and splits no surrogate pair', () => {
    expect(wrap('漢字漢字', at(5))).toEqual(['漢字', '漢字'])
    expect(wrap('🙂🙂🙂', at(4))).toEqual(['🙂🙂', '🙂'])
    expect(wrap('e\u0301e\u0301e\u0301', at(3))).toEqual(['e\u0301e\u0301e\u0301'])
  })

  it('loses only spaces and makes no line too long', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 4, max: 30 }), (text, width) => {
        const lines = wrap(text, at(width, 3, 2))
        expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''))
        expect(lines.filter((line, place) => line.length > width - (place === 0 ? 3 : 2))).toEqual([])
      })
    )
  })
})
