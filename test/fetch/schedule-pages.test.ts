import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readSchedule, type ScheduleAnomaly } from '../../src/fetch/schedule-pages.ts'
import type { SchedulerSource } from '../../src/fetch/unit-sources.ts'
import type { ScheduledMessage } from '../../src/model/records.ts'
import { scheduledMessageSchema } from '../../src/verify/scheduled-edge.ts'
import { exampleEdge } from '../fakes/data.ts'
import { PROCESS } from './start.ts'

const message = (nonce: number): ScheduledMessage => scheduledMessageSchema.parse(exampleEdge(nonce).node)
const other = (nonce: number): ScheduledMessage => ({ ...message(nonce), hashChain: 'another' })

interface Asked {
  readonly after: number
  readonly limit: number
}

/** Serves `all` in its order, as a scheduler does: the messages above a nonce, cut at the limit. */
function serving(all: readonly ScheduledMessage[], asked: Asked[] = []): SchedulerSource {
  return {
    url: 'http://scheduler',
    process: () => Promise.reject(new Error('not asked for')),
    latestNonce: () => Promise.reject(new Error('not asked for')),
    async page(_, after, limit) {
      asked.push({ after, limit })
      const behind = all.filter(({ nonce }) => nonce > after)
      return { messages: behind.slice(0, limit), hasNextPage: behind.length > limit }
    }
  }
}

async function read(source: SchedulerSource, fromNonce: number, toNonce: number, pageSize: number, maxPages?: number) {
  const messages: ScheduledMessage[] = []
  const anomalies: ScheduleAnomaly[] = []
  const range = { fromNonce, toNonce, pageSize, ...(maxPages === undefined ? {} : { maxPages }) }
  for await (const part of readSchedule(source, PROCESS, range)) {
    messages.push(...part.messages)
    anomalies.push(...part.anomalies)
  }
  return { nonces: messages.map(({ nonce }) => nonce), messages, anomalies }
}

const upTo = (last: number) => Array.from({ length: last + 1 }, (_, nonce) => nonce)

describe('an orderly schedule', () => {
  it('is read page by page, each from the highest nonce before', async () => {
    const asked: Asked[] = []
    const { nonces, anomalies } = await read(serving(upTo(9).map(message), asked), 0, 9, 4)
    expect(nonces).toEqual(upTo(9))
    expect(anomalies).toEqual([])
    expect(asked).toEqual([
      { after: -1, limit: 4 },
      { after: 3, limit: 4 },
      { after: 7, limit: 4 }
    ])
  })

  it('is read only in the requested range', async () => {
    const { nonces } = await read(serving(upTo(9).map(message)), 3, 6, 100)
    expect(nonces).toEqual([3, 4, 5, 6])
  })

  it('is not requested if its range is empty', async () => {
    const asked: Asked[] = []
    await read(serving([], asked), 5, 4, 10)
    expect(asked).toEqual([])
  })
})

describe('reading a faulty schedule', () => {
  it('names a gap and reads all nonces after it', async () => {
    const { nonces, anomalies } = await read(serving([0, 1, 5, 6].map(message)), 0, 6, 2)
    expect(nonces).toEqual([0, 1, 5, 6])
    expect(anomalies).toEqual([{ kind: 'gap', nonce: 2, through: 4 }])
  })

  it('names a gap of one nonce and a gap at the end', async () => {
    const { nonces, anomalies } = await read(serving([0, 2].map(message)), 0, 4, 10)
    expect(nonces).toEqual([0, 2])
    expect(anomalies).toEqual([
      { kind: 'gap', nonce: 1 },
      { kind: 'gap', nonce: 3, through: 4 }
    ])
  })

  it('needs no more pages than for a gap if the range ends far away', async () => {
    const { anomalies } = await read(serving([message(0)]), 0, Number.MAX_SAFE_INTEGER, 10)
    expect(anomalies).toEqual([{ kind: 'gap', nonce: 1, through: Number.MAX_SAFE_INTEGER }])
  })

  it('names a message out of order if two are swapped', async () => {
    const { nonces, anomalies } = await read(serving([0, 2, 1, 3].map(message)), 0, 3, 10)
    expect(nonces).toEqual([0, 1, 2, 3])
    expect(anomalies).toEqual([{ kind: 'outOfOrder', nonce: 1 }])
  })

  it('names a message out of order if two are swapped at the end of a page', async () => {
    const { nonces, anomalies } = await read(serving([0, 1, 3, 2, 4].map(message)), 0, 4, 3)
    expect(nonces).toEqual(upTo(4))
    expect(anomalies).toEqual([{ kind: 'outOfOrder', nonce: 2 }])
  })

  it('names a nonce that is served twice, and keeps the second message as proof', async () => {
    const { messages, anomalies } = await read(serving([message(0), message(1), other(1), message(2)]), 0, 2, 10)
    expect(messages).toEqual([0, 1, 2].map(message))
    expect(anomalies).toEqual([{ kind: 'twice', nonce: 1, messages: [other(1)] }])
  })

  it('names a message that is served twice with the same content', async () => {
    const { nonces, anomalies } = await read(serving([0, 1, 1, 2].map(message)), 0, 2, 10)
    expect(nonces).toEqual([0, 1, 2])
    expect(anomalies).toEqual([{ kind: 'twice', nonce: 1, messages: [message(1)] }])
  })

  it('names a message that has other content on a later page', async () => {
    const pages = [
      [message(0), message(2)],
      [message(1), other(2)]
    ]
    const source = { ...serving([]), page: async () => ({ messages: pages.shift() ?? [], hasNextPage: true }) }
    const { messages, anomalies } = await read(source, 0, 2, 10)
    expect(messages).toEqual([0, 1, 2].map(message))
    expect(anomalies).toEqual([{ kind: 'twice', nonce: 2, messages: [other(2)] }])
  })

  it('does not name a message that is there again because its page was requested again', async () => {
    const pages = [
      [0, 2, 3],
      [1, 2, 3]
    ].map((nonces) => nonces.map(message))
    const source = { ...serving([]), page: async () => ({ messages: pages.shift() ?? [], hasNextPage: false }) }
    expect(await read(source, 0, 3, 10)).toMatchObject({ nonces: [0, 1, 2, 3], anomalies: [] })
  })

  it('does not name a nonce that was left out only once', async () => {
    const pages = [[1], [0, 1]].map((nonces) => nonces.map(message))
    const source = { ...serving([]), page: async () => ({ messages: pages.shift() ?? [], hasNextPage: false }) }
    expect(await read(source, 0, 1, 10)).toMatchObject({ nonces: [0, 1], anomalies: [] })
  })
})

it('reading ends in ANSWER_TOO_LARGE if a scheduler serves pages forever', async () => {
  const source = {
    ...serving([]),
    page: async (_: unknown, after: number) => ({ messages: [message(after + 1)], hasNextPage: true })
  }
  await expect(read(source, 0, Number.MAX_SAFE_INTEGER, 10, 50)).rejects.toMatchObject({ code: 'ANSWER_TOO_LARGE' })
})

describe('reading a schedule in any order, with any omission and repetition', () => {
  const LAST = 12
  const served = fc.array(fc.integer({ min: 0, max: LAST }), { maxLength: 40 })

  it('returns every served nonce once, and calls only missing nonces a gap', () =>
    fc.assert(
      fc.asyncProperty(served, fc.integer({ min: 1, max: 15 }), async (all, pageSize) => {
        const { nonces, anomalies } = await read(serving(all.map(message)), 0, LAST, pageSize)
        expect(nonces).toEqual([...new Set(all)].sort((left, right) => left - right))
        const missing = anomalies.flatMap(({ kind, nonce, through = nonce }) =>
          kind === 'gap' ? Array.from({ length: through - nonce + 1 }, (_, place) => nonce + place) : []
        )
        expect(missing).toEqual(upTo(LAST).filter((nonce) => !all.includes(nonce)))
      })
    ))

  it('ends even if the pages have nothing to do with the requests', () =>
    fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.tuple(served, fc.boolean())), async (stream) => {
        let pages = 0
        const source = {
          ...serving([]),
          async page() {
            pages++
            const [all, hasNextPage] = stream.next().value ?? [[], false]
            return { messages: all.map(message), hasNextPage }
          }
        }
        const { nonces } = await read(source, 0, LAST, 3)
        expect(nonces).toEqual([...new Set(nonces)].sort((left, right) => left - right))
        // Each nonce costs a page that has it, or a few growing pages that lack it.
        expect(pages).toBeLessThanOrEqual((LAST + 1) * 20)
      })
    ))
})

describe('reading up to a newest nonce that is a lie', () => {
  const NEWEST = 9_007_199_254_740_990

  it.each([
    ['an empty rest', false, () => []],
    ['an empty rest without end', true, () => []],
    ['repeated old messages', true, () => [message(0), message(1)]]
  ] as const)('ends after a few pages with %s', async (_, hasNextPage, rest) => {
    let pages = 0
    const source: SchedulerSource = {
      ...serving([]),
      async page(_, after) {
        pages++
        return after < 3 ? { messages: upTo(3).map(message), hasNextPage: true } : { messages: rest(), hasNextPage }
      }
    }
    const { nonces, anomalies } = await read(source, 0, NEWEST, 500)
    expect([nonces, anomalies]).toEqual([upTo(3), [{ kind: 'gap', nonce: 4, through: NEWEST }]])
    expect(pages).toBeLessThan(20)
  })

  it('ends if every page has one message after another gap', async () => {
    let pages = 0
    const source: SchedulerSource = {
      ...serving([]),
      async page(_, after) {
        pages++
        return { messages: [message(after + 1_000_000)], hasNextPage: true }
      }
    }
    const { anomalies } = await read(source, 0, NEWEST, 500)
    expect(anomalies).toHaveLength(1_000)
    expect(anomalies.at(-1)).toMatchObject({ kind: 'gap', through: NEWEST })
    expect(pages).toBeLessThan(5_000)
  })

  it('keeps only a few messages as proof if one nonce has many different ones', async () => {
    const many = Array.from({ length: 1_000 }, (_, place) => ({ ...message(2), hashChain: String(place) }))
    const { nonces, anomalies } = await read(serving([...upTo(3).map(message), ...many]), 0, 3, 2_000)
    expect([nonces, anomalies.filter(({ kind }) => kind === 'twice').length]).toEqual([upTo(3), 4])
  })
})
