/** Blocks by height, and the contents of the CU's cache of them (CU domain/lib/loadMessages.js, effects/ao-block.js). */
import type { BlockRecord } from '../../model/records.ts'
import { seconds } from './cron-firings.ts'

export type BlockSource = (fromHeight: number, toHeight: number) => Promise<readonly BlockRecord[]>

/** Number of heights in one request: few at first, because one message rarely spans many, then more each time. */
const PAGE_FIRST = 16
const PAGE_MAX = 1024
/** The CU assumes that no new block arrived within this time. */
const NO_NEW_BLOCK_SECONDS = 90

/** A block that the source lacks although the CU had it. */
export class MissingBlock extends Error {
  constructor(height: number) {
    super(`no gateway has the block ${height}`)
  }
}

/**
 * Reads blocks from a height on, until the first that is later than a time or until the end (CU effects/ao-block.js,
 * fetchAllPages).
 *
 * @param maxTimestamp ms; its whole second counts
 * @throws MissingBlock if the source has a gap
 */
export async function blocksUpTo(source: BlockSource, min: number, maxTimestamp: number): Promise<readonly BlockRecord[]> {
  const found: BlockRecord[] = []
  let from = min
  for (let page = PAGE_FIRST; ; page = Math.min(page * 2, PAGE_MAX)) {
    const blocks = await source(from, from + page - 1)
    if (blocks.length === 0 && from === min) throw new MissingBlock(min)
    if (blocks.length === 0) return found
    from += page
    for (const block of blocks) {
      if (block.height !== min + found.length) throw new MissingBlock(min + found.length)
      if (seconds(block.timestamp) > seconds(maxTimestamp)) return found
      found.push(block)
    }
  }
}

/** The CU's own table of blocks, which each request of the CU fills. */
export interface BlockCache {
  /**
   * Returns the blocks that the CU knows in a stream, ascending (loadMessages.js, reconcileBlocksWith).
   *
   * @param min the height at which the stream begins
   * @param maxTimestamp the end of the stream, ms
   * @throws MissingBlock
   */
  reconcile(min: number, maxTimestamp: number): Promise<readonly BlockRecord[]>
}

export function createBlockCache(source: BlockSource): BlockCache {
  /** Ascending. */
  let cached: BlockRecord[] = []
  return {
    async reconcile(min, maxTimestamp) {
      const inCache = cached.slice(firstFrom(cached, min)).filter(({ timestamp }) => timestamp <= maxTimestamp)
      let known = inCache
      for (const range of missingRanges(inCache, min, maxTimestamp)) {
        const loaded = await blocksUpTo(source, range.min, range.maxTimestamp)
        cached = merge(cached, loaded)
        known = merge(known, loaded)
      }
      return known
    }
  }
}

/**
 * The ranges that the CU requests from the gateway (loadMessages.js, findMissingBlocksIn): everything if it knows nothing; the gaps
 * if there are any; otherwise the blocks after its last one, unless the end is at most 90 seconds after that block.
 */
function missingRanges(
  blocks: readonly BlockRecord[],
  min: number,
  maxTimestamp: number
): { min: number; maxTimestamp: number }[] {
  const last = blocks.at(-1)
  if (last === undefined) return [{ min, maxTimestamp }]
  const gaps: { min: number; maxTimestamp: number }[] = []
  let expected = min
  for (const { height, timestamp } of blocks) {
    if (height > expected) gaps.push({ min: expected, maxTimestamp: timestamp - 1 })
    expected = height + 1
  }
  if (gaps.length > 0) return gaps
  if (seconds(maxTimestamp) - seconds(last.timestamp) <= NO_NEW_BLOCK_SECONDS) return []
  return [{ min: last.height, maxTimestamp }]
}

/** Merges both, ascending, each height once; blocks after the end are appended in place. */
function merge(blocks: BlockRecord[], more: readonly BlockRecord[]): BlockRecord[] {
  const added = more.filter(({ height }) => blocks[firstFrom(blocks, height)]?.height !== height)
  const last = blocks.at(-1)?.height ?? Number.NEGATIVE_INFINITY
  if (added.some(({ height }) => height < last)) return [...blocks, ...added].sort((a, b) => a.height - b.height)
  for (const block of added) blocks.push(block)
  return blocks
}

/** Returns the index of the first block of at least this height. */
function firstFrom(blocks: readonly BlockRecord[], height: number): number {
  let low = 0
  let high = blocks.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((blocks[middle]?.height ?? 0) < height) low = middle + 1
    else high = middle
  }
  return low
}
