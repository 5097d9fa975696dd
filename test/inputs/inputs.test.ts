import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ScheduleAnomaly } from '../../src/fetch/schedule-pages.ts'
import { createConflictingAssignments } from '../../src/inputs/conflicting-assignments.ts'
import { createInputs, runPrefixes } from '../../src/inputs/inputs.ts'
import type { Run } from '../../src/inputs/run-record.ts'
import type { TransactionId } from '../../src/model/ids.ts'
import type { Claim, ScheduledMessage, TransactionRecord } from '../../src/model/records.ts'
import { CU, claimOf, keyOf, LISTED, listedOf, unavailableOf } from '../compare/fixtures.ts'
import { idOf } from '../fakes/data.ts'
import { PROCESS } from '../fetch/start.ts'
import { collect, nameOf, openInputs, openTemporaryStore, runOf, SCHEDULER, scheduled, upTo } from '../pull/start.ts'

const result = (nonce: number, data = 'x'): Claim => claimOf({ key: keyOf(nonce) }, { Output: data }, { covers: LISTED })
/** Another assignment of the same nonce. */
const rival = (nonce: number, name: string): ScheduledMessage => {
  const one = scheduled(nonce)
  return { ...one, assignment: { ...one.assignment, id: idOf(name) as ScheduledMessage['assignment']['id'] } }
}
const GATEWAY = 'http://gateway'
const LISTING = { unit: CU, listing: 'results', progress: { done: true } } as const

describe('stored claims', () => {
  it('are in numeric order, crons after their message, without those out of range', async () => {
    const inputs = await openInputs()
    const run = runOf({ from: 2, to: 10 })
    const cron = listedOf({ key: { ordinate: 2, cron: '__proto__', timestamp: 1 } }, { Output: '' })
    await inputs.claims.put(run, [result(10), result(11), result(9), result(1), result(2)])
    await inputs.claims.put(run, [cron, listedOf({ key: keyOf(2) }, { Output: 'x' })], LISTING)
    expect((await collect(inputs.claims.of(run, CU))).map(nameOf)).toEqual(['r2', 'l2', 'l2/__proto__', 'r9', 'r10'])
    expect((await inputs.claims.at(run, CU, 2)).map(nameOf)).toEqual(['r2', 'l2', 'l2/__proto__'])
  })

  it('are stored once if they are repeated, and twice if they contradict each other', async () => {
    const inputs = await openInputs()
    const run = runOf()
    await inputs.claims.put(run, [result(1, 'a'), result(1, 'a')])
    await inputs.claims.put(run, [result(1, 'a'), result(1, 'b')])
    const values = (await collect(inputs.claims.of(run, CU))).map(({ value }) => value.Output)
    expect([...values].sort((left, right) => (String(left) < String(right) ? -1 : 1))).toEqual(['a', 'b'])
  })

  it('belong to one unit and one run', async () => {
    const inputs = await openInputs()
    await inputs.claims.put(runOf(), [result(1), unavailableOf(2, 404)])
    for (const [run, unit] of [
      [runOf(), `${CU}/`],
      [runOf({ id: 'another' }), CU]
    ] as const) {
      expect(await collect(inputs.claims.of(run, unit))).toEqual([])
      expect(await collect(inputs.claims.unavailable(run, unit))).toEqual([])
    }
    expect(await collect(inputs.claims.unavailable(runOf(), CU))).toEqual([unavailableOf(2, 404)])
  })

  it('are replaced one by one', async () => {
    const inputs = await openInputs()
    const run = runOf()
    await inputs.claims.put(run, [result(1, 'a'), result(1, 'b'), result(2, 'a')])
    await inputs.claims.replace(run, result(1, 'b'), result(1, 'c'))
    const values = (await collect(inputs.claims.of(run, CU))).map(({ key, value }) => `${key.ordinate}${String(value.Output)}`)
    expect([...values].sort((left, right) => (String(left) < String(right) ? -1 : 1))).toEqual(['1a', '1c', '2a'])
  })

  it('are forgotten, however many there are, with the progress of listings, but not those of other runs', async () => {
    const inputs = await openInputs()
    const run = runOf({ to: 5_000 })
    const other = runOf({ id: 'another' })
    await inputs.claims.put(other, [result(1)])
    await inputs.claims.put(run, [...upTo(2_100).map((nonce) => result(nonce)), unavailableOf(2_200, 404)], LISTING)
    expect(await inputs.claims.listing(run, CU, 'results')).toEqual(LISTING.progress)
    await inputs.claims.forget(run.id)
    expect(await collect(inputs.claims.of(run, CU))).toEqual([])
    expect(await collect(inputs.claims.unavailable(run, CU))).toEqual([])
    expect(await inputs.claims.listing(run, CU, 'results')).toBeUndefined()
    expect(await collect(inputs.claims.of(other, CU))).toEqual([result(1)])
  })
})

describe('a stored schedule', () => {
  it('is unbroken up to the first missing nonce', async () => {
    const inputs = await openInputs()
    const end = () => inputs.schedule.upTo(SCHEDULER, PROCESS)
    expect(await end()).toBe(-1)
    await inputs.schedule.put(SCHEDULER, PROCESS, [1, 2].map(scheduled), [])
    expect(await end()).toBe(-1)
    await inputs.schedule.put(SCHEDULER, PROCESS, [0, 4].map(scheduled), [])
    expect(await end()).toBe(2)
    await inputs.schedule.put(SCHEDULER, PROCESS, [scheduled(3)], [])
    expect(await end()).toBe(4)
  })

  it('is read by scheduler and in a range with both ends inclusive', async () => {
    const inputs = await openInputs()
    await inputs.schedule.put(SCHEDULER, PROCESS, upTo(11).map(scheduled), [])
    expect((await collect(inputs.schedule.messages(runOf(), 8, 10))).map(({ nonce }) => nonce)).toEqual([8, 9, 10])
    expect(await collect(inputs.schedule.messages(runOf({ scheduler: 'http://another' }), 0, 11))).toEqual([])
  })

  it('is filled with messages that only Arweave has, but only in a run over both sources', async () => {
    const inputs = await openInputs()
    await inputs.schedule.put(SCHEDULER, PROCESS, [1, 2, 5].map(scheduled), [])
    await inputs.schedule.put('arweave', PROCESS, [0, 2, 3, 5, 6].map(scheduled), [])
    const read = async (run: Run, from = 0, to = 9) =>
      (await collect(inputs.schedule.messages(run, from, to))).map(({ nonce, unserved }) =>
        unserved ? `arweave ${nonce}` : nonce
      )
    expect(await read(runOf({ schedule: 'both' }))).toEqual(['arweave 0', 1, 2, 'arweave 3', 5, 'arweave 6'])
    expect(await read(runOf({ schedule: 'both' }), 3, 3)).toEqual(['arweave 3'])
    expect(await read(runOf())).toEqual([1, 2, 5])
    expect(await read(runOf({ scheduler: 'arweave' }))).toEqual([0, 2, 3, 5, 6])
  })

  it('over both sources has each nonce once, in order, and prefers the scheduler’s message', async () => {
    const inputs = await openInputs()
    const some = fc.uniqueArray(fc.nat({ max: 12 }))
    const ordered = (nonces: Iterable<number>) => [...nonces].sort((left, right) => left - right)
    let readings = 0
    await fc.assert(
      fc.asyncProperty(some, some, async (served, archived) => {
        const run = runOf({ process: idOf(`process ${readings++}`) as typeof PROCESS, schedule: 'both' })
        await inputs.schedule.put(run.scheduler, run.process, served.map(scheduled), [])
        await inputs.schedule.put('arweave', run.process, archived.map(scheduled), [])
        const read = await collect(inputs.schedule.messages(run, 0, 12))
        expect(read.map(({ nonce }) => nonce)).toEqual(ordered(new Set([...served, ...archived])))
        const filled = read.filter(({ unserved }) => unserved === true).map(({ nonce }) => nonce)
        expect(filled).toEqual(ordered(archived.filter((nonce) => !served.includes(nonce))))
      }),
      { numRuns: 40 }
    )
  })

  it('from Arweave is read again from the first item that was unavailable', async () => {
    const inputs = await openInputs()
    const lacking: ScheduledMessage = { ...scheduled(1), message: null, unclear: true }
    await inputs.schedule.put('arweave', PROCESS, [scheduled(0), lacking, scheduled(2)], [])
    expect(await inputs.schedule.upTo('arweave', PROCESS)).toBe(0)
    await inputs.schedule.put('arweave', PROCESS, [scheduled(1)], [])
    expect(await inputs.schedule.upTo('arweave', PROCESS)).toBe(2)
  })

  it('keeps all messages that were served under one nonce', async () => {
    const inputs = await openInputs()
    const [one, two]: ScheduleAnomaly[] = ['7', '8'].map((name) => ({ kind: 'twice', nonce: 1, messages: [rival(1, name)] }))
    if (one === undefined || two === undefined) throw new Error('no anomalies')
    await inputs.schedule.put(SCHEDULER, PROCESS, [], [one, two])
    const rivals = createConflictingAssignments(inputs, runOf())
    const ids = (await rivals(1)).map(({ assignment }) => assignment.id)
    expect(new Set(ids)).toEqual(new Set(['7', '8'].map((name) => rival(1, name).assignment.id)))
    expect(await rivals(2)).toEqual([])
  })

  it('returns the further messages of a nonce that have arrived, and later ones once they have arrived', async () => {
    const stored = await openInputs()
    let cameTo = 1
    const rivals = createConflictingAssignments(
      { ...stored, schedule: { ...stored.schedule, completeTo: () => cameTo } },
      runOf()
    )
    expect(await rivals(1)).toEqual([])
    await stored.schedule.put(SCHEDULER, PROCESS, [], [{ kind: 'twice', nonce: 2, messages: [rival(2, '7')] }])
    cameTo = 3
    expect((await rivals(2)).map(({ assignment }) => assignment.id)).toEqual([rival(2, '7').assignment.id])
    expect(await rivals(3)).toEqual([])
  })

  it('loses the verdicts on its signatures when it is served again', async () => {
    const inputs = await openInputs()
    const verdicts = { of: 'a hash', assignment: { status: 'valid' }, message: null } as const
    await inputs.schedule.put(SCHEDULER, PROCESS, [0, 1].map(scheduled), [])
    await inputs.schedule.putVerdicts(runOf(), [
      [0, verdicts],
      [1, verdicts]
    ])
    await inputs.schedule.put(SCHEDULER, PROCESS, [scheduled(1)], [])
    expect(await inputs.schedule.verdicts(runOf(), 0, 1)).toEqual(new Map([[0, verdicts]]))
    expect(await inputs.schedule.verdicts(runOf(), 1, 5)).toEqual(new Map())
  })

  it('keeps its faults, each kind once for a nonce', async () => {
    const inputs = await openInputs()
    const twice: ScheduleAnomaly = { kind: 'twice', nonce: 1, messages: [scheduled(1)] }
    const gap: ScheduleAnomaly = { kind: 'gap', nonce: 1, through: 3 }
    await inputs.schedule.put(SCHEDULER, PROCESS, [], [twice, gap])
    await inputs.schedule.put(SCHEDULER, PROCESS, [], [twice])
    expect(await collect(inputs.schedule.anomalies(runOf()))).toEqual([gap, twice])
  })

  it('loses a gap when a later reading finds the missing nonce', async () => {
    const inputs = await openInputs()
    const twice: ScheduleAnomaly = { kind: 'twice', nonce: 2, messages: [] }
    await inputs.schedule.put(SCHEDULER, PROCESS, [], [{ kind: 'gap', nonce: 2, through: 4 }, twice])
    await inputs.schedule.put(SCHEDULER, PROCESS, [scheduled(2)], [{ kind: 'gap', nonce: 3, through: 4 }])
    expect(await collect(inputs.schedule.anomalies(runOf()))).toEqual([twice, { kind: 'gap', nonce: 3, through: 4 }])
    await inputs.schedule.put(SCHEDULER, PROCESS, [3, 4].map(scheduled), [])
    expect(await collect(inputs.schedule.anomalies(runOf()))).toEqual([twice])
  })
})

describe('the inputs of all runs', () => {
  const record: TransactionRecord = {
    id: idOf('item') as TransactionId,
    owner: { address: idOf('owner'), key: '' },
    tags: [{ name: '__proto__', value: 'x' }],
    recipient: '',
    anchor: '',
    signature: '',
    blockHeight: null,
    gateway: GATEWAY
  }

  it('store items with data and without', async () => {
    const inputs = await openInputs()
    expect(await inputs.items.transaction(record.id)).toBeUndefined()
    expect(await inputs.items.data(await inputs.items.putTransaction(record))).toBeUndefined()
    const bytes = new Uint8Array([0, 255, 7])
    const kept = await inputs.items.putTransaction(record, bytes)
    expect(kept.data?.bytes).toBe(3)
    expect(await inputs.items.transaction(record.id)).toEqual(kept)
    expect(new Uint8Array((await inputs.items.data(kept)) ?? [])).toEqual(bytes)
  })

  it('return blocks by height', async () => {
    const inputs = await openInputs()
    const blocks = [9, 10, 100].map((height) => ({ height, timestamp: height * 1_000 }))
    await inputs.blocks.put(PROCESS, [...blocks].reverse())
    expect(await inputs.blocks.between(PROCESS, 10, 100)).toEqual(blocks.slice(1))
  })

  it('look for checkpoints again when the range ends elsewhere', async () => {
    const inputs = await openInputs()
    const run = runOf()
    expect(await inputs.checkpoints.wereRead(run, GATEWAY)).toBe(false)
    await inputs.checkpoints.put(run, GATEWAY, [record.id])
    expect(await inputs.checkpoints.wereRead(run, GATEWAY)).toBe(true)
    expect(await inputs.checkpoints.wereRead(runOf({ to: 4 }), GATEWAY)).toBe(false)
    expect(await inputs.checkpoints.ids(PROCESS)).toEqual([record.id])
  })
})

it('the prefixes of a run cover all its records, and none of another run or process', async () => {
  const store = await openTemporaryStore()
  const inputs = createInputs(store)
  const other = idOf('another process') as typeof PROCESS
  for (const run of [runOf(), runOf({ id: 'b' }), runOf({ id: 'c', process: other })]) {
    await inputs.runs.put(run)
    await inputs.claims.put(run, [result(1), unavailableOf(2, 404)], LISTING)
    await inputs.schedule.put(SCHEDULER, run.process, [scheduled(0)], [{ kind: 'gap', nonce: 1 }])
    const kept = { height: 1, timestamp: 1 }
    await inputs.blocks.put(run.process, [kept], [{ kept, other: { height: 1, timestamp: 2, gateway: GATEWAY } }])
    const id = idOf('differing') as TransactionId
    await inputs.items.putGatewayAnomalies(run.process, [{ id, gateway: GATEWAY, proves: 'http://other' }])
    await inputs.checkpoints.put(run, GATEWAY, [idOf('checkpoint') as TransactionId])
  }
  const kinds: string[] = []
  for (const prefix of runPrefixes(runOf())) {
    for await (const [key] of store.list(prefix)) {
      expect(key).not.toContain(other)
      expect(key).not.toContain('b')
      kinds.push(String(key[0]))
    }
  }
  const differences = ['block-difference', 'gateway-anomaly']
  const others = ['anomaly', 'block', 'checkpoint', 'claim', 'listing', 'run', 'schedule', 'unavailable']
  expect(kinds.toSorted()).toEqual([...others, ...differences].toSorted())
  expect((await inputs.runs.all(PROCESS)).map(({ id }) => id)).toEqual(['a run', 'b'])
})
