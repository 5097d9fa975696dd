import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { copyDifferences, createShadow } from '../../src/replay/sandbox/shadow.ts'

const BYTES = 600 * 1024 + 17
const writes = fc.array(fc.tuple(fc.nat(BYTES - 1), fc.nat(255)), { maxLength: 40 })

function written(into: Uint8Array, places: readonly (readonly [number, number])[]): Uint8Array {
  for (const [at, value] of places) into[at] = value
  return into
}

describe('shadow', () => {
  it('restores the memory of the last sync, whatever was written since', () => {
    fc.assert(
      fc.property(writes, writes, (before, after) => {
        const memory = written(new Uint8Array(BYTES), before)
        const expected = memory.slice()
        const shadow = createShadow()
        shadow.sync(memory)
        written(memory, after)
        shadow.restore(memory)
        expect(Buffer.compare(memory, expected)).toBe(0)
      }),
      { numRuns: 30 }
    )
  })

  it('restores the memory of the last sync after many syncs of a memory that was filled, emptied and grown', () => {
    const step = fc.record({
      kept: writes,
      emptied: fc.boolean(),
      grown: fc.constantFrom(0, 65_536, 70_000),
      discarded: writes
    })
    fc.assert(
      fc.property(fc.array(step, { minLength: 2, maxLength: 5 }), (steps) => {
        const shadow = createShadow()
        let memory: Uint8Array = new Uint8Array(BYTES)
        for (const { kept, emptied, grown, discarded } of steps) {
          const next = new Uint8Array(memory.byteLength + grown)
          if (!emptied) next.set(memory)
          memory = written(next, kept)
          shadow.sync(memory)
          const expected = memory.slice()
          written(memory, discarded)
          shadow.restore(memory)
          expect(Buffer.compare(memory, expected)).toBe(0)
        }
      }),
      { numRuns: 30 }
    )
  })

  it('grows with the memory and restores only the bytes that it holds', () => {
    const shadow = createShadow()
    shadow.sync(written(new Uint8Array(70_000), [[69_999, 1]]))
    expect(shadow.bytes).toBe(70_000)
    const larger = written(new Uint8Array(140_000), [
      [69_999, 2],
      [100_000, 3]
    ])
    shadow.restore(larger)
    expect([larger[69_999], larger[100_000]]).toEqual([1, 3])
    shadow.sync(larger)
    expect(shadow.bytes).toBe(140_000)
    const copy = new Uint8Array(140_000)
    shadow.restore(copy)
    expect(Buffer.compare(copy, larger)).toBe(0)
  })

  it('copies only the common part of memories with different lengths', () => {
    const short = new Uint8Array(5).fill(7)
    const long = new Uint8Array(9)
    copyDifferences(short, long)
    expect([...long]).toEqual([7, 7, 7, 7, 7, 0, 0, 0, 0])
    copyDifferences(new Uint8Array(9).fill(1), short)
    expect([...short]).toEqual([1, 1, 1, 1, 1])
  })
})
