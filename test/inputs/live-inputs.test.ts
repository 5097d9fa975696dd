import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { advancing, createWatermark, followInputs, whole } from '../../src/inputs/live-inputs.ts'
import { CU, claimOf, keyOf } from '../compare/fixtures.ts'
import { PROCESS } from '../fetch/start.ts'
import { collect, openInputs, runOf, SCHEDULER, scheduled } from '../pull/start.ts'

const FAILURE = new Error('no gateway has it')

describe('a watermark', () => {
  it('makes readers wait for a nonce until it is reached, and no longer', async () => {
    const wanted: string[] = []
    const watermark = createWatermark(() => wanted.push('wanted'))
    expect(watermark.reached()).toBe(-1)
    watermark.advance(2)
    expect(await watermark.waitFor(2)).toBe(2)
    expect(wanted).toEqual([])
    const told: number[] = []
    const waiting = watermark.waitFor(4).then((to) => told.push(to))
    watermark.advance(3)
    // A late lower nonce does not lower the watermark.
    watermark.advance(1)
    await setImmediate()
    expect(told).toEqual([])
    watermark.advance(7)
    await waiting
    expect(told).toEqual([7])
    expect(wanted).toEqual(['wanted'])
  })

  it('releases all readers for good when it ends', async () => {
    const watermark = createWatermark()
    const waiting = Promise.all([watermark.waitFor(0), watermark.waitFor(9)])
    await advancing(watermark, async () => watermark.advance(3))
    expect(await waiting).toEqual([3, Number.POSITIVE_INFINITY])
    expect(await watermark.waitFor(1_000_000)).toBe(Number.POSITIVE_INFINITY)
  })

  it('that fails still has the nonces before, and rejects the rest with its failure', async () => {
    const watermark = createWatermark()
    const waiting = watermark.waitFor(4)
    const work = advancing(watermark, async () => {
      watermark.advance(3)
      throw FAILURE
    })
    await expect(waiting).rejects.toBe(FAILURE)
    await expect(work).rejects.toBe(FAILURE)
    expect(await watermark.waitFor(3)).toBe(3)
    await expect(watermark.waitFor(4)).rejects.toBe(FAILURE)
  })
})

describe('live inputs', () => {
  it('return the schedule in order, part by part, as it would be read later', async () => {
    const inputs = await openInputs()
    const schedule = createWatermark()
    const nonces: number[] = []
    const reading = (async () => {
      for await (const { nonce } of followInputs(inputs, { schedule }).schedule.messages(runOf(), 0, 5)) nonces.push(nonce)
    })()
    const put = async (from: number, to: number) => {
      const messages = Array.from({ length: to - from + 1 }, (_, place) => scheduled(from + place))
      await inputs.schedule.put(SCHEDULER, PROCESS, messages, [])
      schedule.advance(to)
    }
    await put(0, 1)
    await expect.poll(() => nonces).toEqual([0, 1])
    await put(2, 4)
    await expect.poll(() => nonces).toEqual([0, 1, 2, 3, 4])
    schedule.end()
    await reading
    expect(nonces).toEqual([0, 1, 2, 3, 4])
  })

  it('return every claim as it arrives, and the stored claims of a unit without a watermark', async () => {
    const inputs = await openInputs()
    const run = runOf({ from: 1, to: 3 })
    const answers = createWatermark()
    const coming = followInputs(inputs, { schedule: createWatermark(), claims: new Map([[CU, answers]]) })
    const at = coming.claims.at(run, CU, 2)
    const all = collect(coming.claims.of(run, CU))
    expect(await collect(coming.claims.of(run, 'https://other.example'))).toEqual([])
    await inputs.claims.put(run, [claimOf({ key: keyOf(1) }, { Output: 'a' })])
    answers.advance(1)
    await inputs.claims.put(run, [claimOf({ key: keyOf(2) }, { Output: 'b' }), claimOf({ key: keyOf(3) }, { Output: 'c' })])
    answers.end()
    expect((await at).map(({ value }) => value.Output)).toEqual(['b'])
    expect((await all).map(({ value }) => value.Output)).toEqual(['a', 'b', 'c'])
  })

  it('reject with the failure of the records that did not arrive', async () => {
    const inputs = await openInputs()
    const schedule = createWatermark()
    await inputs.schedule.put(SCHEDULER, PROCESS, [scheduled(0)], [])
    schedule.advance(0)
    schedule.end({ error: FAILURE })
    const read: number[] = []
    const reading = (async () => {
      for await (const { nonce } of followInputs(inputs, { schedule }).schedule.messages(runOf(), 0, 5)) read.push(nonce)
    })()
    await expect(reading).rejects.toBe(FAILURE)
    expect(read).toEqual([0])
  })
})

describe('whole', () => {
  it('waits for all parts even if one fails', async () => {
    const ended: string[] = []
    const late = setImmediate().then(() => ended.push('late'))
    await expect(whole([Promise.reject(FAILURE), late])).rejects.toBe(FAILURE)
    expect(ended).toEqual(['late'])
  })
})
