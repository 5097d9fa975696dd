import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { escapeForMarkdown, escapeForTerminal, escapeJsonText } from '../../src/util/escape.ts'

/** Written apart from the source: by number, not by Unicode property. */
const CONTROL = new RegExp(
  [
    String.raw`[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]`,
    String.raw`[\ufe00-\ufe0f\u{e0000}-\u{e01ef}\ud800-\udfff]`
  ].join('|'),
  'u'
)

/** Any UTF-16, lone surrogates among it, with much of what must be escaped. */
const text = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0xff }),
      fc.integer({ min: 0x2000, max: 0x2070 }),
      fc.integer({ min: 0xd7f0, max: 0xe010 }),
      fc.integer({ min: 0, max: 0xffff })
    )
  )
  .map((units) => String.fromCharCode(...units))

describe('escapeForTerminal', () => {
  it.each([
    ['plain: Größe, 木, 🙂', 'plain: Größe, 木, 🙂'],
    ['\u001b[31mred\u001b[0m', '\\u{1b}[31mred\\u{1b}[0m'],
    ['a\tb\r\nc\u0000', 'a\\u{9}b\\u{d}\\u{a}c\\u{0}'],
    ['\u007f\u0085\u009b2J', '\\u{7f}\\u{85}\\u{9b}2J'],
    ['\u202egnp.exe\u2066x\u2069', '\\u{202e}gnp.exe\\u{2066}x\\u{2069}'],
    ['a\u200bb\u200dc\ufeffd\u00ade', 'a\\u{200b}b\\u{200d}c\\u{feff}d\\u{ad}e'],
    ['a\u2028b\u2029c', 'a\\u{2028}b\\u{2029}c'],
    ['\ud800x\udfff', '\\u{d800}x\\u{dfff}'],
    ['tag \u{e0041}, variant \ufe0f, private \ue000', 'tag \\u{e0041}, variant \\u{fe0f}, private \\u{e000}'],
    ['a back\\slash stays', 'a back\\slash stays']
  ])('shows %j as %j', (given, expected) => {
    expect(escapeForTerminal(given, 1_000)).toBe(expected)
  })

  it('cuts a long text and says how much is missing', () => {
    expect(escapeForTerminal('abcdef', 6)).toBe('abcdef')
    expect(escapeForTerminal('abcdef', 5)).toBe('abcde… (1 more)')
    expect(escapeForTerminal('abcdef', 0)).toBe('… (6 more)')
  })

  it('halves neither an escape nor a surrogate pair', () => {
    expect(escapeForTerminal('ab\u001bcd', 7)).toBe('ab… (3 more)')
    expect(escapeForTerminal('ab\u001bcd', 8)).toBe('ab\\u{1b}… (2 more)')
    expect(escapeForTerminal('a🙂b', 2)).toBe('a… (3 more)')
  })

  it('never lets a control character through, whatever comes in and wherever it is cut', () => {
    fc.assert(
      fc.property(text, fc.nat({ max: 40 }), (given, maxChars) => {
        const shown = escapeForTerminal(given, maxChars)
        expect(shown).not.toMatch(CONTROL)
        expect(shown.replace(/… \(\d+ more\)$/, '').length).toBeLessThanOrEqual(maxChars)
      })
    )
  })
})

describe('escapeForMarkdown', () => {
  it.each([
    ['a|b', 'a&#124;b'],
    ['<img src=x onerror=alert(1)>', '&#60;img src&#61;x onerror&#61;alert&#40;1&#41;&#62;'],
    ['`x` **b** _i_ ~s~', '&#96;x&#96; &#42;&#42;b&#42;&#42; &#95;i&#95; &#126;s&#126;'],
    ['[a](http://b)', '&#91;a&#93;&#40;http&#58;&#47;&#47;b&#41;'],
    ['&lt;\\', '&#38;lt&#59;&#92;'],
    ['line\n# head', 'line&#92;u&#123;a&#125;&#35; head']
  ])('writes %j as %j', (given, expected) => {
    expect(escapeForMarkdown(given, 1_000)).toBe(expected)
  })

  it('leaves no control and no character with a meaning, and says what the terminal says', () => {
    fc.assert(
      fc.property(text, fc.nat({ max: 40 }), (given, maxChars) => {
        const escaped = escapeForMarkdown(given, maxChars)
        const decoded = escaped.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
        expect(escaped).not.toMatch(CONTROL)
        expect(escaped.replace(/&#\d+;/g, '')).not.toMatch(/[!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]/)
        expect(decoded).toBe(escapeForTerminal(given, maxChars))
      })
    )
  })
})

describe('escapeJsonText', () => {
  it('writes what cannot be seen as UTF-16 escapes and leaves line feeds', () => {
    expect(escapeJsonText('{\n  "a": "\u007f\u009b\u202e\u2028\u{e0041}"\n}')).toBe(
      '{\n  "a": "\\u007f\\u009b\\u202e\\u2028\\udb40\\udc41"\n}'
    )
  })

  it('keeps the meaning of any document', () => {
    fc.assert(
      fc.property(fc.oneof(text, fc.json()), (given) => {
        const escaped = escapeJsonText(JSON.stringify({ given }, null, 2))
        expect(escaped.replaceAll('\n', '')).not.toMatch(CONTROL)
        expect(JSON.parse(escaped)).toEqual({ given })
      })
    )
  })
})
