/** Audits one after another in one store: a later one reuses results of the first, but only if they fit. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'
import type { AuditOptions } from '../../src/audit/audit-options.ts'
import type { Report } from '../../src/report/model.ts'
import type { FakeClaim } from '../fakes/data.ts'
import { startFakeNetwork } from '../fakes/network.ts'
import { compileSmallModule } from '../modules/small-module.ts'
import { type SmallProcess, signedSmallProcess } from '../modules/small-process.ts'

const FORMAT = 'wasm32-unknown-emscripten4'
const WORDS = ['count', 'clock', 'error', 'count', 'clock', 'count', 'clock', 'count']
let small: SmallProcess
let folder: string

beforeAll(async () => {
  small = await signedSmallProcess({ format: FORMAT, wasm: await compileSmallModule(FORMAT), messages: WORDS })
})
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-snapshots-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const result = (fields: object) => ({ Messages: [], Assignments: [], Spawns: [], Output: '', GasUsed: 0, ...fields })

/** The counter, and the clock, which restarts with a new instance after an error. */
const ANSWERS = ['1', '10004', undefined, '2', '10004', '3', '10005', '4']

function claimsBut(altered?: number): FakeClaim[] {
  return ANSWERS.map((answer, place) => ({
    id: small.messageIds[place + 1] ?? '',
    status: 200,
    result:
      answer === undefined
        ? result({ Output: 'failed', Error: 'boom' })
        : result({ Output: place + 1 === altered ? 'altered' : answer })
  }))
}

async function audited(options: Partial<AuditOptions> = {}, of = small, altered?: number): Promise<Report> {
  const { url, close } = await startFakeNetwork({ ...of, claims: claimsBut(altered) })
  try {
    const units = { scheduler: url, gateways: [url], computes: [url] }
    const store = path.join(folder, 'store')
    return await audit({ process: of.process.process_id, ...units, store, stateHashes: 'last', ...options })
  } finally {
    await close()
  }
}

/** A report without times and ports. */
function plain(report: Report) {
  return JSON.parse(
    JSON.stringify({ ...report, date: null, digest: null, inputsDigest: null, timings: null }).replaceAll(
      /127\.0\.0\.1:\d+/g,
      'unit'
    )
  ) as Report
}

describe('an audit after another one in the same store', { timeout: 30_000 }, () => {
  it('goes on from the end of the first one, with its clock, to the same report as a whole audit', async () => {
    expect((await audited({ to: 5 })).timings.resumedAfter).toBeNull()
    const second = await audited()
    const third = await audited()
    const whole = await audited({ snapshots: false })
    expect([second, third, whole].map(({ timings }) => timings.resumedAfter)).toEqual([5, 8, null])
    expect(whole.verdict).toBe('match')
    expect(plain(second)).toEqual(plain(whole))
    expect(plain(third)).toEqual(plain(whole))
  })

  it('leaves one memory for the process, not one for each audit', async () => {
    await audited({ to: 5 })
    const files = () => readdirSync(path.join(folder, 'store/blobs'), { recursive: true, encoding: 'utf8' })
    const blobs = () => files().filter((file) => path.basename(file).length === 64).length
    const before = blobs()
    await audited()
    expect(blobs()).toBe(before)
  })

  it('computes results of the earlier audit again before it states a mismatch', async () => {
    await audited({ to: 5 })
    const altered = await audited({}, small, 4)
    expect([altered.verdict, altered.firstDivergence?.nonce, altered.timings.resumedAfter]).toEqual(['mismatch', 4, null])
  })

  it('starts over if it needs the hash of a memory that was not hashed', async () => {
    await audited({ to: 5 })
    const report = await audited({ stateHashes: [2, 8] })
    expect(report.timings.resumedAfter).toBeNull()
    expect(Object.keys(report.stateHashes)).toEqual(['2', '8'])
  })

  it('keeps a stored memory that lies after its range', async () => {
    await audited()
    expect((await audited({ to: 5 })).timings.resumedAfter).toBeNull()
    expect((await audited()).timings.resumedAfter).toBe(8)
  })

  it('starts over under another profile', async () => {
    await audited()
    expect((await audited({ profile: 'loader-0.0.49' })).timings.resumedAfter).toBeNull()
  })

  it('starts over if a message has changed', async () => {
    await audited({ to: 5 })
    // The same process at another scheduler URL, which serves this message otherwise.
    const schedule = small.schedule.map((edge, place) => {
      const { message } = edge.node
      return place === 4 && message !== null
        ? { ...edge, node: { ...edge.node, message: { ...message, data: 'echo 1' } } }
        : edge
    })
    const transactions = small.transactions.filter(({ id }) => id !== small.messageIds[4])
    const report = await audited({}, { ...small, schedule, transactions })
    expect([report.timings.resumedAfter, report.verdict]).toEqual([null, 'inconclusive'])
  })
})
