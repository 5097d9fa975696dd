import { describe, expect, it } from 'vitest'
import { createCompute } from '../../src/fetch/compute.ts'
import { createGateway } from '../../src/fetch/gateway.ts'
import type { Http } from '../../src/fetch/http.ts'
import { createScheduler } from '../../src/fetch/scheduler.ts'
import type { Inputs } from '../../src/inputs/inputs.ts'
import { tagValue } from '../../src/model/records.ts'
import { beginPull, pull } from '../../src/pull/pull.ts'
import type { PullOptions, PullProgress } from '../../src/pull/pull-options.ts'
import { EXAMPLE, exampleData, exampleEdge, type FakeEdge } from '../fakes/data.ts'
import type { Fault } from '../fakes/faults.ts'
import type { FakeNetwork } from '../fakes/network.ts'
import { MODULE, PROCESS, quick, start } from '../fetch/start.ts'
import { collect, NOW, nameOf, openInputs, scheduled, upTo } from './start.ts'

const impatient = (signal?: AbortSignal): Http =>
  quick({ limits: { patienceMs: 150, attempts: 3 }, ...(signal === undefined ? {} : { signal }) })

/** All units at one URL, with a new client, as after a restart. */
function optionsOf(network: FakeNetwork, inputs: Inputs, more: Partial<PullOptions> = {}): PullOptions {
  const http = impatient(more.signal)
  return {
    process: PROCESS,
    units: {
      scheduler: createScheduler(http, network.url),
      gateway: createGateway(http, [network.url]),
      computes: [createCompute(http, network.url)]
    },
    inputs,
    claims: 'new',
    now: () => NOW,
    ...more
  }
}

/** The requests while `work` runs, except those to the gateway. */
async function requestedBy(network: FakeNetwork, work: Promise<unknown>): Promise<string[]> {
  const before = network.requests.length
  await work
  return network.requests
    .slice(before)
    .filter(({ unit }) => unit !== 'gateway')
    .map(({ what }) => what)
}

const latest = `/${PROCESS}/latest?process-id=${PROCESS}`

describe('a first pull', () => {
  it('stores everything that an audit needs', async () => {
    const network = await start()
    const inputs = await openInputs()
    const progress: PullProgress[] = []
    const { run, absences } = await pull(optionsOf(network, inputs, { onProgress: (at) => progress.push(at) }))
    expect(absences).toEqual([])
    expect(run).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      process: PROCESS,
      scheduler: network.url,
      computes: [{ url: network.url, address: EXAMPLE.computeUnit }],
      from: 0,
      to: 3,
      state: 'running'
    })
    expect(await inputs.runs.all(PROCESS)).toEqual([run])
    expect(tagValue((await inputs.items.process(PROCESS))?.tags ?? [], 'Module')).toBe(MODULE)
    expect((await collect(inputs.schedule.messages(run, 0, 3))).map(({ nonce }) => nonce)).toEqual([0, 1, 2, 3])
    expect((await collect(inputs.claims.of(run, network.url))).map(nameOf).sort()).toEqual(
      ['l0', 'l0/0-30-seconds', 'l1', 'l2', 'l3', 'r1', 'r2', 'r3'].sort()
    )
    const module = await inputs.items.transaction(MODULE)
    if (module === undefined) throw new Error('no module')
    expect(Buffer.from((await inputs.items.data(module)) ?? []).toString()).toBe('module bytes')
    expect(progress.at(-1)).toEqual({ scheduled: 4, answers: 4, total: 4 })
  })

  it('asks for claims when the caller allows it, or when a reader waits for them', async () => {
    const network = await start()
    const LONG_MS = 60_000
    for (const wait of ['asked for', 'read']) {
      const inputs = await openInputs()
      const before = network.asked('/result')
      const { run, inputs: coming, ready, ended, askForClaims } = await beginPull(optionsOf(network, inputs), LONG_MS)
      await ready
      expect(network.asked('/result')).toBe(before)
      if (wait === 'read') expect(await coming.claims.at(run, network.url, 1)).toHaveLength(2)
      else askForClaims()
      await ended
      expect(network.asked('/result')).toBeGreaterThan(before)
      expect((await collect(inputs.claims.of(run, network.url))).filter(({ kind }) => kind === 'result')).toHaveLength(3)
    }
  })

  it('reads blocks only for a process with crons, from the block of the process on', async () => {
    const { process, ...data } = exampleData(3)
    const withCron = {
      ...data,
      process: { ...process, tags: [...(data.transactions[0]?.tags ?? []), { name: 'Cron-Interval', value: '1-minute' }] }
    }
    const inputs = await openInputs()
    await pull(optionsOf(await start(), inputs))
    expect(await inputs.blocks.between(PROCESS, 0, 2_000_000)).toEqual([])
    const others = await openInputs()
    const network = await start(withCron)
    await pull(optionsOf(network, others))
    expect(await others.blocks.between(PROCESS, 0, 2_000_000)).toEqual(
      data.blocks.map((block) => ({ ...block, gateway: network.url }))
    )
  })

  it('accepts a unit that does not name its address', async () => {
    const network = await start({ faults: [{ kind: 'status', status: 404, path: '/', unit: 'compute', times: 1 }] })
    const { run } = await pull(optionsOf(network, await openInputs()))
    expect(run.computes).toEqual([{ url: network.url }])
  })
})

describe('the range of a run', () => {
  it('ends at the newest message at the latest', async () => {
    const network = await start()
    expect((await pull(optionsOf(network, await openInputs(), { to: 99 }))).run).toMatchObject({ from: 0, to: 3 })
    expect((await pull(optionsOf(network, await openInputs(), { from: 1, to: 2 }))).run).toMatchObject({ from: 1, to: 2 })
  })

  it('bounds the claims on both sides, but the schedule only at its end', async () => {
    const network = await start()
    const inputs = await openInputs()
    const { run } = await pull(optionsOf(network, inputs, { from: 1, to: 2 }))
    expect((await collect(inputs.schedule.messages(run, 0, 9))).map(({ nonce }) => nonce)).toEqual([0, 1, 2])
    expect((await collect(inputs.claims.of(run, network.url))).map(nameOf).sort()).toEqual(['l1', 'l2', 'r1', 'r2'])
  })

  it.each([
    [{ from: 4 }, 'the range begins at nonce 4, but the newest to judge is 3'],
    [{ from: 2, to: 1 }, 'the range begins at nonce 2, but the newest to judge is 1']
  ])('is refused if it is %j', async (range, message) => {
    const network = await start()
    const inputs = await openInputs()
    await expect(pull(optionsOf(network, inputs, range))).rejects.toMatchObject({ code: 'USAGE', message })
    expect(await inputs.runs.all(PROCESS)).toEqual([])
    expect(network.asked('/result/')).toBe(0)
  })
})

describe('a pull that was killed', () => {
  it('continues with the range it began with, and requests nothing that is stored', async () => {
    const faults: Fault[] = [{ kind: 'status', status: 404, path: `/raw/${MODULE}` }]
    const schedule: FakeEdge[] = upTo(3).map(exampleEdge)
    const network = await start({ schedule, faults })
    const inputs = await openInputs()
    await expect(pull(optionsOf(network, inputs))).rejects.toMatchObject({
      code: 'INPUT_MISSING',
      message: `no gateway has the module ${MODULE}`
    })
    faults.length = 0
    schedule.push(exampleEdge(4))
    const requested = await requestedBy(network, pull(optionsOf(network, inputs)))
    expect(requested).toEqual([])
    expect(await inputs.runs.all(PROCESS)).toMatchObject([{ to: 3, state: 'running' }])
  })

  it('in the middle of its schedule continues from the first missing nonce', async () => {
    const network = await start()
    const inputs = await openInputs()
    // Nonce 3 arrived before its turn.
    await inputs.schedule.put(network.url, PROCESS, [0, 1, 3].map(scheduled), [])
    await pull(optionsOf(network, inputs))
    expect(network.requests.map(({ what }) => what).filter((what) => what.includes('from-nonce'))).toEqual([
      `/${PROCESS}?process-id=${PROCESS}&from-nonce=1&limit=500&show-anchor=1`
    ])
    expect(await inputs.schedule.upTo(network.url, PROCESS)).toBe(3)
  })
})

describe('a pull that was finished', () => {
  const grown = { ...exampleData(5) }

  async function finishedAt3() {
    const { schedule, claims, results } = grown
    const data = { schedule: schedule.slice(0, 4), claims: claims.slice(0, 3), results: results.slice(0, 4) }
    const network = await start(data)
    const inputs = await openInputs()
    const { run } = await pull(optionsOf(network, inputs))
    await inputs.runs.put({ ...run, state: 'finished' })
    const grow = () => {
      data.schedule.push(...schedule.slice(4))
      data.claims.push(...claims.slice(3))
      data.results.push(...results.slice(4))
    }
    return { network, inputs, run, grow }
  }

  it('grows with the process, and asks only for new messages', async () => {
    const { network, inputs, run, grow } = await finishedAt3()
    grow()
    const requested = await requestedBy(network, pull(optionsOf(network, inputs, { claims: 'add' })))
    expect(requested.filter((what) => !/^\/(results|cron)\//.test(what)).sort()).toEqual(
      [
        '/',
        latest,
        `/${PROCESS}?process-id=${PROCESS}&from-nonce=3&limit=500&show-anchor=1`,
        ...grown.claims.slice(3).map(({ id }) => `/result/${id}?process-id=${PROCESS}`)
      ].sort()
    )
    const to5 = { ...run, to: 5 }
    expect(await inputs.runs.all(PROCESS)).toEqual([to5])
    expect((await collect(inputs.claims.of(to5, network.url))).map(nameOf).sort()).toEqual(
      ['l0', 'l0/0-30-seconds', 'l1', 'l2', 'l3', 'l4', 'l5', 'r1', 'r2', 'r3', 'r4', 'r5'].sort()
    )
  })

  it('asks only for the newest nonce if the process has not grown', async () => {
    const { network, inputs } = await finishedAt3()
    const requested = await requestedBy(network, pull(optionsOf(network, inputs, { claims: 'add' })))
    expect(requested.sort()).toEqual(['/', latest].sort())
  })

  it('asks again for claims if the option says so, and for nothing else', async () => {
    const { network, inputs, run } = await finishedAt3()
    const stale = { ...(await inputs.claims.at(run, network.url, 1))[0], raw: '{"Output":"stale"}' }
    await inputs.claims.put(run, [stale as Parameters<Inputs['claims']['put']>[1][number]])
    expect(await inputs.claims.at(run, network.url, 1)).toHaveLength(3)
    const requested = await requestedBy(network, pull(optionsOf(network, inputs, { claims: 'new' })))
    expect(requested.filter((what) => what.startsWith('/result/'))).toHaveLength(4)
    expect(requested.filter((what) => what.includes('from-nonce') || what.startsWith('/processes/'))).toEqual([])
    expect(await inputs.claims.at(run, network.url, 1)).toHaveLength(2)
  })

  it('is a different run if the options differ', async () => {
    const { network, inputs, run } = await finishedAt3()
    const others = [
      await pull(optionsOf(network, inputs, { to: 3 })),
      await pull(optionsOf(network, inputs, { from: 0 })),
      await pull({ ...optionsOf(network, inputs), units: { ...optionsOf(network, inputs).units, computes: [] } })
    ]
    expect(new Set([run.id, ...others.map((other) => other.run.id)]).size).toBe(4)
  })
})

describe('a pull', () => {
  it('names a Compute Unit that stays away, keeps its answers, and hears the other in full', async () => {
    const network = await start()
    const away = await start({ faults: [{ kind: 'destroy', path: '/result/' }] })
    const inputs = await openInputs()
    const options = optionsOf(network, inputs)
    const http = impatient()
    const computes = [network, away].map(({ url }) => createCompute(http, url))
    const { run, absences } = await pull({ ...options, units: { ...options.units, computes } })
    expect(absences).toMatchObject([{ code: 'UNIT_UNREACHABLE', unit: { role: 'compute-unit', url: away.url } }])
    expect(await collect(inputs.claims.of(run, network.url))).toHaveLength(8)
    expect((await collect(inputs.claims.of(run, away.url))).every(({ kind }) => kind === 'listed')).toBe(true)
  })

  it('starts no run without a scheduler', async () => {
    const network = await start({ faults: [{ kind: 'status', status: 503, unit: 'scheduler' }] })
    const inputs = await openInputs()
    await expect(pull(optionsOf(network, inputs))).rejects.toMatchObject({
      code: 'UNIT_UNREACHABLE',
      unit: { role: 'scheduler', url: network.url }
    })
    expect(await inputs.runs.all(PROCESS)).toEqual([])
  })

  it('stores the claims even without a gateway', async () => {
    const network = await start({ faults: [{ kind: 'status', status: 503, unit: 'gateway' }] })
    const inputs = await openInputs()
    await expect(pull(optionsOf(network, inputs))).rejects.toMatchObject({
      code: 'UNIT_UNREACHABLE',
      unit: { role: 'gateway', url: network.url }
    })
    const [run] = await inputs.runs.all(PROCESS)
    if (run === undefined) throw new Error('no run')
    expect(await collect(inputs.claims.of(run, network.url))).toHaveLength(8)
  })

  it('notes a gap until the scheduler serves the withheld nonce', async () => {
    const schedule = upTo(3).map(exampleEdge)
    const [held] = schedule.splice(2, 1)
    if (held === undefined) throw new Error('no edge')
    const network = await start({ schedule })
    const inputs = await openInputs()
    const { run } = await pull(optionsOf(network, inputs))
    expect(await collect(inputs.schedule.anomalies(run))).toEqual([{ kind: 'gap', nonce: 2 }])
    schedule.splice(2, 0, held)
    await pull(optionsOf(network, inputs))
    expect((await collect(inputs.schedule.messages(run, 0, 3))).map(({ nonce }) => nonce)).toEqual([0, 1, 2, 3])
    expect(await collect(inputs.schedule.anomalies(run))).toEqual([])
  })
})

it('a pull does not count an interruption as an absence, and continues from the stored records', async () => {
  const faults: Fault[] = [{ kind: 'hang', path: '/result/' }]
  const network = await start({ faults })
  const inputs = await openInputs()
  const stop = new AbortController()
  const options = optionsOf(network, inputs, { signal: stop.signal })
  const http = quick({ signal: stop.signal, limits: { idleMs: 60_000 } })
  const pulling = pull({ ...options, units: { ...options.units, computes: [createCompute(http, network.url)] } })
  const ended = expect(pulling).rejects.toMatchObject({ code: 'INTERRUPTED' })
  while (network.asked('/result/') < 4) await new Promise(setImmediate)
  stop.abort()
  await ended
  faults.length = 0
  const { run } = await pull(optionsOf(network, inputs))
  expect(network.asked('/latest')).toBe(1)
  expect(await collect(inputs.claims.of(run, network.url))).toHaveLength(8)
})
