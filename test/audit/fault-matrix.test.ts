/** Every kind of question to every unit fails in every kind of way: the audit ends, accuses nobody and judges the rest. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'
import type { Report } from '../../src/report/model.ts'
import { cursorOf } from '../fakes/data.ts'
import type { Fault, FaultScope } from '../fakes/faults.ts'
import { type FakeNetwork, type FakeNetworkOptions, startFakeNetwork } from '../fakes/network.ts'
import { compileSmallModule } from '../modules/small-module.ts'
import { type SmallProcess, signedSmallProcess } from '../modules/small-process.ts'

const FORMAT = 'wasm32-unknown-emscripten4'
const FETCH_LIMITS = {
  patienceMs: 2_000,
  idleMs: 1_000,
  waitMinMs: 1,
  waitMaxMs: 20,
  attempts: 3,
  contentAttempts: 2,
  resultBytes: 1_000_000,
  listedPageBytes: 1_000_000,
  graphqlBytes: 1_000_000,
  recordBytes: 1_000_000,
  schedulePageBytes: 1_000_000
}
const BOUND_MS = 60_000
/** The scheduler serves this message otherwise than it was signed, so that a gateway is asked for the item. */
const SPOILT = 3
const LAST = 4
/** With the process itself, which is listed but has no `/result`. */
const ALL = LAST + 1
let small: SmallProcess
let folder: string
let running: FakeNetwork[]

beforeAll(async () => {
  const wasm = await compileSmallModule(FORMAT)
  small = await signedSmallProcess({
    format: FORMAT,
    wasm,
    messages: Array.from({ length: LAST }, () => 'count'),
    processTags: [{ name: 'Cron-Interval', value: '1000-blocks' }],
    intervalMs: 60_000,
    seed: 'matrix'
  })
})
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-matrix-'))
  running = []
})
afterEach(async () => {
  await Promise.all(running.map(({ close }) => close()))
  rmSync(folder, { recursive: true, force: true })
})

async function start(options: Partial<FakeNetworkOptions> = {}): Promise<FakeNetwork> {
  const network = await startFakeNetwork({ ...honestData(), ...options })
  running.push(network)
  return network
}

function honestData(): FakeNetworkOptions {
  const result = (nonce: number) => ({ Messages: [], Assignments: [], Spawns: [], Output: String(nonce) })
  const nonces = Array.from({ length: LAST }, (_, place) => place + 1)
  return {
    ...small,
    schedule: small.schedule.map((edge, nonce) => {
      const { message } = edge.node
      if (nonce !== SPOILT || message === null) return edge
      return { ...edge, node: { ...edge.node, message: { ...message, data: 'echo spoilt' } } }
    }),
    claims: nonces.map((nonce) => ({
      id: small.messageIds[nonce] ?? '',
      status: 200,
      result: { ...result(nonce), GasUsed: 0 }
    })),
    results: [0, ...nonces].map((nonce) => ({
      node: nonce === 0 ? { ...result(0), Output: '' } : result(nonce),
      cursor: cursorOf(nonce, 1_720_000_000_000 + nonce * 60_000)
    })),
    cron: []
  }
}

interface Audited {
  readonly report: Report
  readonly tookMs: number
}

async function audited(units: FakeNetwork, gateways: readonly FakeNetwork[]): Promise<Audited> {
  const begun = performance.now()
  const report = await audit({
    process: small.process.process_id,
    scheduler: units.url,
    computes: [units.url],
    gateways: gateways.map(({ url }) => url),
    fetchLimits: FETCH_LIMITS,
    store: path.join(folder, 'store')
  })
  return { report, tookMs: performance.now() - begun }
}

/** No unit is blamed, except the scheduler for the message that it really alters. */
function expectNoBlame({ report, tookMs }: Audited): void {
  expect(tookMs).toBeLessThan(BOUND_MS)
  expect(report.verdict).not.toBe('mismatch')
  const errors = report.findings.filter(({ severity, attribution }) => severity === 'error' && attribution !== 'auditor')
  const codes = new Set(errors.map(({ code }) => code))
  for (const honest of ['MESSAGE_SIGNATURE_INVALID', 'UNIT_UNREACHABLE', 'INPUT_MISSING'] as const) codes.delete(honest)
  expect([...codes]).toEqual([])
}

/** The report names the unit that did not answer. */
function expectNamed({ findings, unreachable }: Report, url: string): void {
  expect([...findings.map(({ claimant }) => claimant), ...unreachable.map((unit) => unit.url)]).toContain(url)
}

const FAULTS: readonly [string, Fault][] = [
  ['400', { kind: 'status', status: 400 }],
  ['202', { kind: 'status', status: 202 }],
  ['404', { kind: 'status', status: 404 }],
  ['500', { kind: 'status', status: 500 }],
  ['a closed connection', { kind: 'destroy' }],
  ['silence', { kind: 'hang' }],
  ['slow', { kind: 'delay', delayMs: 120 }],
  ['endless', { kind: 'endless' }],
  ['no JSON', { kind: 'garbage' }]
]

const spoiltId = () => small.messageIds[SPOILT] ?? ''

type Question = readonly [string, FaultScope['unit'], () => string, (report: Report) => void]

/** Each with the part of the path or body that identifies it, and a check of the parts that are judged nevertheless. */
const QUESTIONS: readonly Question[] = [
  ['the data of an item', 'gateway', () => `/raw/${spoiltId()}`, ({ coverage }) => expect(coverage.compared).toBe(ALL)],
  [
    'the description of an item',
    'gateway',
    () => `"ids":["${spoiltId()}"]`,
    ({ coverage }) => expect(coverage.compared).toBe(ALL)
  ],
  ['blocks', 'gateway', () => 'blocks(', ({ coverage }) => expect(coverage.scheduled).toBe(ALL)],
  ['the list of checkpoints', 'gateway', () => 'Checkpoint', ({ coverage }) => expect(coverage.compared).toBe(ALL)],
  ['a result', 'compute', () => `/result/${small.messageIds[2]}`, ({ coverage }) => expect(coverage.compared).toBe(ALL)],
  ['the listing of results', 'compute', () => '/results/', ({ coverage }) => expect([LAST, ALL]).toContain(coverage.compared)],
  ['the listing of crons', 'compute', () => '/cron/', ({ coverage }) => expect(coverage.compared).toBe(ALL)],
  ['the process', 'scheduler', () => '/processes/', () => {}],
  ['the newest nonce', 'scheduler', () => '/latest', () => {}],
  ['a page of the schedule', 'scheduler', () => '?process-id', () => {}]
]

describe.each(QUESTIONS)('an audit that asks for %s from the %s', (_what, unit, part, judged) => {
  it.each(FAULTS)('ends, blames nobody and judges the rest if the answer is %s', { timeout: 120_000 }, async (words, fault) => {
    const network = await start({ faults: [{ ...fault, ...(unit === undefined ? {} : { unit }), path: part() }] })
    const one = await audited(network, [network])
    expectNoBlame(one)
    expect(network.asked(part())).toBeGreaterThan(0)
    judged(one.report)
    if (words === 'slow') expect(one.report.verdict).toBe('match')
    else if (words !== '404') expectNamed(one.report, network.url)
  })
})

describe('an audit that asks for the header of an item whose signature is invalid', () => {
  const withOtherData = () => {
    const data = Buffer.from('of nobody').toString('base64')
    return small.transactions.map((one) => (one.id === spoiltId() ? { ...one, data } : one))
  }

  it.each(FAULTS)('is inconclusive and blames nobody if the answer is %s', { timeout: 120_000 }, async (_, fault) => {
    const network = await start({ transactions: withOtherData(), faults: [{ ...fault, unit: 'gateway', path: '/tx/' }] })
    const one = await audited(network, [network])
    expectNoBlame(one)
    expect(network.asked(`/tx/${spoiltId()}`)).toBeGreaterThan(0)
    expect([one.report.verdict, one.report.coverage.compared]).toEqual(['inconclusive', ALL])
  })
})

describe('a gateway that never answers', () => {
  const dead: readonly [string, Fault][] = [
    ['closes connections', { kind: 'destroy' }],
    ['says nothing', { kind: 'hang' }],
    ['answers 500', { kind: 'status', status: 500 }]
  ]
  const lacking = () => start({ transactions: small.transactions.filter(({ id }) => id !== spoiltId()) })

  it.each(dead)('is named, and another gateway completes the audit, if it %s', { timeout: 120_000 }, async (_, fault) => {
    const units = await start()
    const gone = await start({ faults: [fault] })
    const one = await audited(units, [gone, units])
    expectNoBlame(one)
    expect(one.report.verdict).toBe('match')
    expect(one.report.unreachable.map(({ unit, url }) => [unit, url])).toEqual([['gateway', gone.url]])
  })

  it.each(dead)('prevents the finding that no gateway has an item if it %s', { timeout: 120_000 }, async (_, fault) => {
    const units = await start()
    const gone = await start({ faults: [fault] })
    const one = await audited(units, [gone, await lacking()])
    expectNoBlame(one)
    expect([one.report.verdict, one.report.coverage.compared]).toEqual(['inconclusive', ALL])
    expect(one.report.unreachable.map(({ unit, url }) => [unit, url])).toEqual([['gateway', gone.url]])
    expect(JSON.stringify(one.report)).not.toContain('no gateway has')
    const blamed = one.report.findings.filter(({ attribution, severity }) => attribution === 'gateway' && severity === 'error')
    expect(blamed).toEqual([])
  })

  it('is named as unreachable if it is the only one', async () => {
    const units = await start()
    const gone = await start({ faults: [{ kind: 'destroy' }] })
    const one = await audited(units, [gone])
    expectNoBlame(one)
    expect(one.report.unreachable.map(({ url }) => url)).toEqual([gone.url])
  })
})
