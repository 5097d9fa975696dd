import { describe, expect, it } from 'vitest'
import { createProgress, type ProgressState } from '../../src/audit/progress.ts'

const CLEAR = '\r\u001b[2K'
const MIDDAY = '2026-11-30T12:00:00'

/** A stream that remembers and a clock that stands still until it is set. */
function setUp({ isTTY = true, columns = 120 }: { isTTY?: boolean; columns?: number } = {}) {
  const written: string[] = []
  const clock = { ms: 5_000 }
  const progress = createProgress({
    stream: { columns, write: (text: string) => written.push(text) },
    isTTY,
    now: () => clock.ms,
    date: () => new Date(Date.parse(`${MIDDAY}Z`) - 5_000 + clock.ms)
  })
  /** So many messages were run, the last of them at `nonce`. */
  const replayed = (runs: number, nonce = runs, over: Partial<ProgressState> = {}) => {
    progress.update({ answers: { came: 402, total: 402 }, replay: { nonce, to: 401, runs }, ...over })
  }
  return { written, clock, progress, replayed }
}

describe('the live line of a terminal', () => {
  it('says which nonce was replayed, how fast, and how long still', () => {
    const { written, clock, replayed } = setUp()
    replayed(1)
    clock.ms += 2_000
    replayed(81)
    clock.ms += 2_000
    replayed(83)
    expect(written).toEqual([
      `${CLEAR}replay  nonce 1 of 401  fetched 402/402`,
      `${CLEAR}replay  nonce 81 of 401  40 messages/s  8s left  fetched 402/402`,
      `${CLEAR}replay  nonce 83 of 401  21 messages/s  16s left  fetched 402/402`
    ])
  })

  it('gives no rate and no time while it only fetches', () => {
    const { written, clock, progress } = setUp()
    progress.update({})
    clock.ms += 1_000
    progress.update({ answers: { came: 100, total: 20_000 } })
    clock.ms += 1_000
    progress.update({ answers: { came: 200, total: 20_000 } })
    expect(written).toEqual([`${CLEAR}fetch`, `${CLEAR}fetch  fetched 100/20000`, `${CLEAR}fetch  fetched 200/20000`])
  })

  it('leaves the wait before the first message out of the rate', () => {
    const { written, clock, progress, replayed } = setUp()
    progress.update({ answers: { came: 0, total: 402 } })
    clock.ms += 60_000
    replayed(1)
    clock.ms += 10_000
    replayed(21)
    expect(written.at(-1)).toBe(`${CLEAR}replay  nonce 21 of 401  2.0 messages/s  3m 10s left  fetched 402/402`)
  })

  it('leaves what an earlier audit computed out of the rate', () => {
    const { written, clock, replayed } = setUp()
    replayed(0, 100)
    clock.ms += 1_000
    replayed(0, 300)
    clock.ms += 1_000
    replayed(1, 301)
    clock.ms += 10_000
    replayed(21, 321)
    expect(written.at(-1)).toBe(`${CLEAR}replay  nonce 321 of 401  2.0 messages/s  40s left  fetched 402/402`)
  })

  it('measures a further replay by itself', () => {
    const { written, clock, replayed } = setUp()
    replayed(1)
    clock.ms += 1_000
    replayed(400)
    clock.ms += 1_000
    replayed(0, 0)
    clock.ms += 1_000
    replayed(1)
    clock.ms += 10_000
    replayed(51)
    expect(written.slice(2)).toEqual([
      `${CLEAR}replay  nonce 0 of 401  fetched 402/402`,
      `${CLEAR}replay  nonce 1 of 401  fetched 402/402`,
      `${CLEAR}replay  nonce 51 of 401  5.0 messages/s  1m 10s left  fetched 402/402`
    ])
  })

  it.each([
    [400, '1s left'],
    [341, '1m 00s left'],
    [5, '6m 36s left']
  ])('gives the time left at nonce %i of 401 at one a second', (nonce, expected) => {
    const { written, clock, replayed } = setUp()
    replayed(nonce - 1)
    clock.ms += 1_000
    replayed(nonce)
    expect(written[1]).toContain(`  ${expected}  `)
  })

  it('gives a long time in hours and minutes', () => {
    const { written, clock, replayed } = setUp()
    replayed(1, 1, { replay: { nonce: 1, to: 7_402, runs: 1 } })
    clock.ms += 1_000
    replayed(2, 2, { replay: { nonce: 2, to: 7_402, runs: 2 } })
    expect(written[1]).toContain('  2h 03m left  ')
  })

  it('is written at most ten times a second, however often it is updated', () => {
    const { written, clock, replayed } = setUp()
    for (let step = 0; step <= 401; step++) {
      replayed(step)
      clock.ms += 1
    }
    expect(written).toHaveLength(5)
  })

  it('never fills the terminal, where it would wrap', () => {
    const { written, replayed } = setUp({ columns: 20 })
    replayed(0)
    expect(written).toEqual([`${CLEAR}replay  nonce 0 of `])
  })

  it('is taken away at the end, once, and does not come back', () => {
    const { written, clock, progress, replayed } = setUp()
    replayed(0)
    progress.end()
    progress.end()
    clock.ms += 1_000
    replayed(1)
    progress.beat()
    expect(written).toEqual([`${CLEAR}replay  nonce 0 of 401  fetched 402/402`, CLEAR])
  })

  it('leaves nothing to take away where nothing was written', () => {
    const { written, progress } = setUp()
    progress.end()
    expect(written).toEqual([])
  })
})

describe('plain lines without a terminal', () => {
  it('are written when one is due, with the time of day, and not in between', () => {
    const { written, clock, progress, replayed } = setUp({ isTTY: false })
    progress.beat()
    progress.update({ answers: { came: 9, total: 402 } })
    clock.ms += 10_000
    progress.beat()
    replayed(1)
    clock.ms += 10_000
    replayed(101)
    progress.beat()
    progress.end()
    progress.beat()
    expect(written).toEqual([
      `${MIDDAY}Z  fetch\n`,
      '2026-11-30T12:00:10Z  fetch  fetched 9/402\n',
      '2026-11-30T12:00:20Z  replay  nonce 101 of 401  10 messages/s  30s left  fetched 402/402\n'
    ])
  })
})
