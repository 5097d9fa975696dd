/** Reads the crons in a process's tags (protocol §2.5; CU domain/lib/loadMessages.js, parseCrons). */
import type { Tag } from '../../model/records.ts'

export interface Cron {
  /** `<place>-<interval>`, as in the CU's cursors: the place is that among crons of its kind. */
  readonly name: string
  readonly unit: 'blocks' | 'seconds'
  /** Blocks or seconds; NaN or 0 if the tag makes no sense, and the cron then never fires. */
  readonly every: number
  readonly tags: readonly Tag[]
}

const TAG_NAME = /^Cron-Tag-(.+)$/
/** The format of the library `ms` 2.1, with which the CU reads times. */
const TIME =
  /^(-?(?:\d+)?\.?\d+) *(milliseconds?|msecs?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w|years?|yrs?|y)?$/i
const TIME_MAX_CHARS = 100
const UNIT_MS: readonly (readonly [RegExp, number])[] = [
  [/^(milliseconds?|msecs?|ms)?$/i, 1],
  [/^(seconds?|secs?|s)$/i, 1000],
  [/^(minutes?|mins?|m)$/i, 60_000],
  [/^(hours?|hrs?|h)$/i, 3_600_000],
  [/^(days?|d)$/i, 86_400_000],
  [/^(weeks?|w)$/i, 604_800_000],
  [/^(years?|yrs?|y)$/i, 31_557_600_000]
]

interface FoundCron {
  readonly interval: string
  readonly unit: Cron['unit']
  readonly every: number
  readonly tags: Tag[]
}

/**
 * Returns the crons in the order in which they fire within one second: block crons in the order of the tags, then time crons, the
 * shortest interval first. A `Cron-Tag-…` belongs to the interval before it.
 *
 * @returns the crons, or the reason why the CU evaluates no message of a process with such tags
 *
 * @example
 * ```ts
 * parseCrons([{ name: 'Cron-Interval', value: '5-minutes' }, { name: 'Cron-Tag-Action', value: 'Tick' }])
 * // [{ name: '0-5-minutes', unit: 'seconds', every: 300, tags: [{ name: 'Action', value: 'Tick' }] }]
 * ```
 */
export function parseCrons(tags: readonly Tag[]): readonly Cron[] | { readonly fault: string } {
  const found: FoundCron[] = []
  for (const { name, value } of tags) {
    if (name === 'Cron-Interval') {
      const parsed = parseInterval(value)
      if (parsed.unit === 'seconds' && parsed.every <= 0) return { fault: 'a cron interval is shorter than a second' }
      found.push({ interval: value, ...parsed, tags: [] })
    }
    const tagName = TAG_NAME.exec(name)?.[1]
    if (tagName === undefined) continue
    if (found.length === 0) return { fault: 'a Cron-Tag comes before any Cron-Interval' }
    found.at(-1)?.tags.push({ name: tagName, value })
  }
  const byBlocks = found.filter(({ unit }) => unit === 'blocks')
  const byTime = found.filter(({ unit }) => unit === 'seconds').sort((a, b) => a.every - b.every)
  return [...named(byBlocks), ...named(byTime)]
}

function named(crons: readonly FoundCron[]): Cron[] {
  return crons.map(({ interval, ...cron }, place) => ({ ...cron, name: `${place}-${interval}` }))
}

function parseInterval(interval: string): Pick<Cron, 'unit' | 'every'> {
  const [value = '', unit = ''] = interval.split('-').map((part) => part.trim())
  if (unit === 'block' || unit === 'blocks') return { unit: 'blocks', every: Number.parseInt(value, 10) }
  const text = `${value} ${unit}`
  const parsed = text.length > TIME_MAX_CHARS ? null : TIME.exec(text)
  const scale = UNIT_MS.find(([pattern]) => pattern.test(parsed?.[2] ?? ''))?.[1] ?? Number.NaN
  return { unit: 'seconds', every: Math.floor((Number(parsed?.[1] ?? Number.NaN) * scale) / 1000) }
}
