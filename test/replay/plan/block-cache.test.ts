import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BlockRecord } from '../../../src/model/records.ts'
import { blocksUpTo, createBlockCache } from '../../../src/replay/plan/block-cache.ts'
import { blockSource } from './fixtures.ts'

const block = (height: number, second: number): BlockRecord => ({ height, timestamp: second * 1000 })
const heights = (blocks: readonly BlockRecord[]) => blocks.map(({ height }) => height)

/** One block a minute from height 10 on. */
const MINUTES = Array.from({ length: 3000 }, (_, place) => block(10 + place, place * 60))

describe('blocksUpTo', () => {
  const source = blockSource(MINUTES)

  test('stops before the first block that is later than the whole second, or at the end of the chain', async () => {
    expect(heights(await blocksUpTo(source, 12, 240_000))).toEqual([12, 13, 14])
    expect(heights(await blocksUpTo(source, 12, 239_999))).toEqual([12, 13])
    expect(await blocksUpTo(source, 12, 0)).toEqual([])
    expect(await blocksUpTo(source, 10, 1e12)).toEqual(MINUTES)
  })

  test('includes a block of the same second as the end', async () => {
    expect(heights(await blocksUpTo(source, 12, 240_999))).toEqual([12, 13, 14])
  })

  test('reports a gap at the beginning and in the middle', async () => {
    await expect(blocksUpTo(source, 5, 1e6)).rejects.toThrow(/^no gateway has the block 5$/)
    await expect(blocksUpTo(source, 5000, 1e6)).rejects.toThrow(/^no gateway has the block 5000$/)
    const holed = blockSource(MINUTES.filter(({ height }) => height !== 30))
    await expect(blocksUpTo(holed, 10, 1e12)).rejects.toThrow(/^no gateway has the block 30$/)
    expect(heights(await blocksUpTo(holed, 27, 18 * 60_000))).toEqual([27, 28])
  })
})

describe('the block cache of the CU', () => {
  test('requests no new block within 90 seconds of its last block', async () => {
    const cache = createBlockCache(blockSource(MINUTES))
    expect(heights(await cache.reconcile(10, 59_000))).toEqual([10])
    expect(heights(await cache.reconcile(10, 90_999))).toEqual([10])
    expect(heights(await cache.reconcile(10, 91_000))).toEqual([10, 11])
  })

  test('requests only the gaps if there are any, and later blocks the next time', async () => {
    const cache = createBlockCache(blockSource(MINUTES))
    await cache.reconcile(14, 240_000)
    await cache.reconcile(18, 480_000)
    expect(heights(await cache.reconcile(12, 1_000_000))).toEqual([12, 13, 14, 15, 16, 17, 18])
    expect(heights(await cache.reconcile(12, 1_000_000))).toEqual([12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26])
  })

  test('returns the blocks that a table of rows would return', async () => {
    const asks = fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: -100_000, max: 2_000_000 })), {
      maxLength: 10
    })
    const gaps = fc.array(fc.constantFrom(0, 1, 30, 60, 120, 200), { minLength: 40, maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(asks, gaps, async (asked, steps) => {
        let second = 0
        const chain = steps.map((step, height) => {
          second += step
          return block(height, second)
        })
        const cache = createBlockCache(blockSource(chain))
        const table = new Map<number, BlockRecord>()
        for (const [min, to] of asked) expect(await cache.reconcile(min, to)).toEqual(naive(chain, table, min, to))
      }),
      { numRuns: 300 }
    )
  })
})

/** The rule of the CU step by step, over rows by height. */
function naive(chain: readonly BlockRecord[], table: Map<number, BlockRecord>, min: number, to: number): BlockRecord[] {
  const sorted = (rows: Iterable<BlockRecord>) => [...rows].sort((a, b) => a.height - b.height)
  const known = sorted([...table.values()].filter(({ height, timestamp }) => height >= min && timestamp <= to))
  const fetch = (from: number, until: number) => {
    const loaded: BlockRecord[] = []
    for (const one of chain.slice(from)) {
      if (one.timestamp / 1000 > Math.floor(until / 1000)) break
      loaded.push(one)
    }
    for (const one of loaded) table.set(one.height, one)
    return loaded
  }
  const last = known.at(-1)
  if (last === undefined) return fetch(min, to)
  const missing: number[] = []
  for (let height = min; height < last.height; height++) if (!known.some((one) => one.height === height)) missing.push(height)
  const loaded = missing
    .filter((height) => !missing.includes(height - 1))
    .flatMap((first) => {
      const next = known.find(({ height }) => height > first)
      return fetch(first, (next?.timestamp ?? 0) - 1)
    })
  if (missing.length === 0 && Math.floor(to / 1000) - last.timestamp / 1000 > 90) loaded.push(...fetch(last.height, to))
  return sorted(new Map([...known, ...loaded].map((one) => [one.height, one])).values())
}
