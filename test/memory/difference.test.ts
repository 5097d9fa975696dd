import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_SHOWN_BYTES, memoryDifference, RANGE_GAP } from '../../src/memory/difference.ts'
import { environmentBlock } from '../../src/memory/environment.ts'

const STRINGS = [
  'USER=web_user',
  'LOGNAME=web_user',
  'PATH=/',
  'PWD=/',
  'HOME=/home/web_user',
  'LANG=C.UTF-8',
  '_=/usr/app/index.js'
]
const block = (strings: readonly string[]) => Buffer.from(strings.map((text) => `${text}\0`).join(''))

/** A memory of zeros with these parts in it. */
function memoryOf(bytes: number, parts: Readonly<Record<number, Uint8Array>>): Uint8Array {
  const memory = new Uint8Array(bytes)
  for (const [offset, part] of Object.entries(parts)) memory.set(part, Number(offset))
  return memory
}

describe('environmentBlock', () => {
  it('finds the strings of an environment and their place', () => {
    expect(environmentBlock(memoryOf(100_000, { 70001: block(STRINGS) }))).toEqual({
      offset: 70_001,
      length: block(STRINGS).length,
      strings: STRINGS
    })
  })

  it('finds an environment in a view of a larger buffer', () => {
    const memory = memoryOf(10_000, { 500: block(STRINGS) }).subarray(400, 9_000)
    expect(environmentBlock(memory)?.offset).toBe(100)
  })

  it('ends the environment with the script path, whatever follows', () => {
    const found = environmentBlock(memoryOf(1000, { 10: block([...STRINGS, 'MORE=1']) }))
    expect(found?.strings).toEqual(STRINGS)
  })

  it('skips a place that only begins like an environment', () => {
    const broken = [
      block(['USER=web_user', 'LOGNAME=x', 'no variable', '_=x']),
      block(['USER=web_user', 'LOGNAME=x', '', '_=x'])
    ]
    const memory = memoryOf(2000, { 0: broken[0] ?? [], 200: broken[1] ?? [], 400: block(STRINGS) } as Record<
      number,
      Uint8Array
    >)
    expect(environmentBlock(memory)?.offset).toBe(400)
  })

  it.each([
    ['no strings', []],
    ['a string that is too long', ['USER=web_user', 'LOGNAME=x', `A=${'x'.repeat(5000)}`, '_=x']],
    ['too many strings', ['USER=web_user', 'LOGNAME=x', ...Array.from({ length: 40 }, (_, index) => `V${index}=1`), '_=x']],
    ['control characters', ['USER=web_user', 'LOGNAME=\u001b[31m', '_=x']],
    ['no script path', ['USER=web_user', 'LOGNAME=x']]
  ])('finds no environment in memory with %s', (_, strings) => {
    expect(environmentBlock(memoryOf(8000, { 100: block(strings) }))).toBeUndefined()
  })

  it('reads an environment of up to 32 strings of 4095 bytes', () => {
    const names = ['USER=web_user', 'LOGNAME=x', ...Array.from({ length: 29 }, (_, index) => `V${index}=1`), '_=x']
    expect(environmentBlock(memoryOf(8000, { 100: block(names) }))?.strings).toEqual(names)
    expect(environmentBlock(memoryOf(8000, { 100: block([...names.slice(0, 31), 'W=1', '_=x']) }))).toBeUndefined()
    const long = (bytes: number) => block(['USER=web_user', 'LOGNAME=x', `A=${'x'.repeat(bytes - 2)}`, '_=x'])
    expect(environmentBlock(memoryOf(8000, { 100: long(4095) }))?.strings).toHaveLength(4)
    expect(environmentBlock(memoryOf(8000, { 100: long(4096) }))).toBeUndefined()
  })

  it('tries the first 64 places that begin like an environment, however close they are', () => {
    const like = (count: number) =>
      Buffer.concat([...Array.from({ length: count }, () => Buffer.from('USER=web_user\0LOGNAME=\n\0')), block(STRINGS)])
    expect(environmentBlock(like(63))?.offset).toBe(63 * 24)
    expect(environmentBlock(like(64))).toBeUndefined()
  })

  it.each(['1A=x', 'A-B=x', '=x', 'A', ' A=x', 'A=\u{FFFD}', 'A=\u0085'])('accepts no variable of the form %j', (text) => {
    expect(environmentBlock(memoryOf(1000, { 10: block(['USER=web_user', 'LOGNAME=x', text, '_=x']) }))).toBeUndefined()
  })

  it('accepts any value of a variable, also an empty one', () => {
    const strings = ['USER=web_user', 'LOGNAME=', 'a_1=é = 😀', '__=x', '_=']
    expect(environmentBlock(memoryOf(1000, { 10: block(strings) }))?.strings).toEqual(strings)
  })

  it('does not read past the end of the memory', () => {
    const all = block(STRINGS)
    expect(environmentBlock(all.subarray(0, all.length - 1))).toBeUndefined()
    expect(environmentBlock(new Uint8Array())).toBeUndefined()
  })
})

describe('memoryDifference', () => {
  it('finds no difference between equal memories', () => {
    const memory = memoryOf(1_000_000, { 5: Buffer.from('abc') })
    expect(memoryDifference(memory, memory.slice())).toEqual({
      bytesA: 1_000_000,
      bytesB: 1_000_000,
      differingPages: 0,
      differingBytes: 0,
      ranges: [],
      cut: 0
    })
  })

  it('shows a range with the bytes around it, from both memories', () => {
    const a = memoryOf(600_000, { 300000: Buffer.from('--abcXYZdef--') })
    const b = memoryOf(600_000, { 300000: Buffer.from('--abc\u0001Yzdef--') })
    expect(memoryDifference(a, b, { contextBytes: 3 })).toEqual({
      bytesA: 600_000,
      bytesB: 600_000,
      differingPages: 1,
      differingBytes: 2,
      ranges: [
        {
          offset: 300_005,
          length: 3,
          place: 'unknown',
          shownFrom: 300_002,
          a: { hex: '61626358595a646566', text: 'abcXYZdef' },
          b: { hex: '61626301597a646566', text: 'abc.Yzdef' }
        }
      ],
      cut: 0
    })
  })

  it('recognizes the environment block in either memory', () => {
    const a = memoryOf(9000, { 5000: block(STRINGS) })
    const b = memoryOf(9000, { 5000: block([...STRINGS.slice(0, -1), '_=/usr/app/other.js']), 100: Buffer.from('x') })
    for (const [left, right] of [
      [a, b],
      [b, a],
      [a, memoryOf(9000, { 100: Buffer.from('x') })]
    ] as const) {
      const { ranges } = memoryDifference(left, right)
      expect(ranges[0]?.place).toBe('unknown')
      expect(ranges.slice(1).every(({ place }) => place === 'environment')).toBe(true)
      expect(ranges.length).toBeGreaterThan(1)
    }
  })

  it('does not count bytes directly before or after the environment as part of it', () => {
    const a = memoryOf(9000, { 5000: block(STRINGS) })
    const b = a.slice()
    for (const place of [4999, 5000, 5000 + block(STRINGS).length - 1, 5000 + block(STRINGS).length]) {
      const one = b.slice()
      one[place] = 99
      const inside = place >= 5000 && place < 5000 + block(STRINGS).length
      expect(memoryDifference(a, one).ranges.map((range) => range.place)).toEqual([inside ? 'environment' : 'unknown'])
    }
  })

  it('limits the ranges and the bytes shown of each, and counts the rest', () => {
    const a = new Uint8Array(100_000)
    const b = memoryOf(100_000, { 4000: new Uint8Array(200).fill(7), 9000: [1], 50000: [1] } as unknown as Record<
      number,
      Uint8Array
    >)
    const { ranges, cut, differingPages, differingBytes } = memoryDifference(a, b, { maxRanges: 1, contextBytes: 0 })
    expect({ cut, differingPages, differingBytes }).toEqual({ cut: 2, differingPages: 4, differingBytes: 202 })
    expect(ranges).toMatchObject([{ offset: 4000, length: 200, shownFrom: 4000, b: { hex: '07'.repeat(MAX_SHOWN_BYTES) } }])
    expect(memoryDifference(a, b, { maxRanges: 0 })).toMatchObject({ ranges: [], cut: 3, differingBytes: 202 })
  })

  it('compares the length that both memories share, up to its last byte', () => {
    const a = memoryOf(10_000, { 0: Buffer.from('x'), 9999: Buffer.from('y') })
    const { bytesA, bytesB, ranges } = memoryDifference(a, new Uint8Array(20_000))
    expect([bytesA, bytesB]).toEqual([10_000, 20_000])
    expect(ranges.map(({ offset, shownFrom, a: { hex } }) => [offset, shownFrom, hex.length / 2])).toEqual([
      [0, 0, 17],
      [9_999, 9_983, 17]
    ])
    expect(memoryDifference(a.subarray(1, 9_999), new Uint8Array(0)).differingBytes).toBe(0)
  })

  it('finds the same differences as a plain loop over bytes', () => {
    const bytes = 300_000
    const places = fc.uniqueArray(fc.integer({ min: 0, max: bytes - 1 }), { maxLength: 60 })
    const near = fc.uniqueArray(fc.integer({ min: 262_100, max: 262_200 }), { maxLength: 40 })
    const a = new Uint8Array(bytes)
    fc.assert(
      fc.property(places, near, (far, close) => {
        const sorted = [...new Set([...far, ...close])].sort((left, right) => left - right)
        const b = a.slice()
        for (const place of sorted) b[place] = 1
        const ranges: { offset: number; length: number }[] = []
        for (const place of sorted) {
          const last = ranges.at(-1)
          if (last !== undefined && place - (last.offset + last.length) <= RANGE_GAP) last.length = place - last.offset + 1
          else ranges.push({ offset: place, length: 1 })
        }
        const found = memoryDifference(a, b, { maxRanges: 200 })
        expect(found.differingBytes).toBe(sorted.length)
        expect(found.differingPages).toBe(new Set(sorted.map((place) => place >> 12)).size)
        expect(found.ranges.map(({ offset, length }) => ({ offset, length }))).toEqual(ranges)
        expect(found.cut).toBe(0)
      }),
      { numRuns: 50 }
    )
  })
})
