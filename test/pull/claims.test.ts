import { describe, expect, it } from 'vitest'
import { createCompute } from '../../src/fetch/compute.ts'
import { fetchError } from '../../src/fetch/fetch-error.ts'
import { LISTED_LIMITS } from '../../src/fetch/limits.ts'
import type { ComputeSource, ListedPage, ReceivedJson } from '../../src/fetch/unit-sources.ts'
import type { Inputs } from '../../src/inputs/inputs.ts'
import type { Run } from '../../src/inputs/run-record.ts'
import { AuditError } from '../../src/model/errors.ts'
import type { EvaluationKey } from '../../src/model/records.ts'
import { askForAnswers } from '../../src/pull/claims.ts'
import { readListing } from '../../src/pull/listings.ts'
import { cursorOf, exampleData } from '../fakes/data.ts'
import type { Fault } from '../fakes/faults.ts'
import { messageId, PROCESS, quick, start } from '../fetch/start.ts'
import { BEGAN, collect, NOW, nameOf, openInputs, runOf, SCHEDULER, scheduled, upTo } from './start.ts'

const CRON = '0-30-seconds'
const LISTED_EXAMPLE = ['l0', `l0/${CRON}`, 'l1', 'l2', 'l3']
const WHOLE_EXAMPLE = ['l0', `l0/${CRON}`, 'r1', 'l1', 'r2', 'l2', 'r3', 'l3']

async function inputsUpTo(last: number): Promise<Inputs> {
  const inputs = await openInputs()
  await inputs.schedule.put(SCHEDULER, PROCESS, upTo(last).map(scheduled), [])
  return inputs
}

/** Asks with a new client, as after a restart. */
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

const claimed = async (inputs: Inputs, run: Run, unit: string) =>
  (await collect(inputs.claims.of(run, unit))).map(nameOf).sort()

const listedOf = async (inputs: Inputs, run: Run, unit: string) =>
  (await claimed(inputs, run, unit)).filter((name) => name.startsWith('l'))

/** A unit that lists nothing and has every result, except for the given parts. */
function unitOf(given: Partial<ComputeSource>): ComputeSource {
  const nothing = async () => pageOf([])
  return {
    url: 'http://unit.example',
    address: async () => undefined,
    result: async () => ({ kind: 'claim', body: received('{"Output":""}') }),
    results: nothing,
    cron: nothing,
    ...given
  }
}

function received(text: string): ReceivedJson {
  return { bytes: Buffer.from(text), text, value: JSON.parse(text) }
}

/** An entry of a listing: an ordinate alone, or with more. */
type Listed = number | { readonly key: EvaluationKey; readonly node?: string }

function pageOf(listed: readonly Listed[], next?: string): ListedPage {
  const edges = listed.map((one) => {
    const { key, node = '{}' } = typeof one === 'number' ? { key: { ordinate: one, timestamp: BEGAN + one } } : one
    return { key, cursor: cursorOf(key.ordinate, key.timestamp, key.cron), node }
  })
  const body = edges.map(({ node, cursor }) => `{"node":${node},"cursor":${JSON.stringify(cursor)}}`)
  return {
    edges: edges.map(({ key, cursor, node }) => ({ key, cursor, value: JSON.parse(node) })),
    body: received(`{"pageInfo":{"hasNextPage":${next !== undefined}},"edges":[${body.join(',')}]}`),
    next
  }
}

describe('asking a unit', () => {
  it('stores results, listings, and that it has no result', async () => {
    const { url } = await start()
    const inputs = await inputsUpTo(3)
    expect(await ask(inputs, runOf(), url)).toBe(4)
    expect(await claimed(inputs, runOf(), url)).toEqual([...WHOLE_EXAMPLE].sort())
    const value = { Messages: [], Assignments: [], Spawns: [], Output: { data: 'done 2' } }
    const covers = ['Messages', 'Spawns', 'Assignments', 'Output', 'Error']
    const common = { claimant: url, key: { ordinate: 2, timestamp: BEGAN + 2 }, covers, value, receivedAt: NOW }
    const raw = JSON.stringify(value)
    expect(await inputs.claims.at(runOf(), url, 2)).toEqual([
      { ...common, kind: 'result', messageId: messageId(2), raw },
      { ...common, kind: 'listed', raw }
    ])
    expect(await collect(inputs.claims.unavailable(runOf(), url))).toEqual([
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

  it('covers gas in a result that has it, and never in a listing', async () => {
    const text = '{"Output":"","GasUsed":0}'
    const unit = unitOf({
      result: async () => ({ kind: 'claim', body: received(text) }),
      results: async () => pageOf([{ key: { ordinate: 0, timestamp: BEGAN }, node: text }])
    })
    const inputs = await inputsUpTo(0)
    await ask(inputs, runOf(), unit)
    const covers = (await inputs.claims.at(runOf(), unit.url, 0)).map((claim) => [claim.kind, claim.covers.includes('GasUsed')])
    expect(Object.fromEntries(covers)).toEqual({ result: true, listed: false })
  })

  it('stores only claims in the run’s range', async () => {
    const network = await start()
    const inputs = await inputsUpTo(3)
    const run = runOf({ from: 1, to: 2 })
    expect(await ask(inputs, run, network.url)).toBe(2)
    expect(await claimed(inputs, { ...run, from: 0, to: 9 }, network.url)).toEqual(['l1', 'l2', 'r1', 'r2'])
    expect(network.asked('/result/')).toBe(2)
  })

  it('asks for many messages at a time, but for no more than 64', async () => {
    const inputs = await inputsUpTo(200)
    let underWay = 0
    let most = 0
    let open = () => {}
    const opened = new Promise<void>((resolve) => (open = resolve))
    const unit = unitOf({
      async result() {
        most = Math.max(most, ++underWay)
        // The first requests are held until no more of them can arrive.
        if (underWay === 64) setTimeout(open, 50)
        await opened
        underWay--
        return { kind: 'unavailable', status: 404, detail: '' }
      }
    })
    expect(await ask(inputs, runOf({ to: 200 }), unit)).toBe(201)
    expect(most).toBe(64)
    expect(await collect(inputs.claims.unavailable(runOf({ to: 200 }), unit.url))).toHaveLength(201)
  })
})

describe('a restart', () => {
  it('asks for nothing that was answered before', async () => {
    const network = await start()
    const inputs = await inputsUpTo(3)
    await ask(inputs, runOf(), network.url)
    const before = network.requests.length
    expect(await ask(inputs, runOf(), network.url)).toBe(4)
    expect(network.requests).toHaveLength(before)
  })

  it('asks only for the results that were not answered', async () => {
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

  it('continues a listing from its last page', async () => {
    const faults: Fault[] = [{ kind: 'destroy', path: '&from=' }]
    const results = upTo(500).map((nonce) => ({ node: {}, cursor: cursorOf(nonce, nonce) }))
    const network = await start({ results, cron: [], faults })
    const inputs = await inputsUpTo(600)
    const run = runOf({ to: 600 })
    await expect(ask(inputs, run, network.url)).rejects.toMatchObject({ code: 'UNIT_UNREACHABLE' })
    expect(await listedOf(inputs, run, network.url)).toHaveLength(500)
    faults.length = 0
    const before = network.requests.length
    await ask(inputs, run, network.url)
    expect(await listedOf(inputs, run, network.url)).toHaveLength(501)
    const asked = network.requests.slice(before).map(({ what }) => what)
    expect(asked.filter((what) => what.startsWith('/results/'))).toEqual([
      `/results/${PROCESS}?limit=500&sort=ASC&from=${encodeURIComponent(cursorOf(499, 499))}`
    ])
  })

  it('reads a listing up to the new end if the run has grown', async () => {
    const { url } = await start(exampleData(5))
    const inputs = await inputsUpTo(3)
    await ask(inputs, runOf(), url)
    expect(await claimed(inputs, runOf({ to: 5 }), url)).toEqual([...WHOLE_EXAMPLE].sort())
    await inputs.schedule.put(SCHEDULER, PROCESS, [4, 5].map(scheduled), [])
    expect(await ask(inputs, runOf({ to: 5 }), url)).toBe(6)
    expect(await claimed(inputs, runOf({ to: 5 }), url)).toEqual([...WHOLE_EXAMPLE, 'r4', 'l4', 'r5', 'l5'].sort())
  })
})

describe('a unit that stays away', () => {
  it('keeps its earlier answers and its listings', async () => {
    const network = await start({ faults: [{ kind: 'destroy', path: '/result/' }] })
    const inputs = await inputsUpTo(3)
    await expect(ask(inputs, runOf(), network.url)).rejects.toMatchObject({
      code: 'UNIT_UNREACHABLE',
      unit: { role: 'compute-unit', url: network.url }
    })
    expect(await claimed(inputs, runOf(), network.url)).toEqual([...LISTED_EXAMPLE].sort())
    expect(await collect(inputs.claims.unavailable(runOf(), network.url))).toEqual([])
  })

  it('is not asked for all the other results', async () => {
    const inputs = await inputsUpTo(200)
    const away = fetchError('UNIT_UNREACHABLE', { role: 'compute-unit', url: 'http://unit.example' }, 'away')
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

  it('is not confused with a failing store, whose error is passed on', async () => {
    const broken = new AuditError('STORE_UNUSABLE', 'full')
    const stored = await inputsUpTo(3)
    const inputs: Inputs = { ...stored, claims: { ...stored.claims, put: () => Promise.reject(broken) } }
    await expect(ask(inputs, runOf(), unitOf({}))).rejects.toBe(broken)
  })
})

describe('a listing', () => {
  /** Serves pages by cursor, and notes the requested ones. */
  function listing(pages: Readonly<Record<string, ListedPage>>) {
    const asked: string[] = []
    const results = async (_: unknown, cursor = 'start') => {
      asked.push(cursor)
      return pages[cursor] ?? pageOf([])
    }
    return { asked, unit: unitOf({ results }) }
  }

  it('ends with a fault if its cursors lead in a circle', async () => {
    const { asked, unit } = listing({ start: pageOf([0], 'a'), a: pageOf([1], 'b'), b: pageOf([2], 'a') })
    const inputs = await inputsUpTo(3)
    await ask(inputs, runOf(), unit)
    expect(asked).toEqual(['start', 'a', 'b', 'a'])
    expect(await claimed(inputs, runOf(), unit.url)).toEqual(['l0', 'l1', 'l2', 'r0', 'r1', 'r2', 'r3'])
    expect((await inputs.claims.listing(runOf(), unit.url, 'results'))?.fault?.kind).toBe('not-ascending')
    await ask(inputs, runOf(), unit)
    expect(asked).toHaveLength(4)
  })

  it('is not read beyond the range', async () => {
    const { asked, unit } = listing({ start: pageOf([2, 3, 4], 'a'), a: pageOf([5, 6], 'b'), b: pageOf([0], 'c') })
    const inputs = await inputsUpTo(3)
    await ask(inputs, runOf(), unit)
    expect(asked).toEqual(['start', 'a'])
    expect((await claimed(inputs, runOf({ to: 9 }), unit.url)).filter((name) => name.startsWith('l'))).toEqual(['l2', 'l3'])
    expect((await inputs.claims.listing(runOf(), unit.url, 'results'))?.fault).toBeUndefined()
  })

  it('ends at an empty page, because no cursor leads on from there', async () => {
    const { asked, unit } = listing({ start: pageOf([], 'a'), a: pageOf([1]) })
    const inputs = await inputsUpTo(3)
    await ask(inputs, runOf(), unit)
    expect(asked).toEqual(['start'])
  })

  it('that ends early is stored with its last evaluation and without a fault', async () => {
    const { unit } = listing({ start: pageOf([0, 1]) })
    const inputs = await inputsUpTo(3)
    await ask(inputs, runOf(), unit)
    expect(await inputs.claims.listing(runOf(), unit.url, 'results')).toMatchObject({
      done: true,
      last: { ordinate: 1, timestamp: BEGAN + 1 },
      listed: 2,
      dropped: 0
    })
  })

  /** Endless pages, each of which begins where the previous one ended. */
  const endless = (pageAt: (turn: number) => readonly Listed[]) => {
    let turn = 0
    return unitOf({ results: async () => pageOf(pageAt(turn), String(++turn)) })
  }
  const faultOf = async (unit: ComputeSource, run = runOf()) => {
    const inputs = await inputsUpTo(run.to)
    await ask(inputs, run, unit)
    const listed = await listedOf(inputs, run, unit.url)
    return { kind: (await inputs.claims.listing(run, unit.url, 'results'))?.fault?.kind, listed }
  }
  const crons = (turn: number) =>
    Array.from({ length: 500 }, (_, place) => ({
      key: { ordinate: 1, cron: CRON, timestamp: BEGAN + 1000 * (turn * 500 + place) }
    }))

  it.each<[string, (turn: number) => readonly Listed[], string, number]>([
    ['its cursors ascend forever at one nonce', crons, 'too-many', 1500],
    ['its cursors stand still', () => [1], 'not-ascending', 1],
    ['its cursors go back', (turn) => [3 - turn], 'not-ascending', 2],
    ['it names one evaluation twice', (turn) => (turn === 0 ? [1, 1, 2] : []), 'not-ascending', 2],
    [
      'its crons of one second always have new names',
      (turn) => [{ key: { ordinate: 1, cron: `${turn}-x`, timestamp: 5 } }],
      'not-ascending',
      2
    ],
    ['its nonces continue where the schedule has a gap', (turn) => [turn], 'beyond-schedule', 5]
  ])('ends with a fault if %s', async (_, pageAt, kind, count) => {
    const run = kind === 'beyond-schedule' ? runOf({ to: 900 }) : runOf()
    const inputs = await inputsUpTo(3)
    const unit = endless(pageAt)
    await ask(inputs, run, unit)
    const listed = await listedOf(inputs, run, unit.url)
    expect([(await inputs.claims.listing(run, unit.url, 'results'))?.fault?.kind, listed.length]).toEqual([kind, count])
  })

  it('ends with a fault if its texts are larger than the schedule allows', async () => {
    const limits = { ...LISTED_LIMITS, bytesOfEvaluation: 100, bytesSlack: 10_000, bytesOfOrdinate: 3_000 }
    const node = JSON.stringify({ Output: 'x'.repeat(2_000) })
    const unit = endless((turn) => [{ key: { ordinate: 1, cron: CRON, timestamp: BEGAN + turn }, node }])
    const inputs = await inputsUpTo(3)
    await readListing({ unit, run: runOf(), inputs, now: () => NOW, limits }, 'results')
    const { fault, listed, dropped } = (await inputs.claims.listing(runOf(), unit.url, 'results')) ?? {}
    // There is room for one claim of a nonce, and for five in total.
    expect([fault?.kind, listed, dropped]).toEqual(['too-large', 5, 4])
  })

  it('may be in the order of times if the scheduler’s clock went back', async () => {
    const times = [0, 5, 3, 9].map((time, ordinate) => ({ key: { ordinate, timestamp: BEGAN + time } }))
    const inTime = times.toSorted((left, right) => left.key.timestamp - right.key.timestamp)
    const { kind, listed } = await faultOf(
      unitOf({ results: async (_, cursor) => (cursor === undefined ? pageOf(inTime, 'a') : pageOf([])) })
    )
    expect([kind, listed]).toEqual([undefined, ['l0', 'l1', 'l2', 'l3']])
  })
})

describe('many claims about one evaluation', () => {
  it.each<[string, (place: number) => EvaluationKey]>([
    ['under one key', () => ({ ordinate: 2, timestamp: BEGAN + 2 })],
    ['under different times', (place) => ({ ordinate: 2, timestamp: BEGAN + place })]
  ])('%s are counted, and only two are stored', async (_, keyOf) => {
    const listed = Array.from({ length: 2000 }, (_, place) => ({ key: keyOf(place), node: `{"Output":${place}}` }))
    const unit = unitOf({ results: async () => pageOf(listed) })
    const inputs = await inputsUpTo(3)
    await ask(inputs, runOf(), unit)
    const kept = (await inputs.claims.at(runOf(), unit.url, 2)).filter(({ kind }) => kind === 'listed')
    expect(new Set(kept.map(({ value }) => value.Output))).toEqual(new Set([0, 1]))
    expect((await inputs.claims.listing(runOf(), unit.url, 'results'))?.dropped).toBe(1998)
  })
})

describe('a page that cannot be read', () => {
  it('is named, with the pages before it stored, and requested again later', async () => {
    const unit = unitOf({
      async results(_, cursor) {
        if (cursor === 'a') throw fetchError('WIRE_INVALID', { role: 'compute-unit', url: 'http://unit.example' }, 'no JSON')
        return pageOf([0, 1], 'a')
      }
    })
    const inputs = await inputsUpTo(3)
    await ask(inputs, runOf(), unit)
    expect(await inputs.claims.listing(runOf(), unit.url, 'results')).toMatchObject({
      done: true,
      fault: { kind: 'unread', detail: 'no JSON' },
      listed: 2
    })
    await ask(inputs, runOf(), unitOf({ results: async (_, cursor) => pageOf(cursor === 'a' ? [2, 3] : []) }))
    expect(await inputs.claims.listing(runOf(), unit.url, 'results')).toMatchObject({ done: true, listed: 4 })
    expect((await inputs.claims.listing(runOf(), unit.url, 'results'))?.fault).toBeUndefined()
  })
})

describe('a page of a listing', () => {
  const twice = (ordinate: number, next: string): ListedPage => {
    const page = pageOf([ordinate], next)
    return { ...page, body: received(page.body.text.replace('"edges":', '"edges":[],"edges":')) }
  }

  it('is named as ambiguous, but does not hide that the listing has no end', async () => {
    const unit = unitOf({ results: async (_, cursor) => twice(cursor === undefined ? 2 : 1, 'a') })
    const inputs = await inputsUpTo(3)
    await ask(inputs, runOf(), unitOf({ results: async (_, cursor) => (cursor === undefined ? twice(1, 'a') : pageOf([2])) }))
    expect((await inputs.claims.listing(runOf(), unit.url, 'results'))?.fault?.kind).toBe('ambiguous')
    const others = await inputsUpTo(3)
    await ask(others, runOf(), unit)
    expect((await others.claims.listing(runOf(), unit.url, 'results'))?.fault?.kind).toBe('not-ascending')
  })

  it('may have unknown fields beside its edges, which are named and change nothing', async () => {
    const page = pageOf([1])
    const text = page.body.text.replace('"pageInfo":{', '"result":"EVIL","pageInfo":{"error":"EVIL",')
    const inputs = await inputsUpTo(3)
    const unit = unitOf({ results: async () => ({ ...page, body: received(text) }) })
    await ask(inputs, runOf(), unit)
    const { fault, odd = [] } = (await inputs.claims.listing(runOf(), unit.url, 'results')) ?? {}
    expect([fault, odd.map(({ path }) => path)]).toEqual([undefined, ['result', 'pageInfo.error']])
  })
})

describe('the faults of a text', () => {
  it('are stored with its claim, for results and for listed claims', async () => {
    const node = '{"Output":"a","Output":"b"}'
    const unit = unitOf({
      result: async () => ({ kind: 'claim', body: received('{"Messages":[],"Patches":[]}') }),
      results: async () => pageOf([1, { key: { ordinate: 2, timestamp: BEGAN + 2 }, node }])
    })
    const inputs = await inputsUpTo(3)
    await ask(inputs, runOf(), unit)
    const faults = (await inputs.claims.at(runOf(), unit.url, 2)).map((claim) => [
      claim.kind,
      claim.faults?.map(({ kind }) => kind)
    ])
    expect(Object.fromEntries(faults)).toEqual({ result: ['unknown-field'], listed: ['key-twice'] })
    const [, one] = await inputs.claims.at(runOf(), unit.url, 1)
    expect(one).toMatchObject({ kind: 'listed' })
    expect(one).not.toHaveProperty('faults')
  })
})

describe('a question that fails alone', () => {
  it('does not stop the others, and is asked again by a later run', async () => {
    const faults: Fault[] = [{ kind: 'hang', path: `/result/${messageId(2)}` }]
    const network = await start({ ...exampleData(80), faults })
    const inputs = await inputsUpTo(80)
    await expect(ask(inputs, runOf({ to: 80 }), network.url)).rejects.toMatchObject({ code: 'UNIT_UNREACHABLE', alone: true })
    const names = (await claimed(inputs, runOf({ to: 80 }), network.url)).filter((name) => name.startsWith('r'))
    expect([names.length, names.includes('r2')]).toEqual([79, false])
    faults.length = 0
    await ask(inputs, runOf({ to: 80 }), network.url)
    expect(await claimed(inputs, runOf({ to: 80 }), network.url)).toContain('r2')
  })
})

describe('an interruption', () => {
  it('between two pages does not count as the end of the listing, and the pages before it are stored', async () => {
    const stop = new AbortController()
    // So late that all results have arrived.
    const last = 20
    const unit = unitOf({
      async results(_, cursor = '0') {
        const ordinate = Number(cursor)
        if (ordinate === last) stop.abort()
        return pageOf([ordinate], ordinate > last ? undefined : String(ordinate + 1))
      }
    })
    const inputs = await inputsUpTo(99)
    const run = runOf({ to: 99 })
    await expect(ask(inputs, run, unit, stop.signal)).rejects.toMatchObject({ code: 'INTERRUPTED' })
    expect(await listedOf(inputs, run, unit.url)).toHaveLength(last + 1)
    await ask(inputs, run, unit)
    expect(await listedOf(inputs, run, unit.url)).toHaveLength(last + 2)
  })

  it('between two messages keeps the answers before it', async () => {
    const stop = new AbortController()
    const unit = unitOf({
      async result() {
        stop.abort()
        return { kind: 'unavailable', status: 404, detail: '' }
      }
    })
    const inputs = await inputsUpTo(200)
    await expect(ask(inputs, runOf({ to: 200 }), unit, stop.signal)).rejects.toMatchObject({ code: 'INTERRUPTED' })
    const kept = await collect(inputs.claims.unavailable(runOf({ to: 200 }), unit.url))
    expect(kept.length).toBeGreaterThanOrEqual(1)
    expect(kept.length).toBeLessThanOrEqual(64)
  })
})
