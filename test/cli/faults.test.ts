import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Report } from '../../src/report/model.ts'
import type { Fault } from '../fakes/faults.ts'
import { type FakeNetwork, startFakeNetwork } from '../fakes/network.ts'
import { compileSmallModule } from '../modules/small-module.ts'
import { type SmallProcess, signedSmallProcess } from '../modules/small-process.ts'
import { lasting, reportIn, run, unitsOf } from './command.ts'

const FORMAT = 'wasm32-unknown-emscripten4'
const WORDS = ['echo a', 'echo b', 'echo c', 'echo d', 'echo e']
let folder: string
let small: SmallProcess
let process: string
let expected: { readonly report: unknown; readonly requests: number }

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-cli-'))
  small = await signedSmallProcess({ format: FORMAT, wasm: await compileSmallModule(FORMAT), messages: WORDS })
  process = small.process.process_id
  expected = await against([], async (network) => ({
    report: comparable(reportIn(await audit(network)), network),
    requests: network.requests.length
  }))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Audits with a new store, so that everything is requested. */
function audit(network: FakeNetwork) {
  const store = mkdtempSync(path.join(folder, 'store-'))
  return run(['audit', process, ...unitsOf(network), '--store', store, '--json'])
}

async function against<T>(faults: readonly Fault[], use: (network: FakeNetwork) => Promise<T>): Promise<T> {
  const claims = WORDS.map((word, place) => {
    const result = { Messages: [], Assignments: [], Spawns: [], Output: word.slice('echo '.length), GasUsed: 0 }
    return { id: small.messageIds[place + 1] ?? '', status: 200, result }
  })
  const network = await startFakeNetwork({ ...small, claims, faults })
  try {
    return await use(network)
  } finally {
    await network.close()
  }
}

/** A report without the parts that depend on the port of the units. */
function comparable(report: Report, { url }: FakeNetwork): unknown {
  return JSON.parse(JSON.stringify({ ...lasting(report), inputsDigest: null }).replaceAll(url, 'http://unit'))
}

// Concurrent, because most of the time passes between two attempts.
describe.concurrent('the report is the same with', () => {
  it.each<[string, readonly Fault[]]>([
    [
      'temporary errors and closed connections',
      [
        { kind: 'status', status: 500, every: 3 },
        { kind: 'destroy', every: 4 }
      ]
    ],
    [
      'truncated answers and redirects',
      [
        { kind: 'cut', every: 3 },
        { kind: 'redirect', every: 2 }
      ]
    ],
    [
      'too many requests, a busy unit, and answers that are not JSON',
      [
        { kind: 'status', status: 429, every: 5, headers: { 'retry-after': '1' } },
        { kind: 'status', status: 202, path: '/result/', every: 2 },
        { kind: 'garbage', unit: 'scheduler', every: 2 },
        { kind: 'garbage', path: '/results/', times: 1 }
      ]
    ]
  ])('%s', (_, faults) =>
    against(faults, async (network) => {
      const ended = await audit(network)
      expect(comparable(reportIn(ended), network)).toEqual(expected.report)
      expect(ended.code).toBe(0)
      expect(ended.stderr).toBe('')
      // The faults really happened.
      expect(network.requests.length).toBeGreaterThan(expected.requests)
    })
  )

  it('a slow network', () =>
    against([{ kind: 'delay', delayMs: 100 }], async (network) => {
      const report = reportIn(await audit(network))
      expect(comparable(report, network)).toEqual(expected.report)
      expect(report.timings.fetchMs).toBeGreaterThan(500)
    }))
})

describe.concurrent('the audit is inconclusive and accuses nobody if the Compute Unit always', () => {
  it.each<[string, Fault]>([
    ['closes connections', { kind: 'destroy' }],
    ['hangs', { kind: 'hang' }],
    ['answers 500', { kind: 'status', status: 500 }],
    ['redirects', { kind: 'redirect' }]
  ])('%s', (_, fault) =>
    against([], (sound) =>
      against([fault], async ({ url }) => {
        const store = mkdtempSync(path.join(folder, 'store-'))
        const units = ['--scheduler', sound.url, '--gateway', sound.url, '--compute', url, '--patience', '1']
        const ended = await run(['audit', process, ...units, '--store', store, '--json'])
        const report = reportIn(ended)
        expect(ended.code).toBe(3)
        expect(report.verdict).toBe('inconclusive')
        expect(report.claimants.map(({ id, verdict }) => [id, verdict])).toEqual([[url, 'inconclusive']])
        expect(report.coverage.compared).toBe(0)
      })
    )
  )
})
