/** Searches for the nonces at which an honest unit began its instances, if only later claims show them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { audit } from '../../../src/audit/audit.ts'
import type { Report } from '../../../src/report/model.ts'
import type { FakeClaim } from '../../fakes/data.ts'
import { startFakeNetwork } from '../../fakes/network.ts'
import { compileSmallModule } from '../../modules/small-module.ts'
import { signedSmallProcess } from '../../modules/small-process.ts'

const FORMAT = 'wasm32-unknown-emscripten4'
let wasm: Uint8Array
let folder: string

beforeAll(async () => {
  wasm = await compileSmallModule(FORMAT)
})
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-instances-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const result = (Output: string) => ({ Messages: [], Assignments: [], Spawns: [], Output, GasUsed: 0 })

/** Audits a process of these words; the unit answers each with the Output in `says`, or does not answer it if that is undefined. */
async function audited(words: readonly string[], says: readonly (string | undefined)[]): Promise<Report> {
  const small = await signedSmallProcess({ format: FORMAT, wasm, messages: words })
  const claims = says.map((output, place): FakeClaim => {
    const id = small.messageIds[place + 1] ?? ''
    return output === undefined ? { id, status: 404, result: { error: 'gone' } } : { id, status: 200, result: result(output) }
  })
  const { url, close } = await startFakeNetwork({ ...small, claims })
  try {
    const units = { scheduler: url, gateways: [url], computes: [url] }
    const store = path.join(folder, 'store')
    // These tests are about nonces without claims.
    return await audit({ process: small.process.process_id, ...units, store, minCoverage: 0 })
  } finally {
    await close()
  }
}

const findings = ({ findings: all }: Report, wanted: string) =>
  all.filter(({ code }) => code === wanted).map(({ key }) => key?.ordinate)
const profiled = ({ evaluations }: Report) =>
  evaluations.filter(({ status }) => status === 'match-profile').map(({ nonce }) => nonce)

const times = (count: number, word: string) => Array.from({ length: count }, () => word)

describe('the search over instances', { timeout: 60_000 }, () => {
  it('finds an instance that began before a clock reading without a claim', async () => {
    // A new instance before nonce 2 alone: 10004, (10004), counted, 10005.
    const report = await audited(['clock', 'clock', 'count', 'clock'], ['10004', undefined, '1', '10005'])
    expect([report.verdict, report.firstDivergence]).toEqual(['match', null])
    expect(report.profile?.instancesTried).toBeGreaterThan(0)
  })

  it('finds two instances that began before clock readings without a claim', async () => {
    const words = ['clock', 'clock', 'clock', 'clock', 'count', 'clock']
    const report = await audited(words, ['10004', undefined, '10005', undefined, '1', '10005'])
    expect([report.verdict, report.firstDivergence]).toEqual(['match', null])
  })

  it('blames nobody for a clock reading that no instances explain, because others on the thread may have read it', async () => {
    const report = await audited(['clock', 'clock', 'count', 'clock'], ['10004', undefined, '1', '10009'])
    expect([report.verdict, report.firstDivergence]).toEqual(['inconclusive', null])
    expect(findings(report, 'SEARCH_BOUND_REACHED')).toEqual([4])
  })

  it('blames nobody and reports its bound if a claim depends on the clock and some instances were not tried', async () => {
    const report = await audited([...times(6, 'clock'), 'clock'], [...times(6, '').map(() => undefined), '10099'])
    expect([report.verdict, report.firstDivergence]).toEqual(['inconclusive', null])
    expect(findings(report, 'SEARCH_BOUND_REACHED')).toEqual([7])
  })

  it('blames a unit nevertheless if its claim does not depend on the clock', async () => {
    const report = await audited([...times(6, 'clock'), 'count'], [...times(6, '').map(() => undefined), '7'])
    expect([report.verdict, report.firstDivergence?.nonce]).toEqual(['mismatch', 7])
    expect(findings(report, 'SEARCH_BOUND_REACHED')).toEqual([])
    expect(profiled(report)).toEqual([])
  })
})
