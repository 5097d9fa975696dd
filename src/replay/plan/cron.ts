/** Cron messages: which fire between two scheduled messages (ao-protocol §2.5; CU domain/lib/loadMessages.js). */
import type { BlockRecord, ProcessRecord, Tag } from '../../records.ts'

export interface Cron {
  /** `<place>-<interval>`, as the CU's cursors name it: the place among crons of its kind. */
  readonly name: string
  readonly unit: 'blocks' | 'seconds'
  readonly every: number
  readonly tags: readonly Tag[]
}

export interface CronFiring {
  readonly cron: string
  /** ms */
  readonly timestamp: number
  readonly blockHeight: number
  readonly tags: readonly Tag[]
}

/** Where a range begins or ends: a message's own time and block. */
interface Bound {
  /** ms */
  readonly timestamp: number
  readonly blockHeight: number
}

const TAG_NAME = /^Cron-Tag-(.+)$/
/** Of the library `ms` 2.1, which the CU reads intervals with. */
const INTERVAL = /^(-?(?:\d+)?\.?\d+) *(milliseconds?|msecs?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w|years?|yrs?|y)?$/i
const UNIT_MS: readonly (readonly [RegExp, number])[] = [
  [/^(milliseconds?|msecs?|ms)?$/i, 1],
  [/^(seconds?|secs?|s)$/i, 1000],
  [/^(minutes?|mins?|m)$/i, 60_000],
  [/^(hours?|hrs?|h)$/i, 3_600_000],
  [/^(days?|d)$/i, 86_400_000],
  [/^(weeks?|w)$/i, 604_800_000],
  [/^(years?|yrs?|y)$/i, 31_557_600_000]
]

/** Firings between two messages; beyond it nobody evaluates them either. */
const FIRINGS_MAX = 1_000_000

const seconds = (timestampMs: number) => Math.floor(timestampMs / 1000)

/** The crons that a process's tags ask for, in the order in which they fire within one second: by blocks, then by time. */
export function cronsOf(tags: readonly Tag[]): readonly Cron[] {
  const found: { interval: string; unit: Cron['unit']; every: number; tags: Tag[] }[] = []
  for (const { name, value } of tags) {
    if (name === 'Cron-Interval') found.push({ interval: value, ...parseInterval(value), tags: [] })
    const tagName = TAG_NAME.exec(name)?.[1]
    if (tagName !== undefined) found.at(-1)?.tags.push({ name: tagName, value })
  }
  const named = (crons: typeof found) =>
    crons.map(({ interval, ...cron }, place): Cron => ({ ...cron, name: `${place}-${interval}` }))
  const byTime = found.filter(({ unit }) => unit === 'seconds').sort((a, b) => a.every - b.every)
  return [...named(found.filter(({ unit }) => unit === 'blocks')), ...named(byTime)]
}

function parseInterval(interval: string): { readonly unit: Cron['unit']; readonly every: number } {
  const [value = '', unit = ''] = interval.split('-').map((part) => part.trim())
  if (unit === 'block' || unit === 'blocks') return { unit: 'blocks', every: Number.parseInt(value, 10) }
  const parsed = INTERVAL.exec(`${value} ${unit}`.slice(0, 100))
  const scale = UNIT_MS.find(([pattern]) => pattern.test(parsed?.[2] ?? ''))?.[1] ?? Number.NaN
  return { unit: 'seconds', every: Math.floor((Number(parsed?.[1] ?? Number.NaN) * scale) / 1000) }
}

/**
 * What fires between two messages, in order. The CU ticks from `left` in steps of a second; at each tick at most one block
 * becomes the current one, and fires before the crons of time. Ticks at which nothing can happen are passed over.
 *
 * @param blocks those the CU knew; only those between the two messages' times count
 */
export function* firingsBetween(
  crons: readonly Cron[],
  origin: ProcessRecord,
  left: Bound,
  right: Bound,
  blocks: readonly BlockRecord[]
): Generator<CronFiring> {
  const byBlocks = crons.filter(({ unit }) => unit === 'blocks')
  const byTime = crons.filter(({ unit, every }) => unit === 'seconds' && every > 0)
  const between = blocks.filter(({ timestamp }) => timestamp > left.timestamp && timestamp < right.timestamp)
  const ticks = Math.ceil((right.timestamp - left.timestamp) / 1000)
  const begin = seconds(left.timestamp)
  const since = begin - seconds(origin.timestamp)
  let height = left.blockHeight
  let nextBlock = 0
  let fired = 0

  for (let tick = nextTick(0); tick < ticks && fired < FIRINGS_MAX; tick = nextTick(tick + 1)) {
    const block = between[nextBlock]
    if (block !== undefined && begin + tick >= seconds(block.timestamp)) {
      nextBlock++
      height = block.height
      for (const { name, every, tags } of byBlocks) {
        if (height === origin.blockHeight || (height - origin.blockHeight) % every !== 0) continue
        fired++
        yield { cron: name, timestamp: block.timestamp, blockHeight: height, tags }
      }
    }
    for (const { name, every, tags } of byTime) {
      if (since + tick === 0 || (since + tick) % every !== 0) continue
      fired++
      yield { cron: name, timestamp: left.timestamp + tick * 1000, blockHeight: height, tags }
    }
  }

  /** The first tick from `tick` on at which a block or a cron is due. */
  function nextTick(tick: number): number {
    const block = between[nextBlock]
    const dues = byTime.map(({ every }) => tick + ((every - ((since + tick) % every)) % every))
    if (block !== undefined) dues.push(Math.max(tick, seconds(block.timestamp) - begin))
    return Math.min(Number.POSITIVE_INFINITY, ...dues)
  }
}
