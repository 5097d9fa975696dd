import { describe, expect, it } from 'vitest'
import { stateHashes } from '../../bin/values.ts'
import { absentMemories } from '../../src/audit/absent-nonces.ts'
import { DEFAULT_COMPUTES, DEFAULT_GATEWAYS, parseProcessId, parseUnitUrl } from '../../src/audit/config.ts'
import { selectStateHashes } from '../../src/audit/state-hashes.ts'
import { PROCESS } from '../fetch/start.ts'

describe('a process id', () => {
  it('is 43 characters of base64url', () => {
    expect(parseProcessId(PROCESS)).toBe(PROCESS)
  })

  it.each([
    '',
    'x',
    `${PROCESS}A`,
    PROCESS.slice(1),
    ` ${PROCESS.slice(1)}`,
    `${PROCESS.slice(0, 42)}B`,
    `../${PROCESS.slice(3)}`
  ])('is not %j', (text) => {
    expect(() => parseProcessId(text)).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })

  it('that is not valid is shown shortened and escaped', () => {
    const text = `\u001b[2J${'x'.repeat(1_000)}`
    expect(() => parseProcessId(text)).toThrow(
      expect.objectContaining({ message: `"\\u001b[2J${'x'.repeat(76)}" is not a process id` })
    )
  })
})

describe('a unit’s URL', () => {
  it.each([
    ['https://cu.example', 'https://cu.example'],
    ['https://cu.example///', 'https://cu.example'],
    ['HTTP://CU.example:80/a/b/', 'http://cu.example/a/b'],
    ['http://[::1]:6363', 'http://[::1]:6363']
  ])('may be %s, which is read as %s', (text, url) => {
    expect(parseUnitUrl(text)).toBe(url)
  })

  it.each([
    '',
    'cu.example',
    '//cu.example',
    'ftp://cu.example',
    'file:///x',
    'http://',
    'http://u@h',
    'http://:p@h',
    'http://h/?',
    'http://h/#',
    'http://h/?q',
    'http://h/#f'
  ])('is not %j', (text) => {
    expect(() => parseUnitUrl(text)).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })

  it('is valid for every default unit', () => {
    for (const url of [...DEFAULT_GATEWAYS, ...DEFAULT_COMPUTES]) expect(parseUnitUrl(url)).toBe(url)
  })
})

describe('the option for memory hashes', () => {
  it('names the nonces beyond the end of the range as absent', () => {
    const behind = 'the memory after nonce 99, 7 was asked for, and the range ends at nonce 6'
    expect(absentMemories(6, [3, 5, 99, 7])).toEqual([behind])
    for (const choice of [[3, 6], 'last', { every: 50 }, undefined] as const) expect(absentMemories(6, choice)).toEqual([])
    const many = Array.from({ length: 12 }, (_, place) => 10 + place)
    expect(absentMemories(6, many)[0]).toContain('18, 19, and 2 more was asked for')
  })

  const wanted = (text: string) => [0, 1, 2, 3, 4, 5, 6].filter((nonce) => selectStateHashes(stateHashes(text))(nonce, 6))

  it.each([
    ['last', [6]],
    ['0', [0]],
    ['5,1,1', [1, 5]],
    ['every:1', [0, 1, 2, 3, 4, 5, 6]],
    ['every:3', [0, 3, 6]],
    ['999999999999999', []]
  ])('with %s selects the nonces %j', (text, nonces) => {
    expect(wanted(text)).toEqual(nonces)
  })

  it.each([
    '',
    'first',
    ',',
    '1,',
    '-1',
    '1.5',
    '1e3',
    ' 1',
    'every:0',
    'every:',
    'every:-1',
    'every:1,2',
    'every:9999999999',
    '1'.repeat(16)
  ])('refuses %j', (text) => {
    expect(() => stateHashes(text)).toThrow(/^It must be last, nonces with commas between them, or every:K\.$/)
  })

  it('bounds the length of a list', () => {
    expect(stateHashes(Array(10_000).fill('7').join(','))).toEqual(Array(10_000).fill(7))
    expect(() => stateHashes(Array(10_001).fill('7').join(','))).toThrow(/^It must be last, /)
  })
})
