import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createFingerprint, knownAs } from '../../src/memory/fingerprint.ts'

const BLOCK = 64 * 1024
const BYTES = 5 * BLOCK + 1234
const writes = fc.array(fc.tuple(fc.nat(BYTES - 1), fc.integer({ min: 1, max: 255 })), { maxLength: 6 })
const sizes = fc.array(fc.integer({ min: 1, max: 2 * BLOCK }), { maxLength: 12 })

function memoryOf(places: readonly (readonly [number, number])[], bytes = BYTES): Uint8Array {
  const memory = new Uint8Array(bytes)
  for (const [at, value] of places) memory[at] = value
  return memory
}

function fingerprintOf(memory: Uint8Array, partSizes: readonly number[] = []): string {
  const made = createFingerprint()
  let at = 0
  for (const size of partSizes) {
    made.update(memory.subarray(at, at + size))
    at += size
  }
  made.update(memory.subarray(at))
  return made.digest()
}

describe('a fingerprint', () => {
  it('is the digest of the blocks that are not zero, of their places and of the size', () => {
    const memory = memoryOf([
      [3 * BLOCK + 7, 1],
      [BYTES - 1, 2]
    ])
    const number = (value: number) => Buffer.from(value.toString(16).padStart(16, '0'), 'hex')
    const expected = createHash('sha256')
      .update(number(3))
      .update(memory.subarray(3 * BLOCK, 4 * BLOCK))
      .update(number(5))
      .update(memory.subarray(5 * BLOCK))
      .update(number(BYTES))
    expect(fingerprintOf(memory)).toBe(expected.digest('hex'))
  })

  it('does not depend on the parts in which a memory arrives', () => {
    fc.assert(
      fc.property(writes, sizes, (places, parts) => {
        const memory = memoryOf(places)
        expect(fingerprintOf(memory, parts)).toBe(fingerprintOf(memory))
      })
    )
  })

  it('differs for different memories', () => {
    fc.assert(
      fc.property(writes, writes, (left, right) => {
        const [one, other] = [memoryOf(left), memoryOf(right)]
        expect(fingerprintOf(one) === fingerprintOf(other)).toBe(Buffer.compare(one, other) === 0)
      })
    )
  })

  it('differs if the same bytes are at another place, or the size is another', () => {
    const memories = [
      memoryOf([[0, 1]]),
      memoryOf([[BLOCK, 1]]),
      memoryOf([[5 * BLOCK, 1]]),
      memoryOf([[0, 1]], BYTES + 1),
      memoryOf([[0, 1]], 6 * BLOCK),
      memoryOf([[0, 1]], BLOCK),
      memoryOf([], BLOCK),
      memoryOf([], BLOCK - 1),
      memoryOf([], 0)
    ]
    expect(new Set(memories.map((memory) => fingerprintOf(memory))).size).toBe(memories.length)
  })
})

describe('a memory that is known', () => {
  const memory = memoryOf([[BLOCK + 1, 1]])
  const other = { fingerprint: fingerprintOf(memoryOf([[BLOCK + 2, 1]])), sha256: 'of the other' }
  const same = { fingerprint: fingerprintOf(memory), sha256: 'as it is known' }

  it('is found by its fingerprint', () => {
    expect(knownAs(memory, [other, same])).toBe(same)
  })

  it('is not found among others', () => {
    expect(knownAs(memory, [])).toBeUndefined()
    expect(knownAs(memory, [other])).toBeUndefined()
  })
})
