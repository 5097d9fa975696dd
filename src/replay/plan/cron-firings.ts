/** Finds the crons that fire between two messages (protocol §2.5; CU domain/lib/loadMessages.js, cronMessagesBetweenWith). */
import type { BlockRecord, Tag } from '../../model/records.ts'
import type { Cron } from './cron-tags.ts'

export interface CronFiring {
  readonly cron: string
  /** ms */
  readonly timestamp: number
  readonly blockHeight: number
  readonly tags: readonly Tag[]
}

/** The start of a range: a message's own time and block. */
export interface Moment {
  /** ms */
  readonly timestamp: number
  readonly blockHeight: number
}

/** The whole seconds of a time in ms. */
export const seconds = (timestampMs: number): number => Math.floor(timestampMs / 1000)

/** Whether a cron of this name may fire at this time, ms, whatever the times of the blocks are. */
export function mayFire(crons: readonly Cron[], name: string, originMs: number, timestampMs: number): boolean {
  const sinceOrigin = seconds(timestampMs) - seconds(originMs)
  return crons.some((cron) => {
    if (cron.name !== name || !(cron.every > 0) || sinceOrigin < 0) return false
    return cron.unit === 'blocks' || (sinceOrigin > 0 && sinceOrigin % cron.every === 0)
  })
}

/**
 * Yields the firings between two messages, in order.
 *
 * The CU ticks from `left` in steps of one second until `right`. At each tick at most one block becomes the current one, once its
 * second is reached, and block crons fire; then time crons fire at the height of the current block. Nothing fires at the process's
 * own block and second. This function skips ticks at which nothing can happen.
 *
 * @param origin the process's own time and block
 * @param right end of the range, ms
 * @param blocks the blocks that the CU knew, ascending; only those strictly between the two times count
 */
export function* firingsBetween(
  crons: readonly Cron[],
  origin: Moment,
  left: Moment,
  right: number,
  blocks: readonly BlockRecord[]
): Generator<CronFiring> {
  const byBlocks = crons.filter(({ unit }) => unit === 'blocks')
  const byTime = crons.filter(({ unit, every }) => unit === 'seconds' && every > 0)
  const between = blocks.filter(({ timestamp }) => timestamp > left.timestamp && timestamp < right)
  const ticks = Math.ceil((right - left.timestamp) / 1000)
  const begin = seconds(left.timestamp)
  const since = begin - seconds(origin.timestamp)
  let height = left.blockHeight
  let nextBlock = 0

  for (let tick = nextTick(0); tick < ticks; tick = nextTick(tick + 1)) {
    const block = between[nextBlock]
    if (block !== undefined && begin + tick >= seconds(block.timestamp)) {
      nextBlock++
      height = block.height
      for (const { name, every, tags } of byBlocks) {
        if (height === origin.blockHeight || (height - origin.blockHeight) % every !== 0) continue
        yield { cron: name, timestamp: block.timestamp, blockHeight: height, tags }
      }
    }
    for (const { name, every, tags } of byTime) {
      if (since + tick === 0 || (since + tick) % every !== 0) continue
      yield { cron: name, timestamp: left.timestamp + tick * 1000, blockHeight: height, tags }
    }
  }

  /** Returns the first tick from `tick` on at which a block or a cron is due. */
  function nextTick(tick: number): number {
    const block = between[nextBlock]
    let next = block === undefined ? Number.POSITIVE_INFINITY : Math.max(tick, seconds(block.timestamp) - begin)
    for (const { every } of byTime) {
      const passed = (((since + tick) % every) + every) % every
      next = Math.min(next, passed === 0 ? tick : tick + every - passed)
    }
    return next
  }
}
