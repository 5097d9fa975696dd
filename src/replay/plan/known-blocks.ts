/** The blocks that the CU knew, under an assumption about its requests (profiles §1.9). */
import type { BlockRecord } from '../../model/records.ts'
import { type BlockSource, blocksUpTo, createBlockCache } from './block-cache.ts'
import type { BlockKnowledge } from './planned.ts'

/** The ends of the CU's evaluation streams and the blocks that it knew in each. */
export interface KnownBlocks {
  /**
   * Returns the end of the next stream, ms.
   *
   * @param since the time of the last evaluation: the CU never goes back before it
   * @param next the time of the next message; undefined after the last
   * @returns undefined if nobody asked for another stream
   */
  nextEnd(since: number, next: number | undefined): number | undefined
  /**
   * Begins a stream.
   *
   * @param height block height of the last evaluation before it
   * @param end end of the stream from `nextEnd`, ms
   * @throws MissingBlock
   */
  begin(height: number, end: number): Promise<void>
  /**
   * Returns the blocks known in this stream between two times, ms, ascending; other blocks may be among them.
   *
   * @throws MissingBlock
   */
  between(left: number, right: number): Promise<readonly BlockRecord[]>
}

/** Limit on how far blocks may be out of order in time (the network's own bound is minutes). */
const DRIFT_MS = 7_200_000

export function createKnownBlocks(knowledge: BlockKnowledge, source: BlockSource): KnownBlocks {
  if (knowledge === 'all') return everyBlock(source, () => true)
  if (knowledge === 'stepwise') return askedFor(source, [])
  if ('asked' in knowledge) return askedFor(source, knowledge.asked)
  const { ends } = knowledge
  if ('known' in knowledge) return everyBlock(source, (height) => knowledge.known.has(height), ends)
  return everyBlock(source, (height) => !knowledge.unknown.has(height), ends)
}

/** A stream up to each of the ends and one without an end, all of which read every block when it is needed. */
function everyBlock(source: BlockSource, isKnown: (height: number) => boolean, ends: readonly number[] = []): KnownBlocks {
  const read = createTimeline([])
  let nextHeight = 0
  let place = 0
  return {
    nextEnd(since, next) {
      if (next === undefined) return undefined
      while ((ends[place] ?? since) < since) place++
      return ends[place++] ?? Number.POSITIVE_INFINITY
    },
    async begin(height) {
      nextHeight = height
    },
    async between(left, right) {
      if (read.latest() < right + DRIFT_MS) {
        const more = await blocksUpTo(source, nextHeight, right + 2 * DRIFT_MS)
        for (const block of more) if (block.height > read.height()) read.add(block)
        // It requests the last block again: without that, the end of the chain would look like a gap.
        nextHeight = Math.max(nextHeight, read.height())
      }
      return read.between(left, right).filter(({ height }) => isKnown(height))
    }
  }
}

/** A stream for each requested time, then one for each message; all streams share one cache of blocks. */
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

/** Keeps blocks in the order of height and finds them by time. */
function createTimeline(given: readonly BlockRecord[]) {
  const blocks: BlockRecord[] = []
  /** For each block, the latest time of all blocks up to it. */
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

/** Returns the index of the first value above `limit` among ascending values. */
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
