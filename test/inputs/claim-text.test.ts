import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareResult } from '../../src/compare/result.ts'
import { type AnswerText, claimFaults, cursorFaults, pageFaults } from '../../src/inputs/claim-text.ts'
import { parseJson } from '../../src/util/json-value.ts'

function answer(content: string | Uint8Array): AnswerText {
  const bytes = Buffer.from(content)
  const text = bytes.toString()
  return { bytes, text, value: parseJson(text) }
}

const faultsOf = (content: string | Uint8Array) => claimFaults(answer(content)).map(({ kind, path }) => `${kind} ${path}`)
const RESULT = '{"Messages":[],"Assignments":[],"Spawns":[],"Output":"","GasUsed":0}'
const withByte = (text: string, byte: number) => Buffer.from(text.replaceAll('?', String.fromCharCode(byte)), 'latin1')

describe('a claim’s text', () => {
  it.each([
    RESULT,
    '{"Messages":[],"Assignments":[],"Spawns":[],"Output":{"data":"\\ud800 \\u0000 ü \u{1F600}"},"Error":"no"}',
    '{}',
    '{"Output":{"2":1,"1":2,"__proto__":{"x":1e+21},"constructor":null}}',
    '{"Output":[-0.5]}',
    '{ "Output" : "a genuine \uFFFD",\n "GasUsed": 9007199254740992 }',
    '{"Output":{"a":{"x":1},"b":{"x":1}},"Messages":[{"x":1},{"x":1}]}'
  ])('has no fault if it is %s', (text) => {
    expect(claimFaults(answer(text))).toEqual([])
  })

  it('has no fault if JSON.stringify wrote it, with spaces or without', () => {
    const writtenOutput = fc.jsonValue().filter((value) => value !== null && typeof value !== 'number')
    const result = fc.record({ Messages: fc.array(fc.jsonValue()), Output: writtenOutput, Error: fc.string() })
    fc.assert(
      fc.property(result, fc.nat(4), (value, spaces) => {
        const text = JSON.stringify(value, undefined, spaces)
        // JSON.stringify writes -0 as 0.
        if (/(?<![\d.])-0(?![.\d])/.test(text)) return
        expect(claimFaults(answer(text))).toEqual([])
      }),
      { numRuns: 300 }
    )
  })

  it.each([
    ['it is a list', '[1,2]', ['not-an-object ']],
    ['it is null', 'null', ['not-an-object ']],
    ['it is a string', '"Output"', ['not-an-object ']],
    ['a field is there twice', '{"Messages":[{"Target":"evil"}],"Output":"","Messages":[]}', ['key-twice Messages']],
    ['a field is there twice with one value', '{"Output":"","Output":""}', ['key-twice Output']],
    [
      'a nested key is there twice',
      '{"Messages":[{"Tags":[{"name":"a","name":"b"}]}]}',
      ['key-twice Messages[0].Tags[0].name']
    ],
    ['a key is there twice in two spellings', '{"Output":"a","O\\u0075tput":"b"}', ['key-twice Output']],
    ['`__proto__` is there twice', '{"Output":{"__proto__":1,"__proto__":2}}', ['key-twice Output.__proto__']],
    [
      'a field is not a field of a result',
      '{"Output":"","Patches":[],"Memory":"x"}',
      ['unknown-field Patches', 'unknown-field Memory']
    ],
    ['fields are null', '{"Messages":null,"Output":"","Error":null}', ['unwritten-value Messages', 'unwritten-value Error']],
    ['Output is a number', '{"Output":4}', ['unwritten-value Output']],
    ['a field differs by its case', '{"output":"evil","Output":""}', ['unknown-field output']],
    ['an integer is not an exact double', '{"Output":[9007199254740993]}', ['number-lossy Output[0]']],
    [
      'a number is not written as JSON.stringify writes it',
      '{"Output":[1.0,1e2,-0,0e9,0.10E+1,10000000000000000000000]}',
      [0, 1, 2, 3, 4, 5].map((place) => `number-not-exact Output[${place}]`)
    ],
    [
      'a number is out of range or too precise for a double',
      '{"Output":[1E400,-1e999,1e-999,0.1000000000000000000001,12345678901234567890123]}',
      [0, 1, 2, 3, 4].map((place) => `number-lossy Output[${place}]`)
    ]
  ])('has a fault if %s', (_, text, faults) => {
    expect(faultsOf(text)).toEqual(faults)
  })

  it('has a fault if it begins with a byte order mark', () => {
    expect(faultsOf(`\uFEFF${RESULT}`)).toEqual(['byte-order-mark '])
    expect(faultsOf('\uFEFF{"Output":"a","Output":"b"}')).toEqual(['byte-order-mark ', 'key-twice Output'])
  })

  it('has a fault if the bytes of a value or of a key are not UTF-8', () => {
    expect(faultsOf(withByte('{"Output":"a?b","Error":"fine"}', 0xff))).toEqual(['invalid-utf8 Output'])
    // Three bytes that decode to one U+FFFD, which has three bytes too.
    expect(faultsOf(Buffer.concat([Buffer.from('{"Output":"'), Buffer.from([0xf0, 0x9f, 0x98]), Buffer.from('"}')]))).toEqual([
      'invalid-utf8 Output'
    ])
    expect(faultsOf(withByte('{"?":1,"Output":""}', 0xc3))).toEqual(['unknown-field \uFFFD', 'invalid-utf8 \uFFFD'].map(quoted))
  })

  it('has a fault if a repeated key is hidden behind spaces, escapes and depth', () => {
    const deep = `{"Output":${'{"a":['.repeat(200)}{"k":"\\"{[","k":1}${']}'.repeat(200)}}`
    expect(faultsOf(deep)).toEqual([expect.stringMatching(/^key-twice Output\.a\[0\]\.a\[0\].*…$/)])
  })

  it('has only its first 16 faults named', () => {
    const many = `{${Array.from({ length: 100 }, (_, place) => `"f${place}":0`).join(',')}}`
    expect(faultsOf(many)).toHaveLength(16)
  })

  it('has a fault if any part is altered in a way that parsing does not show', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 3 })), fc.nat(), (messages, place) => {
        const text = JSON.stringify({ Messages: messages, Output: 7 })
        const numbers = [...text.matchAll(/(?<=[[:,])7(?=[,}\]])/g)]
        const { index = 0 } = numbers[place % numbers.length] ?? {}
        const altered = `${text.slice(0, index)}7.0${text.slice(index + 1)}`
        // A 7 inside a string is not a number.
        fc.pre(isDeepStrictEqual(JSON.parse(altered), JSON.parse(text)))
        expect(faultsOf(altered)).toContainEqual(expect.stringContaining('number-not-exact'))
      })
    )
  })
})

function quoted(fault: string): string {
  return fault.replace(/ (.*)$/, (_, path: string) => ` ${JSON.stringify(path)}`)
}

describe('the text of a page', () => {
  const edge = (node: string, cursor = '"c"') => `{"node":${node},"cursor":${cursor}}`
  const page = (...edges: string[]) => answer(`{"pageInfo":{"hasNextPage":false},"edges":[${edges.join(',')}]}`)

  it('has no faults, and unchanged nodes, if JSON.stringify wrote it', () => {
    expect(pageFaults(page(edge('{"Output":"1"}'), edge('{}')))).toEqual({
      edges: [
        { raw: '{"Output":"1"}', faults: [] },
        { raw: '{}', faults: [] }
      ],
      faults: []
    })
  })

  it('has each fault at its own edge, and each node’s text as it was sent', () => {
    const { edges, faults } = pageFaults(
      page(edge('{"Output":"1"}'), edge('{"Output":"1", "Output":"2"}'), edge('[1.0]'), edge('{}', '"c","cursor":"d"'))
    )
    expect(edges.map(({ raw }) => raw)).toEqual(['{"Output":"1"}', '{"Output":"1", "Output":"2"}', '[1.0]', '{}'])
    expect(edges.map(({ faults: found }) => found.map(({ kind, path }) => `${kind} ${path}`))).toEqual([
      [],
      ['key-twice Output'],
      ['not-an-object ', 'number-not-exact [0]'],
      ['key-twice cursor']
    ])
    expect(faults).toEqual([])
  })

  it('has a fault if an edge or the page has a field that no unit writes', () => {
    const text = (extra: string) =>
      `\uFEFF{"pageInfo":{"hasNextPage":false,"a":1},"edges":[{"node":{},"cursor":"c","error":"EVIL"}${extra}],"b":2}`
    for (const extra of ['', ' ']) {
      const { edges, faults } = pageFaults(answer(text(extra)))
      const named = [...(edges[0]?.faults ?? []), ...faults].map(({ kind, path }) => `${kind} ${path}`)
      expect(named).toEqual(['unknown-field error', 'byte-order-mark ', 'unknown-field b', 'unknown-field pageInfo.a'])
    }
  })

  it('is ambiguous as a whole if its list of edges is there twice', () => {
    const twice = answer(`{"edges":[${edge('{"Output":"evil"}')}],"edges":[${edge('{"Output":"true"}')}]}`)
    const { edges, faults } = pageFaults(twice)
    expect(edges.map(({ raw }) => raw)).toEqual(['{"Output":"true"}'])
    expect(faults.map(({ kind, path }) => `${kind} ${path}`)).toEqual(['key-twice edges'])
  })
})

describe('the text of a cursor', () => {
  it('has a fault if it has an unknown field or could name two evaluations', () => {
    const cursor = (text: string) => Buffer.from(text).toString('base64')
    expect(cursorFaults(cursor('{"timestamp":1,"ordinate":"2","cron":null,"sort":"ASC"}'))).toEqual([])
    expect(cursorFaults(cursor('{"timestamp":1,"ordinate":"2","x":"EVIL"}'))).toMatchObject([
      { kind: 'unknown-field', path: 'cursor.x' }
    ])
    expect(cursorFaults(cursor('{"timestamp":1,"ordinate":"2","ordinate":"3"}'))).toMatchObject([
      { kind: 'key-twice', path: 'cursor.ordinate' }
    ])
  })
})

describe('a claim that is not an object', () => {
  it.each([[[1, 2]], [null], ['x'], [7]])('differs as a whole from any result, even an empty one, if it is %j', (value) => {
    const claim = { covers: ['Messages', 'Output'], value } as unknown as Parameters<typeof compareResult>[0]
    expect(compareResult(claim, {}).differences).toEqual([
      { path: '', claimed: value, computed: { Messages: [], Spawns: [], Assignments: [], Output: '' } }
    ])
  })
})
