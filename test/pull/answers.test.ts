import { describe, expect, it } from 'vitest'
import { askForAnswers } from '../../src/answers.ts'
import { AuditError } from '../../src/errors.ts'
import { createCompute } from '../../src/fetch/compute.ts'
import type { ComputeSource, ListedPage } from '../../src/fetch/sources.ts'
import type { Inputs, Run } from '../../src/inputs.ts'
import { cursorOf, exampleData } from '../fakes/data.ts'
import type { Fault } from '../fakes/faults.ts'
import { messageId, PROCESS, quick, start } from '../fetch/start.ts'
import { BEGAN, collect, NOW, nameOf, openInputs, runOf, SCHEDULER, scheduled, upTo } from './start.ts'

const CRON = '0-30-seconds'
const LISTED_EXAMPLE = ['l0', `l0/${CRON}`, 'l1', 'l2', 'l3']
const WHOLE_EXAMPLE = ['l0', `l0/${CRON}`, 'r1', 'l1', 'r2', 'l2', 'r3', 'l3']

async function inputsUpTo(last: number): Promise<Inputs> {
  const inputs = await openInputs()
  await inputs.putSchedule(SCHEDULER, PROCESS, upTo(last).map(scheduled), [])
  return inputs
}

/** Asks with a client of its own, as after a restart. */
async function ask(inputs: Inputs, run: Run, unit: string | ComputeSource, signal?: AbortSignal): Promise<number> {
  let answers = 0
  await askForAnswers({
    unit: typeof unit === 'string' ? createCompute(quick({ limits: { patienceMs: 200, attempts: 3 } }), unit) : unit,
    run,
    inputs,
    now: () => NOW,
    onAnswers: (count) => (answers += count),
    ...(signal === undefined ? {} : { signal })
  })
  return answers
}

const claimed = async (inputs: Inputs, run: Run, unit: string) => (await collect(inputs.claims(run, unit))).map(nameOf).sort()

/** A unit that lists nothing and has every result, but for what is given. */
function unitOf(given: Partial<ComputeSource>): ComputeSource {
  const nothing = async (): Promise<ListedPage> => ({ edges: [], next: undefined })
  return {
    url: 'http://unit.example',
    address: async () => undefined,
    result: async () => ({ kind: 'claim', value: { Output: '' }, raw: '{"Output":""}' }),
    results: nothing,
    cron: nothing,
    ...given
  }
}

function pageOf(ordinates: readonly number[], next?: string): ListedPage {
  const edges = ordinates.map((ordinate) => ({ key: { ordinate, timestamp: BEGAN }, value: {}, raw: '{}' }))
  return { edges, next }
}

describe('all that a unit says is kept', () => {
  it('results, listings, and that it has no result', async () => {
    const { url } = await start()
    const inputs = await inputsUpTo(3)
    expect(await ask(inputs, runOf(), url)).toBe(4)
    expect(await claimed(inputs, runOf(), url)).toEqual([...WHOLE_EXAMPLE].sort())
    const value = { Messages: [], Assignments: [], Spawns: [], Output: { data: 'done 2' } }
    const covers = ['Messages', 'Spawns', 'Assignments', 'Output', 'Error']
    const common = { claimant: url, key: { ordinate: 2, timestamp: BEGAN + 2 }, covers, value, receivedAt: NOW }
    const raw = JSON.stringify(value)
    expect(await inputs.claimsAt(runOf(), url, 2)).toEqual([
      { ...common, kind: 'result', messageId: messageId(2), raw },
      { ...common, kind: 'listed', raw }
    ])
    expect(await collect(inputs.unavailable(runOf(), url))).toEqual([
      {
        claimant: url,
        key: { ordinate: 0, timestamp: BEGAN },
        messageId: PROCESS,
        status: 404,
        detail: '{"error":"message not found"}',
        receivedAt: NOW
      }
    ])
  })

  it('gas is covered where a result speaks of it, in a listing never', async () => {
    const value = { Output: '', GasUsed: 0 }
    const edges = [{ key: { ordinate: 0, timestamp: BEGAN }, value, raw: JSON.stringify(value) }]
    const unit = unitOf({
      result: async () => ({ kind: 'claim', value, raw: '' }),
      results: async () => ({ edges, next: undefined })
    })
    const inputs = await inputsUpTo(0)
    await ask(inputs, runOf(), unit)
    const covers = (await inputs.claimsAt(runOf(), unit.url, 0)).map((claim) => [claim.kind, claim.covers.includes('GasUsed')])
    expect(Object.fromEntries(covers)).toEqual({ result: true, listed: false })
  })

  it('in the run’s range alone', async () => {
    const network = await start()
    const inputs = await inputsUpTo(3)
    const run = runOf({ from: 1, to: 2 })
    expect(await ask(inputs, run, network.url)).toBe(2)
    expect(await claimed(inputs, { ...run, from: 0, to: 9 }, network.url)).toEqual(['l1', 'l2', 'r1', 'r2'])
    expect(network.asked('/result/')).toBe(2)
  })

  it('many messages are asked for at a time, and no more than 64', async () => {
    const inputs = await inputsUpTo(200)
    let underWay = 0
    let most = 0
    let open = () => {}
    const opened = new Promise<void>((resolve) => (open = resolve))
    const unit = unitOf({
      async result() {
        most = Math.max(most, ++underWay)
        // The first are held until no more of them can come.
        if (underWay === 64) setTimeout(open, 50)
        await opened
        underWay--
        return { kind: 'unavailable', status: 404, detail: '' }
      }
    })
    expect(await ask(inputs, runOf({ to: 200 }), unit)).toBe(201)
    expect(most).toBe(64)
    expect(await collect(inputs.unavailable(runOf({ to: 200 }), unit.url))).toHaveLength(201)
  })
})

describe('after a restart', () => {
  it('nothing that was answered is asked for again', async () => {
    const network = await start()
    const inputs = await inputsUpTo(3)
    await ask(inputs, runOf(), network.url)
    const before = network.requests.length
    expect(await ask(inputs, runOf(), network.url)).toBe(4)
    expect(network.requests).toHaveLength(before)
  })

  it('only what was not answered is asked for', async () => {
    const faults: Fault[] = [{ kind: 'destroy', path: messageId(2) }]
    const network = await start({ faults })
    const inputs = await inputsUpTo(3)
    await expect(ask(inputs, runOf(), network.url)).rejects.toMatchObject({ code: 'UNIT_UNREACHABLE' })
    expect(await claimed(inputs, runOf(), network.url)).toEqual(WHOLE_EXAMPLE.filter((name) => name !== 'r2').sort())
    faults.length = 0
    const before = network.requests.length
    expect(await ask(inputs, runOf(), network.url)).toBe(4)
    expect(network.requests.slice(before).map(({ what }) => what)).toEqual([`/result/${messageId(2)}?process-id=${PROCESS}`])
    expect(await claimed(inputs, runOf(), network.url)).toEqual([...WHOLE_EXAMPLE].sort())
  })

  it('a listing goes on from its last page', async () => {
    const faults: Fault[] = [{ kind: 'destroy', path: '&from=' }]
    const results = upTo(500).map((nonce) => ({ node: {}, cursor: cursorOf(nonce, nonce) }))
    const network = await start({ results, cron: [], faults })
    const inputs = await openInputs()
    const run = runOf({ to: 600 })
    await expect(ask(inputs, run, network.url)).rejects.toMatchObject({ code: 'UNIT_UNREACHABLE' })
    expect(await collect(inputs.claims(run, network.url))).toHaveLength(500)
    faults.length = 0
    const before = network.requests.length
    await ask(inputs, run, network.url)
    expect(await collect(inputs.claims(run, network.url))).toHaveLength(501)
    expect(network.requests.slice(before).map(({ what }) => what)).toEqual([
      `/results/${PROCESS}?limit=500&sort=ASC&from=${encodeURIComponent(cursorOf(499, 499))}`
    ])
  })

  it('of a run that has grown, a listing is read up to the new end', async () => {
    const { url } = await start(exampleData(5))
    const inputs = await inputsUpTo(3)
    await ask(inputs, runOf(), url)
    expect(await claimed(inputs, runOf({ to: 5 }), url)).toEqual([...WHOLE_EXAMPLE].sort())
    await inputs.putSchedule(SCHEDULER, PROCESS, [4, 5].map(scheduled), [])
    expect(await ask(inputs, runOf({ to: 5 }), url)).toBe(6)
    expect(await claimed(inputs, runOf({ to: 5 }), url)).toEqual([...WHOLE_EXAMPLE, 'r4', 'l4', 'r5', 'l5'].sort())
  })
})

describe('a unit that stays away', () => {
  it('keeps what it said before, and what it lists', async () => {
    const network = await start({ faults: [{ kind: 'destroy', path: '/result/' }] })
    const inputs = await inputsUpTo(3)
    await expect(ask(inputs, runOf(), network.url)).rejects.toMatchObject({
      code: 'UNIT_UNREACHABLE',
      unit: { role: 'compute-unit', url: network.url }
    })
    expect(await claimed(inputs, runOf(), network.url)).toEqual([...LISTED_EXAMPLE].sort())
    expect(await collect(inputs.unavailable(runOf(), network.url))).toEqual([])
  })

  it('is not asked for all the rest', async () => {
    const inputs = await inputsUpTo(200)
    const away = new AuditError('UNIT_UNREACHABLE', 'away')
    let asked = 0
    const unit = unitOf({
      result() {
        asked++
        return Promise.reject(away)
      }
    })
    await expect(ask(inputs, runOf({ to: 200 }), unit)).rejects.toBe(away)
    expect(asked).toBeLessThanOrEqual(64)
  })

  it('cannot be told from a store that fails by its words alone: the store’s error is passed on', async () => {
    const broken = new AuditError('STORE_UNUSABLE', 'full')
    const inputs: Inputs = { ...(await inputsUpTo(3)), putAnswers: () => Promise.reject(broken) }
    await expect(ask(inputs, runOf(), unitOf({}))).rejects.toBe(broken)
  })
})

describe('a listing ends', () => {
  /** Serves pages by cursor, and notes which were asked for. */
  function listing(pages: Readonly<Record<string, ListedPage>>) {
    const asked: string[] = []
    const results = async (_: unknown, cursor = 'start') => {
      asked.push(cursor)
      return pages[cursor] ?? pageOf([])
    }
    return { asked, unit: unitOf({ results }) }
  }

  it('where its cursors lead in a circle', async () => {
    const { asked, unit } = listing({ start: pageOf([0], 'a'), a: pageOf([1], 'b'), b: pageOf([2], 'a') })
    const inputs = await openInputs()
    await ask(inputs, runOf(), unit)
    expect(asked).toEqual(['start', 'a', 'b'])
    expect(await claimed(inputs, runOf(), unit.url)).toEqual(['l0', 'l1', 'l2'])
    await ask(inputs, runOf(), unit)
    expect(asked).toHaveLength(3)
  })

  it('behind the range, which is not read on', async () => {
    const { asked, unit } = listing({ start: pageOf([2, 3, 4], 'a'), a: pageOf([4, 5], 'b'), b: pageOf([0], 'c') })
    const inputs = await openInputs()
    await ask(inputs, runOf(), unit)
    expect(asked).toEqual(['start', 'a'])
    expect(await claimed(inputs, runOf({ to: 9 }), unit.url)).toEqual(['l2', 'l3'])
  })

  it('not at a page that is empty though more follow', async () => {
    const { unit } = listing({ start: pageOf([], 'a'), a: pageOf([1]) })
    const inputs = await openInputs()
    await ask(inputs, runOf(), unit)
    expect(await claimed(inputs, runOf(), unit.url)).toEqual(['l1'])
  })
})

describe('an interruption', () => {
  it('between two pages is not taken for the end, and what came is kept', async () => {
    const stop = new AbortController()
    // So late that the results are done with.
    const last = 20
    const unit = unitOf({
      async results(_, cursor = '0') {
        const ordinate = Number(cursor)
        if (ordinate === last) stop.abort()
        return pageOf([ordinate], ordinate > last ? undefined : String(ordinate + 1))
      }
    })
    const inputs = await openInputs()
    const run = runOf({ to: 99 })
    await expect(ask(inputs, run, unit, stop.signal)).rejects.toMatchObject({ code: 'INTERRUPTED' })
    expect(await collect(inputs.claims(run, unit.url))).toHaveLength(last + 1)
    await ask(inputs, run, unit)
    expect(await collect(inputs.claims(run, unit.url))).toHaveLength(last + 2)
  })

  it('between two messages likewise', async () => {
    const stop = new AbortController()
    const unit = unitOf({
      async result() {
        stop.abort()
        return { kind: 'unavailable', status: 404, detail: '' }
      }
    })
    const inputs = await inputsUpTo(200)
    await expect(ask(inputs, runOf({ to: 200 }), unit, stop.signal)).rejects.toMatchObject({ code: 'INTERRUPTED' })
    const kept = await collect(inputs.unavailable(runOf({ to: 200 }), unit.url))
    expect(kept.length).toBeGreaterThanOrEqual(1)
    expect(kept.length).toBeLessThanOrEqual(64)
  })
})
