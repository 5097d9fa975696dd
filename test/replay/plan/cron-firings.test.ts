import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BlockRecord, Tag } from '../../../src/model/records.ts'
import { type CronFiring, firingsBetween, type Moment } from '../../../src/replay/plan/cron-firings.ts'
import { type Cron, parseCrons } from '../../../src/replay/plan/cron-tags.ts'
import { tag } from './fixtures.ts'

const crons = (...intervals: string[]): readonly Cron[] => {
  const parsed = parseCrons(intervals.map((interval): Tag => tag('Cron-Interval', interval)))
  if ('fault' in parsed) throw new Error(parsed.fault)
  return parsed
}

/** The CU's original loop over every second between the two. */
function naive(
  given: readonly Cron[],
  origin: Moment,
  left: Moment,
  right: number,
  blocks: readonly BlockRecord[]
): CronFiring[] {
  const fired: CronFiring[] = []
  const waiting = blocks.filter(({ timestamp }) => timestamp > left.timestamp && timestamp < right)
  const second = (ms: number) => Math.floor(ms / 1000)
  let height = left.blockHeight
  for (let now = left.timestamp; now < right; now += 1000) {
    if (waiting[0] !== undefined && second(now) >= second(waiting[0].timestamp)) {
      const block = waiting.shift()
      if (block === undefined) break
      height = block.height
      for (const { name, tags, unit, every } of given) {
        if (unit !== 'blocks' || height === origin.blockHeight || (height - origin.blockHeight) % every !== 0) continue
        fired.push({ cron: name, timestamp: block.timestamp, blockHeight: height, tags })
      }
    }
    for (const { name, tags, unit, every } of given) {
      const passed = second(now) - second(origin.timestamp)
      if (unit === 'seconds' && passed !== 0 && passed % every === 0) {
        fired.push({ cron: name, timestamp: now, blockHeight: height, tags })
      }
    }
  }
  return fired
}

const keys = (fired: Iterable<CronFiring>) =>
  [...fired].map(({ cron, timestamp, blockHeight }) => `${cron} ${timestamp} ${blockHeight}`)

describe('firingsBetween', () => {
  test('yields the firings of the CU’s loop', () => {
    const intervals = fc.constantFrom(
      '1-second',
      '2-seconds',
      '7-seconds',
      '1-minute',
      'x-days',
      '1-block',
      '2-blocks',
      '3-blocks',
      '0-blocks'
    )
    const times = fc.integer({ min: 0, max: 200_000 })
    const block = fc.record({
      timestamp: fc.oneof(
        times,
        fc.nat(200).map((second) => second * 1000)
      )
    })
    fc.assert(
      fc.property(
        fc.array(intervals, { maxLength: 4 }),
        times,
        times,
        fc.integer({ min: -5000, max: 150_000 }),
        fc.array(block, { maxLength: 8 }),
        fc.boolean(),
        (given, origin, left, span, found, ordered) => {
          const moments = [
            { timestamp: origin, blockHeight: 10 },
            { timestamp: left, blockHeight: 9 }
          ] as const
          // Blocks come in the order of height, and mostly, but not always, in the order of time.
          const inOrder = ordered ? [...found].sort((a, b) => a.timestamp - b.timestamp) : found
          const blocks = inOrder.map(({ timestamp }, place) => ({ timestamp, height: 9 + place }))
          const args = [crons(...given), ...moments, left + span, blocks] as const
          expect([...firingsBetween(...args)]).toEqual(naive(...args))
        }
      ),
      { numRuns: 500 }
    )
  })

  test('fires block crons first, at the block’s own time, then time crons, the shorter interval first', () => {
    const origin = { timestamp: 500, blockHeight: 10 }
    const left = { timestamp: 27_900, blockHeight: 11 }
    const blocks = [{ height: 12, timestamp: 30_000 }]
    expect(keys(firingsBetween(crons('30-seconds', '2-blocks', '10-seconds'), origin, left, 31_000, blocks))).toEqual([
      '0-2-blocks 30000 12',
      '0-10-seconds 30900 12',
      '1-30-seconds 30900 12'
    ])
  })

  test('fires nothing at the origin’s own second and block, nor at a block at either end', () => {
    const origin = { timestamp: 10_900, blockHeight: 10 }
    const blocks = [
      { height: 10, timestamp: 11_000 },
      { height: 11, timestamp: 10_900 },
      { height: 12, timestamp: 20_000 }
    ]
    expect(keys(firingsBetween(crons('1-block', '60-seconds'), origin, origin, 20_000, blocks))).toEqual([])
  })

  test('skips centuries without a firing at no cost', () => {
    const origin = { timestamp: 0, blockHeight: 0 }
    const centuries = 1e14
    expect(keys(firingsBetween(crons('1000-years'), origin, origin, centuries, []))).toEqual(
      [1, 2, 3].map((thousand) => `0-1000-years ${thousand * 31_557_600_000_000} 0`)
    )
  })
})
