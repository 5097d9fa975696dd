import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HTTPSIG_LIMITS } from '../../src/httpsig/httpsig-limits.ts'
import type { MessageNode } from '../../src/httpsig/message-node.ts'
import { boundaryOf, parseMultipart, signedBody } from '../../src/httpsig/multipart-body.ts'
import { signedFields } from './sample-node.ts'

const part = (...lines: readonly string[]) => lines.join('\r\n')
const body = (...parts: readonly string[]) => `${parts.map((one) => `--B\r\n${one}\r\n`).join('')}--B--`

function plainTree({ fields, children }: MessageNode): unknown {
  const values = [...fields].map(([name, value]) => [name, Buffer.from(value).toString('latin1')])
  return children.size === 0 ? values : [values, [...children].map(([name, child]) => [name, plainTree(child)])]
}

function parsed(text: string, limits: Partial<typeof HTTPSIG_LIMITS> = {}): unknown {
  const tree = parseMultipart(Buffer.from(text, 'latin1'), 'B', 'data', { ...HTTPSIG_LIMITS, ...limits })
  return tree.ok ? plainTree(tree.value) : tree.reason
}

describe('parseMultipart', () => {
  it('makes a tree of paths, whichever part comes first', () => {
    const text = body(
      part('content-disposition: form-data;name="a/b/c"', 'y: 2'),
      part('content-disposition: form-data;name="a"', 'x: 1: 2', 'e: '),
      part('content-disposition: inline', '', 'the\r\n\r\ndata')
    )
    expect(parsed(text)).toEqual([
      [['data', 'the\r\n\r\ndata']],
      [
        [
          'a',
          [
            [
              ['x', '1: 2'],
              ['e', '']
            ],
            [['b', [[], [['c', [['y', '2']]]]]]]
          ]
        ]
      ]
    ])
  })

  it('puts a body under the name that its part gives it, and keeps line feeds of values', () => {
    const text = body(
      part('ao-body-key: data', 'content-disposition: form-data;name="a"', 'x: 1\n2', '', 'code'),
      part('content-disposition: form-data;name="b"', 'x: 1', '', 'text'),
      part('content-disposition: form-data;name="c/long"', '', 'value'),
      part('ao-types: empty-message', 'content-disposition: form-data;name="d"')
    )
    expect(parsed(text)).toEqual([
      [],
      [
        [
          'a',
          [
            ['x', '1\n2'],
            ['data', 'code']
          ]
        ],
        [
          'b',
          [
            ['x', '1'],
            ['body', 'text']
          ]
        ],
        ['c', [['long', 'value']]],
        ['d', []]
      ]
    ])
  })

  it('refuses what stands for two things', () => {
    const named = (name: string, ...lines: readonly string[]) => part(`content-disposition: form-data;name="${name}"`, ...lines)
    const cases = [
      [body(named('a', 'x: 1'), named('a', 'y: 1')), 'a occurs twice'],
      [body(named('a', '', 'v'), named('a', '', 'v')), 'a occurs twice'],
      [body(named('a', '', 'v'), named('a', 'x: 1')), 'a is both a value and a message'],
      [body(named('a', 'x: 1'), named('a', '', 'v')), 'a is both a value and a message'],
      [body(named('a', 'b: 1'), named('a/b', 'x: 1')), 'b is both a value and a message'],
      [body(named('a/b', 'x: 1'), named('a', 'b: 1')), 'b is both a value and a message'],
      [body(named('a', 'x: 1', 'x: 1')), 'x occurs twice in one part'],
      [body(named('a', 'body: 1', '', 'v')), 'body occurs twice in one part']
    ]
    for (const [text = '', reason] of cases) expect(parsed(text), text).toBe(`multipart body: ${reason}`)
  })

  it('refuses what is not exactly of the form', () => {
    const cases = [
      ['', 'it does not begin with its boundary'],
      ['x--B\r\n', 'it does not begin with its boundary'],
      ['--B\r\na: 1', 'it does not end with its boundary'],
      ['--B\r\na: 1\r\n--Bx', 'text follows a boundary on its line'],
      [`${body(part('content-disposition: inline', '', ''))}\r\n`, 'text follows a boundary on its line'],
      [body(part('x: 1')), 'a part has no name'],
      [body(''), 'a part has no name'],
      [body(part('content-disposition: form-data', 'x: 1')), 'a part has no name'],
      [body(part('content-disposition: form-data;name="a//b"', 'x: 1')), 'a part has an empty name in its path'],
      [body(part('content-disposition: form-data;name="a/"', '', 'v')), 'a part has no name'],
      [body(part('content-disposition: inline', 'x')), 'a line is not a field'],
      [body(part('content-disposition: inline', ': x')), 'a line is not a field'],
      ['--B\r\n--B--', 'it does not end with its boundary']
    ]
    for (const [text = '', reason] of cases) expect(parsed(text), text).toBe(`multipart body: ${reason}`)
  })

  it('keeps to its limits', () => {
    const text = body(
      part('content-disposition: form-data;name="a/b"', 'x: 1', 'y: 2'),
      part('content-disposition: inline', '', '')
    )
    expect(parsed(text, { maxParts: 2, maxDepth: 2, maxFields: 3 })).toBeInstanceOf(Array)
    expect(parsed(text, { maxParts: 1 })).toBe('multipart body: more than 1 parts')
    expect(parsed(text, { maxDepth: 1 })).toBe('multipart body: a part lies more than 1 deep')
    expect(parsed(text, { maxMessages: 1 })).toBe('multipart body: more than 1 messages')
    expect(parsed(text, { maxFields: 2 })).toBe('multipart body: too many fields')
  })

  it('reads a large body in a time that grows with its length', () => {
    const parts = Array.from({ length: 50_000 }, (_, number) =>
      part(`content-disposition: form-data;name="a/${number}"`, 'x: 1')
    )
    const begun = performance.now()
    expect(parsed(body(...parts))).toBeInstanceOf(Array)
    expect(parsed(`--B\r\n${'\r\n--A'.repeat(200_000)}`)).toBe('multipart body: it does not end with its boundary')
    expect(performance.now() - begun).toBeLessThan(10_000)
  })

  it('reads or refuses any bytes', () => {
    const piece = fc.constantFrom(
      '--B',
      '--',
      '\r\n',
      '\r\n\r\n',
      ': ',
      'content-disposition: inline',
      'form-data;name="a/b"',
      'x',
      '/'
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        expect(['string', 'object']).toContain(typeof parsed(`--B\r\n${pieces.join('')}\r\n--B--`))
      }),
      { numRuns: 1000 }
    )
  })
})

describe('boundaryOf', () => {
  it('reads the boundary of form data alone', () => {
    expect(boundaryOf('multipart/form-data; boundary="aB_-9"')).toBe('aB_-9')
    expect(boundaryOf('multipart/form-data;boundary="a"')).toBe('a')
    for (const type of [
      'text/html',
      'multipart/form-data',
      'multipart/form-data; boundary=a',
      `multipart/form-data; boundary="${'a'.repeat(71)}"`
    ])
      expect(boundaryOf(type)).toBeUndefined()
  })
})

describe('signedBody', () => {
  it('is the digest of the one value, or of the parts that another encoder makes', () => {
    const value = fc.tuple(
      fc.constantFrom('body', 'data', 'a', 'z', 'B'),
      fc.constantFrom('', 'x', 'y'.repeat(4096), 'z'.repeat(4097))
    )
    const fields = fc.uniqueArray(value, { selector: ([name]) => name })
    fc.assert(
      fc.property(fields, (given) => {
        const names = given.map(([name]) => name)
        const inline = names.includes('data') && !names.includes('body') ? 'data' : 'body'
        const inBody = given.filter(([name, { length }]) => name === inline || length > 4096)
        if (inBody.length === 0) return
        const { digest, contentType } = signedBody(inline, new Map(inBody.map(([name, one]) => [name, Buffer.from(one)])))
        const expected = signedFields({ fields: given }).fields
        expect(Buffer.from(digest).toString()).toBe(expected.get('content-digest')?.toString())
        expect(contentType === undefined ? undefined : Buffer.from(contentType).toString()).toBe(
          expected.get('content-type')?.toString()
        )
      })
    )
  })
})
