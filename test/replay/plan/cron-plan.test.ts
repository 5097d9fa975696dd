import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BlockKnowledge, PlannedEvaluation } from '../../../src/replay/plan/planned.ts'
import {
  idOf,
  onChain,
  outline,
  plan,
  processMessage,
  processRecord,
  resealed,
  scheduled,
  tag,
  type World
} from './fixtures.ts'

const withCrons = (...intervals: string[]) =>
  processRecord({
    timestamp: 0,
    tags: [tag('Type', 'Process'), ...intervals.map((interval) => tag('Cron-Interval', interval))]
  })

/** One block a minute, block 100 at 0. */
const MINUTES = Array.from({ length: 300 }, (_, place) => ({ height: 100 + place, timestamp: place * 60_000 }))
const at = (nonce: number, timestamp: number, blockHeight = 100 + Math.floor(timestamp / 60_000)) =>
  scheduled(nonce, { timestamp, blockHeight })

const crons = (planned: readonly PlannedEvaluation[]) =>
  planned.flatMap(({ key }) => (key.cron === undefined ? [] : [`${key.ordinate} ${key.cron} ${key.timestamp}`]))

/** The crons of a process that begins at 0, with one block a minute by default. */
async function cronsOf(intervals: string[], world: World) {
  const process = withCrons(...intervals)
  return crons(await plan({ process, blocks: MINUTES, ...world, schedule: [processMessage(process), ...world.schedule] }))
}

describe('the plan of a process with crons', () => {
  test('gives crons the nonce before them, and fires them twice in one second at the seam of two ranges', async () => {
    const schedule = [at(1, 10_500), at(2, 20_000)]
    expect(await cronsOf(['5-seconds'], { schedule })).toEqual([
      '0 0-5-seconds 5000',
      '0 0-5-seconds 10000',
      '1 0-5-seconds 10500',
      '1 0-5-seconds 15500'
    ])
  })

  test('fires crons of the same time and name once if the scheduler’s clock goes back', async () => {
    const schedule = [at(1, 6000), at(2, 3000), at(3, 7000)]
    expect(await cronsOf(['5-seconds'], { schedule })).toEqual(['0 0-5-seconds 5000'])
  })

  test('fires crons of the same time and name again after a hundred others', async () => {
    const schedule = [at(1, 102_000), at(2, 0), at(3, 3000)]
    const first = Array.from({ length: 101 }, (_, place) => `0 0-1-second ${place * 1000 + 1000}`)
    expect(await cronsOf(['1-second'], { schedule })).toEqual([...first, '2 0-1-second 1000', '2 0-1-second 2000'])
  })

  test('begins with a boot message if a cron fires before the process’s own message', async () => {
    const process = withCrons('5-seconds')
    const own = resealed(processMessage(process), { timestamp: 6000 })
    const planned = await plan({ process, schedule: [own], blocks: MINUTES, processData: '' })
    expect(outline(planned)).toEqual(['0 run', '0 0-5-seconds run', '0 run'])
    expect(planned.map(({ saved }) => saved)).toEqual([false, true, true])
  })

  test('runs crons and the boot message in one stream with the message after them', async () => {
    const process = withCrons('5-seconds')
    const own = resealed(processMessage(process), { timestamp: 6000 })
    const schedule = [own, at(1, 7000), at(2, 20_000)]
    const planned = await plan({ process, schedule, blocks: MINUTES, processData: '' })
    expect(planned.map(({ key, midStream }) => [key.ordinate, key.cron !== undefined, midStream === true])).toEqual([
      [0, false, false],
      [0, true, true],
      [0, false, true],
      [1, false, false],
      [1, true, false],
      [1, true, true],
      [2, false, true]
    ])
  })

  test('gives crons after a skipped message its nonce', async () => {
    const assign = { item: null, messageId: idOf('item') }
    const schedule = [scheduled(1, { ...assign, timestamp: 1000 }), scheduled(2, { ...assign, timestamp: 2000 }), at(3, 9000)]
    const world = { schedule, items: [onChain('item', {}, '')] }
    expect(await cronsOf(['5-seconds'], world)).toEqual(['2 0-5-seconds 5000'])
    expect(await cronsOf(['5-seconds'], { ...world, knownBlocks: 'stepwise' })).toEqual(['2 0-5-seconds 5000'])
  })

  test('fires crons after the last message up to the requested time', async () => {
    const schedule = [at(1, 10_500)]
    const asked = (...times: number[]) => cronsOf(['5-seconds'], { schedule, knownBlocks: { asked: times } })
    const before = ['0 0-5-seconds 5000', '0 0-5-seconds 10000']
    expect(await asked(10_500)).toEqual(before)
    expect(await asked(10_500, 16_000)).toEqual([...before, '1 0-5-seconds 10500', '1 0-5-seconds 15500'])
    // The first stream ends at a cron, and the next one begins there.
    expect(await asked(7000, 10_500)).toEqual(before)
  })

  test('fires the crons of one second again, except for the last, if a stream ended there', async () => {
    const process = withCrons('10-seconds', '5-seconds')
    const schedule = [processMessage(process), at(1, 12_500), at(2, 17_000)]
    const repeatedWith = async (knownBlocks: BlockKnowledge) => {
      const planned = await plan({ process, blocks: MINUTES, schedule, knownBlocks })
      return [crons(planned), crons(planned.filter(({ repeated }) => repeated === true))]
    }
    const fired = ['0 0-5-seconds 5000', '0 0-5-seconds 10000', '0 1-10-seconds 10000', '1 0-5-seconds 15500']
    const again = [...fired.slice(0, 3), '0 0-5-seconds 10000', ...fired.slice(3)]
    const all = { unknown: new Set<number>() }
    expect(await repeatedWith('all')).toEqual([fired, []])
    expect(await repeatedWith({ asked: [12_500, 17_000] })).toEqual([fired, []])
    expect(await repeatedWith({ asked: [10_001, 12_500, 17_000] })).toEqual([again, ['0 0-5-seconds 10000']])
    expect(await repeatedWith({ ...all, ends: [10_001] })).toEqual([again, ['0 0-5-seconds 10000']])
    expect(await repeatedWith({ ...all, ends: [10_001, 11_000] })).toEqual([
      [...fired.slice(0, 3), '0 0-5-seconds 10000', '0 1-10-seconds 10000', ...fired.slice(3)],
      ['0 0-5-seconds 10000', '0 1-10-seconds 10000']
    ])
  })

  test('fires time crons at the fraction of a second of the block cron that ended the stream before', async () => {
    const schedule = [at(1, 500), at(2, 110_500)]
    const asked = (times: number[]) => cronsOf(['1-block', '100-seconds'], { schedule, knownBlocks: { asked: times } })
    expect(await asked([110_500])).toEqual(['1 0-1-block 60000', '1 0-100-seconds 100500'])
    expect(await asked([500, 91_500, 110_500])).toEqual(['1 0-1-block 60000', '1 0-100-seconds 100000'])
  })
})

describe('the plan for the blocks that the CU knew', () => {
  // The times and heights of a process that a real CU evaluated. The expectations below are its answers to /cron.
  const TIMES = [
    137, 45_137, 90_144, 135_158, 180_179, 225_207, 270_242, 315_284, 360_333, 405_389, 450_452, 495_522, 540_599, 585_683
  ]
  const process = resealed(withCrons('30-seconds', '2-blocks'), { timestamp: 137 })
  const HEIGHTS = [0, 0, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9, 9]
  const schedule = TIMES.map((timestamp, nonce) =>
    nonce === 0 ? processMessage(process) : at(nonce, timestamp, 100 + (HEIGHTS[nonce] ?? 0))
  )
  const blockCrons = async (knownBlocks: BlockKnowledge, blocks = MINUTES) => {
    const fired = crons(await plan({ process, schedule, blocks, knownBlocks }))
    return { count: fired.length, blocks: fired.filter((name) => name.includes('blocks')) }
  }
  const [at120, at240, at360, at480] = [
    '2 0-2-blocks 120000',
    '5 0-2-blocks 240000',
    '7 0-2-blocks 360000',
    '10 0-2-blocks 480000'
  ]

  test('fires crons at all blocks if somebody asked the CU once', async () => {
    const all = { count: 29, blocks: [at120, at240, at360, at480] }
    expect(await blockCrons({ asked: [585_683] })).toEqual(all)
    expect(await blockCrons('all')).toEqual(all)
  })

  test('fires no cron at a block less than 90 seconds after the last if somebody asked the CU message by message', async () => {
    const some = { count: 27, blocks: [at120, at480] }
    expect(await blockCrons('stepwise')).toEqual(some)
    expect(await blockCrons({ asked: TIMES })).toEqual(some)
  })

  test('fires crons at other blocks if somebody also asked the CU for the state after nonces 3 and 6', async () => {
    const asked = TIMES.flatMap((time, nonce) => (nonce === 3 || nonce === 6 ? [time, time] : [time]))
    expect(await blockCrons({ asked })).toEqual({ count: 28, blocks: [at120, at360, at480] })
  })

  test('fires no cron at blocks that the CU did not know', async () => {
    expect(await blockCrons({ unknown: new Set([102, 103, 106]) })).toEqual({ count: 27, blocks: [at240, at480] })
  })

  test('gives a time cron the height of the last block that the CU knew', async () => {
    const heightOf = async (knownBlocks: BlockKnowledge) => {
      const planned = await plan({ process, schedule, blocks: MINUTES, knownBlocks })
      const cron = planned.find(({ key }) => key.cron !== undefined && key.timestamp === 270_207)
      return cron?.work.kind === 'run' ? cron.work.message['Block-Height'] : undefined
    }
    expect([await heightOf('all'), await heightOf('stepwise')]).toEqual([104, 103])
  })

  test('has a missing evaluation at a block that nobody has', async () => {
    const blocks = MINUTES.filter(({ height }) => height !== 104)
    const planned = await plan({ process, schedule, blocks, knownBlocks: 'stepwise' })
    const missing = planned.findIndex(({ work }) => work.kind === 'missing')
    expect(planned[missing - 1]?.key).toEqual({ ordinate: 4, timestamp: 180_179 })
    expect(planned[missing]).toEqual({
      key: { ordinate: 4, cron: 'unknown', timestamp: 225_207 },
      saved: false,
      readsBlocks: true,
      work: { kind: 'missing', reason: 'no gateway has the block 104' }
    })
    expect(planned[missing + 1]?.nonce).toBe(5)
  })

  test('fires crons at a block that is out of order in time', async () => {
    const times = [0, 70_000, 55_000, 56_000, 120_000]
    const blocks = times.map((timestamp, place) => ({ height: 100 + place, timestamp }))
    const world = { schedule: [at(1, 20_000), at(2, 60_500), at(3, 110_500)], blocks }
    const fired = ['1 0-1-block 55000', '1 0-1-block 56000', '2 0-1-block 70000']
    expect(await cronsOf(['1-block'], { ...world, knownBlocks: { asked: [110_500] } })).toEqual(fired)
  })

  test('passes a skipped message again in the next stream, with the blocks that the CU knows then', async () => {
    const assign = (nonce: number, timestamp: number) =>
      scheduled(nonce, { item: null, messageId: idOf('item'), timestamp, blockHeight: 100 })
    const world = { items: [onChain('item', {}, '')], knownBlocks: 'stepwise' as const }
    const one = [assign(1, 500), assign(2, 70_000), at(3, 100_000)]
    expect(await cronsOf(['1-block'], { ...world, schedule: one })).toEqual(['1 0-1-block 60000'])
    const two = [assign(1, 500), assign(2, 50_000), assign(3, 70_000), at(4, 100_000)]
    expect(await cronsOf(['1-block'], { ...world, schedule: two })).toEqual(['2 0-1-block 60000'])
  })

  test('is the same for all blocks and for one stream up to the last message, however long it is', async () => {
    const steps = fc.array(fc.integer({ min: 0, max: 400_000 }), { minLength: 1, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(steps, async (given) => {
        let time = 137
        const later = given.map((step, place) => {
          time += step
          return at(place + 1, time)
        })
        const world = { process, schedule: [processMessage(process), ...later], blocks: MINUTES }
        expect(await plan({ ...world, knownBlocks: 'all' })).toEqual(await plan({ ...world, knownBlocks: { asked: [time] } }))
      }),
      { numRuns: 60 }
    )
  })
})

test('the plan of a process with crons has a missing evaluation after more crons than its limit', async () => {
  const process = withCrons('1-second')
  const schedule = [processMessage(process), at(1, 250_002_000, 100)]
  const planned = await plan({ process, schedule, blocks: MINUTES.slice(0, 1) })
  expect(crons(planned).filter((name) => name.startsWith('0 0-1-second '))).toHaveLength(250_000)
  expect(planned.at(-2)?.work).toEqual({ kind: 'missing', reason: 'more than 250000 cron messages between two messages' })
  expect(planned.at(-1)?.nonce).toBe(1)
})
