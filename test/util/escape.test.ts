import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { codeSpan, escapeForTerminal, escapeJsonText, markdownSentence } from '../../src/util/escape.ts'

/** Written independently of the source: by number, not by Unicode property. */
const CONTROL = new RegExp(
  [
    String.raw`[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]`,
    String.raw`[\ufe00-\ufe0f\u{e0000}-\u{e01ef}\ud800-\udfff]`
  ].join('|'),
  'u'
)

/** Any UTF-16, including lone surrogates, with many characters that must be escaped. */
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
  ])('escapes %j for a terminal as %j', (given, expected) => {
    expect(escapeForTerminal(given, 1_000)).toBe(expected)
  })

  it('cuts a long text and states how much is missing', () => {
    expect(escapeForTerminal('abcdef', 6)).toBe('abcdef')
    expect(escapeForTerminal('abcdef', 5)).toBe('abcde… (1 more)')
    expect(escapeForTerminal('abcdef', 0)).toBe('… (6 more)')
  })

  it('never cuts through an escape or a surrogate pair', () => {
    expect(escapeForTerminal('ab\u001bcd', 7)).toBe('ab… (3 more)')
    expect(escapeForTerminal('ab\u001bcd', 8)).toBe('ab\\u{1b}… (2 more)')
    expect(escapeForTerminal('a🙂b', 2)).toBe('a… (3 more)')
  })

  it('lets no control character through, for any text and any cut', () => {
    fc.assert(
      fc.property(text, fc.nat({ max: 40 }), (given, maxChars) => {
        const shown = escapeForTerminal(given, maxChars)
        expect(shown).not.toMatch(CONTROL)
        expect(shown.replace(/… \(\d+ more\)$/, '').length).toBeLessThanOrEqual(maxChars)
      })
    )
  })
})

/** Reads code spans as CommonMark does, and the text between them. */
function readSpans(markdown: string): { readonly spans: readonly string[]; readonly between: string } {
  const spans: string[] = []
  let between = ''
  let rest = markdown
  for (;;) {
    const [, before = '', fence = ''] = /^([^`]*)(`+)/.exec(rest) ?? []
    if (fence === '') return { spans, between: between + rest }
    const behind = rest.slice(before.length + fence.length)
    const close = [...behind.matchAll(/`+/g)].find(([run]) => run === fence)
    if (close === undefined) throw new Error(`an open fence in ${markdown}`)
    const inner = behind.slice(0, close.index)
    const isPadded = inner.startsWith(' ') && inner.endsWith(' ') && inner.trim() !== ''
    spans.push(isPadded ? inner.slice(1, -1) : inner)
    between += `${before}\0`
    rest = behind.slice(close.index + fence.length)
  }
}

/** Text with characters that have a meaning in Markdown, tables and HTML. */
const markup = fc
  .array(
    fc.oneof(fc.constantFrom('`', '``', '|', '\\', '\n', '\r', ' ', '<b>', '[a](http://b)', '*', '_', '#', '&lt;', '1.'), text)
  )
  .map((parts) => parts.join(''))

describe('codeSpan', () => {
  it.each([
    ['a|b', '`a\\u{7c}b`'],
    ['<img src=x>', '`<img src=x>`'],
    ['a`b``c', '```a`b``c```'],
    ['`', '`` ` ``'],
    [' a', '`  a `'],
    ['a\\', '`a\\`'],
    ['', '(empty)'],
    ['line\n\u202e# head', '`line\\u{a}\\u{202e}# head`']
  ])('writes %j as the code span %j', (given, expected) => {
    expect(codeSpan(given, 1_000)).toBe(expected)
  })

  it('writes any value as one code span in one table cell, with the text that the terminal shows', () => {
    fc.assert(
      fc.property(markup, fc.nat({ max: 40 }), (given, maxChars) => {
        fc.pre(given !== '')
        const written = codeSpan(given, maxChars)
        expect(written).not.toMatch(CONTROL)
        expect(written).not.toContain('|')
        const shown = escapeForTerminal(given, maxChars).replaceAll('|', '\\u{7c}')
        const { spans, between } = readSpans(written)
        expect(between).toBe('\0')
        // A reader may not strip spaces if there is nothing else.
        expect(spans.map((span) => (shown.trim() === '' ? span.trim() : span))).toEqual([shown.trim() === '' ? '' : shown])
      })
    )
  })
})

describe('markdownSentence', () => {
  it.each([
    ['http://unit.example did not answer: (it is away)', '`http://unit.example` did not answer: (it is away)'],
    ['it answered 404, {"error":"not found"}: so', 'it answered 404, `{"error":"not found"}`: so'],
    ['a|b **c** d', '`a\\u{7c}b **c**` d'],
    ['1. no list, 0.0.44 (at 404)', '`1.` no list, 0.0.44 (at 404)'],
    ['www.unit.example unit.example', '`www.unit.example unit.example`'],
    ['- a', '`-` a'],
    ['it’s well-known', 'it’s well-known'],
    ['', '(empty)']
  ])('writes the sentence %j as %j', (given, expected) => {
    expect(markdownSentence(given, 1_000)).toBe(expected)
  })

  it('leaves only plain words outside its code spans, for any sentence', () => {
    fc.assert(
      fc.property(markup, fc.nat({ max: 60 }), (given, maxChars) => {
        const written = markdownSentence(given, maxChars)
        expect(written).not.toMatch(CONTROL)
        expect(written).not.toContain('|')
        const { between } = readSpans(written)
        expect(between.replaceAll('\0', '')).toMatch(/^[\p{L}\p{N} (),;:.…?'’-]*$/u)
        expect(between).not.toMatch(/^\d+[.)]( |$)|^[-=:]|www\.|:\/\//i)
      })
    )
  })
})

describe('escapeJsonText', () => {
  it('writes invisible characters as UTF-16 escapes and keeps line feeds', () => {
    expect(escapeJsonText('{\n  "a": "\u007f\u009b\u202e\u2028\u{e0041}"\n}')).toBe(
      '{\n  "a": "\\u007f\\u009b\\u202e\\u2028\\udb40\\udc41"\n}'
    )
  })

  it('keeps the meaning of any JSON document', () => {
    fc.assert(
      fc.property(fc.oneof(text, fc.json()), (given) => {
        const escaped = escapeJsonText(JSON.stringify({ given }, null, 2))
        expect(escaped.replaceAll('\n', '')).not.toMatch(CONTROL)
        expect(JSON.parse(escaped)).toEqual({ given })
      })
    )
  })
})
