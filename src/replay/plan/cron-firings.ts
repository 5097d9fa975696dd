/** Which crons fire between two messages (protocol §2.5; CU domain/lib/loadMessages.js, cronMessagesBetweenWith). */
import type { BlockRecord, Tag } from '../../model/records.ts'
import type { Cron } from './cron-tags.ts'

export interface CronFiring {
  readonly cron: string
  /** ms */
  readonly timestamp: number
  readonly blockHeight: number
  readonly tags: readonly Tag[]
}

/** Where a range begins: a message's own time and block. */
export interface Moment {
  /** ms */
  readonly timestamp: number
  readonly blockHeight: number
}

/** Whole seconds of a time in ms. */
export const seconds = (timestampMs: number): number => Math.floor(timestampMs / 1000)

/** Whether a cron of this name may fire at this time, ms: when blocks came is not looked at. */
export function mayFire(crons: readonly Cron[], name: string, originMs: number, timestampMs: number): boolean {
  const sinceOrigin = seconds(timestampMs) - seconds(originMs)
  return crons.some((cron) => {
    if (cron.name !== name || !(cron.every > 0) || sinceOrigin < 0) return false
    return cron.unit === 'blocks' || (sinceOrigin > 0 && sinceOrigin % cron.every === 0)
  })
}

/**
 * What fires between two messages, in order.
 *
 * The CU ticks from `left` in steps of a second while before `right`. At each tick at most one block becomes the current one,
 * where its second has come, and crons by blocks fire; then those by time, at the height of the current block. The process's
 * own block and second are no firings. Ticks at which nothing can happen are passed over.
 *
 * @param origin the process's own time and block
 * @param right ms
 * @param blocks that the CU knew, ascending; only those strictly between the two times count
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

  /** The first tick from `tick` on at which a block or a cron is due. */
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
