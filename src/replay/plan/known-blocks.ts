/** The blocks that the CU knew, by what is assumed about it (profiles §1.9). */
import type { BlockRecord } from '../../model/records.ts'
import { type BlockSource, blocksUpTo, createBlockCache } from './block-cache.ts'
import type { BlockKnowledge } from './planned.ts'

/** Ends of the CU's evaluation streams and the blocks that it knew in each. */
export interface KnownBlocks {
  /**
   * The end of the stream that is next, ms.
   *
   * @param since the time of the last evaluation: the CU goes back to no earlier one
   * @param next the time of the next message; undefined behind the last
   * @returns undefined where no further stream was asked for
   */
  nextEnd(since: number, next: number | undefined): number | undefined
  /**
   * The CU begins a stream.
   *
   * @param height of the last evaluation before it
   * @param end ms, as `nextEnd` gave it
   * @throws MissingBlock
   */
  begin(height: number, end: number): Promise<void>
  /**
   * The blocks known in this stream between two times, ms, ascending; others may be among them.
   *
   * @throws MissingBlock
   */
  between(left: number, right: number): Promise<readonly BlockRecord[]>
}

/** Blocks may be out of order in time by less than this (the network's own bound is minutes). */
const DRIFT_MS = 7_200_000

export function createKnownBlocks(knowledge: BlockKnowledge, source: BlockSource): KnownBlocks {
  if (knowledge === 'all') return everyBlock(source, () => true)
  if (knowledge === 'stepwise') return askedFor(source, [])
  if ('asked' in knowledge) return askedFor(source, knowledge.asked)
  if ('known' in knowledge) return everyBlock(source, (height) => knowledge.known.has(height))
  return everyBlock(source, (height) => !knowledge.unknown.has(height))
}

/** One stream without an end, every block read as it is needed. */
function everyBlock(source: BlockSource, isKnown: (height: number) => boolean): KnownBlocks {
  const read = createTimeline([])
  let nextHeight = 0
  return {
    nextEnd: (_since, next) => (next === undefined ? undefined : Number.POSITIVE_INFINITY),
    async begin(height) {
      nextHeight = height
    },
    async between(left, right) {
      if (read.latest() < right + DRIFT_MS) {
        const more = await blocksUpTo(source, nextHeight, right + 2 * DRIFT_MS)
        for (const block of more) if (block.height > read.height()) read.add(block)
        // The last one is asked for again: where it is the end of what there is, that is no gap.
        nextHeight = Math.max(nextHeight, read.height())
      }
      return read.between(left, right).filter(({ height }) => isKnown(height))
    }
  }
}

/** A stream for each time asked for, then one for each message; the cache of blocks outlives them. */
function askedFor(source: BlockSource, asked: readonly number[]): KnownBlocks {
  const cache = createBlockCache(source)
  let known = createTimeline([])
  let place = 0
  return {
    nextEnd(since, next) {
      while ((asked[place] ?? since) < since) place++
      return asked[place++] ?? next
    },
    async begin(height, end) {
      known = createTimeline(await cache.reconcile(height, end))
    },
    between: async (left, right) => known.between(left, right)
  }
}

/** Blocks in the order of height, found by time. */
function createTimeline(given: readonly BlockRecord[]) {
  const blocks: BlockRecord[] = []
  /** The latest time up to each block. */
  const latest: number[] = []
  const add = (block: BlockRecord) => {
    blocks.push(block)
    latest.push(Math.max(latest.at(-1) ?? 0, block.timestamp))
  }
  for (const block of given) add(block)
  return {
    add,
    latest: () => latest.at(-1) ?? Number.NEGATIVE_INFINITY,
    height: () => blocks.at(-1)?.height ?? Number.NEGATIVE_INFINITY,
    between(left: number, right: number): BlockRecord[] {
      const found: BlockRecord[] = []
      for (let at = firstAfter(latest, left); at < blocks.length; at++) {
        const block = blocks[at]
        if (block === undefined || block.timestamp >= right + DRIFT_MS) break
        if (block.timestamp > left && block.timestamp < right) found.push(block)
      }
      return found
    }
  }
}

/** The place of the first value above `limit` among ascending ones. */
function firstAfter(values: readonly number[], limit: number): number {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((values[middle] ?? 0) <= limit) low = middle + 1
    else high = middle
  }
  return low
}
