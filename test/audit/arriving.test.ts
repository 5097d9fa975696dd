/** Audits that begin while their inputs are still being fetched. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'
import type { AuditOptions } from '../../src/audit/audit-options.ts'
import type { Report } from '../../src/report/model.ts'
import type { FakeClaim } from '../fakes/data.ts'
import type { Fault } from '../fakes/faults.ts'
import { startFakeNetwork } from '../fakes/network.ts'
import { compileSmallModule } from '../modules/small-module.ts'
import { type SmallProcess, signedSmallProcess } from '../modules/small-process.ts'

const FORMAT = 'wasm32-unknown-emscripten4'
const WORDS = ['count', 'count', 'count', 'count', 'count']
let small: SmallProcess
let folder: string

beforeAll(async () => {
  small = await signedSmallProcess({ format: FORMAT, wasm: await compileSmallModule(FORMAT), messages: WORDS })
})
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-arriving-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const claims = (wrongAt?: number): FakeClaim[] =>
  WORDS.map((_, place) => {
    const output = place + 1 === wrongAt ? 'another' : String(place + 1)
    const result = { Messages: [], Assignments: [], Spawns: [], Output: output, GasUsed: 0 }
    return { id: small.messageIds[place + 1] ?? '', status: 200, result }
  })

async function audited(faults: readonly Fault[], options: Partial<AuditOptions> = {}, wrongAt?: number): Promise<Report> {
  const { url, close } = await startFakeNetwork({ ...small, claims: claims(wrongAt), faults })
  try {
    const units = { scheduler: url, gateways: [url], computes: [url] }
    const fetchLimits = { patienceMs: 20_000, waitMinMs: 1, waitMaxMs: 20, idleMs: 200, idleMaxMs: 200 }
    const store = path.join(folder, 'store')
    return await audit({ process: small.process.process_id, ...units, fetchLimits, store, ...options })
  } finally {
    await close()
  }
}

describe('an audit whose inputs are still being fetched', { timeout: 30_000 }, () => {
  it('judges the first answers before the last one arrives', async () => {
    const faults: Fault[] = [{ kind: 'hang', path: `/result/${small.messageIds[5]}` }]
    const judged: (number | undefined)[] = []
    const report = await audited(faults, {
      onEvaluation({ nonce }) {
        judged.push(nonce)
        if (nonce === 2) faults.length = 0
      }
    })
    expect(report.verdict).toBe('match')
    expect(report.coverage).toMatchObject({ scheduled: 6, compared: 6 })
    expect(judged).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('ends in the same report as an audit that had all inputs at the start', async () => {
    const slow = await audited([{ kind: 'delay', delayMs: 30 }], {}, 4)
    rmSync(path.join(folder, 'store'), { recursive: true })
    const quick = await audited([], {}, 4)
    const lasting = (report: Report) =>
      JSON.stringify({ ...report, date: undefined, digest: undefined, inputsDigest: undefined, timings: undefined }).replaceAll(
        /127\.0\.0\.1:\d+/g,
        'unit'
      )
    expect(slow.verdict).toBe('mismatch')
    expect(slow.firstDivergence?.nonce).toBe(4)
    expect(lasting(slow)).toBe(lasting(quick))
  })

  it('accuses nobody and stops asking if the module never arrives', async () => {
    const report = await audited([{ kind: 'status', status: 404, path: '/raw/' }])
    expect([report.verdict, report.claimants]).toEqual(['inconclusive', []])
    expect(report.findings.map(({ code }) => code)).toEqual(['INPUT_MISSING'])
  })

  it('can be interrupted while it waits', async () => {
    const stop = new AbortController()
    const waiting = audited([{ kind: 'hang', path: `/result/${small.messageIds[5]}` }], {
      signal: stop.signal,
      onEvaluation: ({ nonce }) => nonce === 2 && stop.abort()
    })
    await expect(waiting).rejects.toMatchObject({ code: 'INTERRUPTED', message: 'interrupted' })
  })
})
