import { describe, expect, it } from 'vitest'
import { createProgress, type ProgressState } from '../../src/audit/progress.ts'

const CLEAR = '\r\u001b[2K'

/** A stream that records its output, and a clock that stands still until it is set. */
function setUp({ isTTY = true, columns = 120 }: { isTTY?: boolean; columns?: number } = {}) {
  const written: string[] = []
  const clock = { ms: 5_000 }
  const progress = createProgress({
    stream: { columns, write: (text: string) => written.push(text) },
    isTTY,
    now: () => clock.ms
  })
  const replayed = (count: number, over: Partial<ProgressState> = {}) => {
    progress.update({ phase: 'replay', fetched: 402, total: 402, replayed: count, ...over })
  }
  return { written, clock, progress, replayed }
}

describe('createProgress', () => {
  it('writes nothing if there is no terminal', () => {
    const { written, progress, replayed, clock } = setUp({ isTTY: false })
    replayed(1)
    clock.ms += 1_000
    replayed(2)
    progress.note('note')
    progress.end()
    expect(written).toEqual([])
  })

  it('rewrites one line with the fetched and replayed counts, the speed and the time left', () => {
    const { written, clock, replayed } = setUp()
    replayed(0)
    clock.ms += 2_000
    replayed(80)
    clock.ms += 2_000
    replayed(82)
    expect(written).toEqual([
      `${CLEAR}replay  fetched 402/402  replayed 0/402`,
      `${CLEAR}replay  fetched 402/402  replayed 80/402  40 messages/s  9s left`,
      `${CLEAR}replay  fetched 402/402  replayed 82/402  21 messages/s  16s left`
    ])
  })

  it('computes the speed from this run, without the messages before an interruption', () => {
    const { written, clock, replayed } = setUp()
    replayed(300)
    clock.ms += 10_000
    replayed(320)
    expect(written[1]).toBe(`${CLEAR}replay  fetched 402/402  replayed 320/402  2.0 messages/s  41s left`)
  })

  it('measures each phase by itself, and only phases that go message by message', () => {
    const { written, clock, progress } = setUp()
    progress.update({ phase: 'fetch', fetched: 0, total: undefined, replayed: 0 })
    clock.ms += 1_000
    progress.update({ phase: 'fetch', fetched: 100, total: undefined, replayed: 0 })
    clock.ms += 1_000
    progress.update({ phase: 'fetch', fetched: 200, total: 20_000, replayed: 0 })
    clock.ms += 1
    progress.update({ phase: 'verify', fetched: 400, total: 400, replayed: 0 })
    clock.ms += 1_000
    progress.update({ phase: 'compare', fetched: 400, total: 400, replayed: 400 })
    expect(written).toEqual([
      `${CLEAR}fetch  fetched 0/?  replayed 0/?`,
      `${CLEAR}fetch  fetched 100/?  replayed 0/?  100 messages/s`,
      `${CLEAR}fetch  fetched 200/20000  replayed 0/20000  100 messages/s  3m 18s left`,
      `${CLEAR}verify  fetched 400/400  replayed 0/400`,
      `${CLEAR}compare  fetched 400/400  replayed 400/400`
    ])
  })

  it.each([
    [398, '1s left'],
    [339, '1m 00s left'],
    [-3_198, '59m 57s left'],
    [-7_000, '2h 03m left']
  ])('computes the time left after %i messages at one message a second', (done, expected) => {
    const { written, clock, replayed } = setUp()
    const total = 399
    replayed(done - 1, { total })
    clock.ms += 1_000
    replayed(done, { total })
    expect(written[1]?.endsWith(`  ${expected}`)).toBe(true)
  })

  it('writes at most ten times a second, however often it is updated', () => {
    const { written, clock, replayed } = setUp()
    for (let step = 0; step <= 1_000; step++) {
      replayed(step, { total: 1_000 })
      clock.ms += 1
    }
    expect(written).toHaveLength(11)
    expect(written.at(-1)).toBe(`${CLEAR}replay  fetched 402/1000  replayed 1000/1000  1000 messages/s  0s left`)
  })

  it('never fills the line, because a full line would wrap', () => {
    const { written, replayed } = setUp({ columns: 20 })
    replayed(0)
    expect(written).toEqual([`${CLEAR}replay  fetched 402`])
  })

  it('puts a note above the live line, escaped and bounded', () => {
    const { written, progress, replayed } = setUp()
    progress.note('before \u001b[2J\nany line')
    replayed(0)
    progress.note('x'.repeat(501))
    expect(written).toEqual([
      `${CLEAR}before \\u{1b}[2J\\u{a}any line\n`,
      `${CLEAR}replay  fetched 402/402  replayed 0/402`,
      `${CLEAR}${'x'.repeat(500)}… (1 more)\nreplay  fetched 402/402  replayed 0/402`
    ])
  })

  it('clears the line once at the end and writes nothing after that', () => {
    const { written, progress, replayed } = setUp()
    replayed(0)
    progress.end()
    progress.end()
    replayed(1, { phase: 'compare' })
    progress.note('late')
    expect(written).toEqual([`${CLEAR}replay  fetched 402/402  replayed 0/402`, CLEAR])
  })

  it('clears nothing if nothing was written', () => {
    const { written, progress } = setUp()
    progress.end()
    expect(written).toEqual([])
  })
})
