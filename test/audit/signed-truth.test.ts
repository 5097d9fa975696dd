/** Unsigned data of the scheduler decides nothing: every field that it serves is altered, one at a time. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'
import type { AuditOptions } from '../../src/audit/audit-options.ts'
import type { Report } from '../../src/report/model.ts'
import type { FakeClaim, FakeItem } from '../fakes/data.ts'
import { type FakeNetworkOptions, startFakeNetwork } from '../fakes/network.ts'
import { compileSmallModule } from '../modules/small-module.ts'
import { type SmallProcess, signedSmallProcess } from '../modules/small-process.ts'

const FORMAT = 'wasm32-unknown-emscripten4'
const WORDS = ['count', 'error', 'count', 'count']
let wasm: Uint8Array
let small: SmallProcess
let cron: SmallProcess
/** Another process with the same names, with its own module, which is signed as well. */
let other: SmallProcess
let folder: string

beforeAll(async () => {
  wasm = await compileSmallModule(FORMAT)
  small = await signedSmallProcess({ format: FORMAT, wasm, messages: WORDS })
  const processTags = [
    { name: 'Cron-Interval', value: '1-minute' },
    { name: 'Cron-Tag-Action', value: 'Tick' }
  ]
  cron = await signedSmallProcess({ format: FORMAT, wasm, messages: WORDS, processTags, intervalMs: 45_000, seed: 'cron' })
  const larger = await compileSmallModule(FORMAT, { initialPages: 21 })
  other = await signedSmallProcess({ format: FORMAT, wasm: larger, messages: [], seed: 'other' })
})
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-signed-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const result = (fields: object) => ({ Messages: [], Assignments: [], Spawns: [], Output: '', GasUsed: 0, ...fields })

function honestClaims(of: SmallProcess): FakeClaim[] {
  let count = 0
  return WORDS.map((word, place) => ({
    id: of.messageIds[place + 1] ?? '',
    status: 200,
    result: word === 'count' ? result({ Output: String(++count) }) : result({ Output: 'failed', Error: 'boom' })
  }))
}

let audits = 0
async function audited(network: FakeNetworkOptions, options: Partial<AuditOptions> = {}): Promise<Report> {
  const { url, close } = await startFakeNetwork(network)
  try {
    const units = { scheduler: url, gateways: [url], computes: [url] }
    const fetchLimits = { patienceMs: 2_000, waitMinMs: 1, waitMaxMs: 20, idleMs: 2_000 }
    const store = path.join(folder, `store${audits++}`)
    return await audit({ process: network.process.process_id, ...units, fetchLimits, store, ...options })
  } finally {
    await close()
  }
}

const findings = ({ findings: all }: Report) => all.map(({ code, attribution }) => `${code} ${attribution}`)
type Shown = SmallProcess['process'] & FakeItem & { readonly block: string; readonly timestamp: number }
const shownProcess = (of: SmallProcess) => of.process as Shown
const withTag = (of: SmallProcess, name: string, value: string) =>
  shownProcess(of).tags.map((tag) => (tag.name === name ? { name, value } : tag))

describe('a process that its scheduler alters', { timeout: 60_000 }, () => {
  it('is replayed with its own module if the scheduler names another signed one', async () => {
    const process = { ...small.process, tags: withTag(small, 'Module', other.moduleId) }
    const transactions = [...small.transactions, ...other.transactions]
    const report = await audited({ ...small, process, transactions, claims: honestClaims(small) })
    expect(report.verdict).toBe('match')
    expect(report.process?.module.id).toBe(small.moduleId)
    expect(findings(report)).toContain('PROCESS_SIGNATURE_INVALID scheduler')
  })

  it('is verified with the scheduler that it was signed for if the scheduler names another', async () => {
    const process = { ...small.process, tags: withTag(small, 'Scheduler', other.moduleId) }
    const report = await audited({ ...small, process, claims: honestClaims(small) })
    expect(report.verdict).toBe('match')
    expect(report.process?.scheduler).toBe(small.scheduler)
    expect(findings(report)).toContain('PROCESS_SIGNATURE_INVALID scheduler')
  })

  it('has the time of its own assignment if the scheduler changes times that nobody signed', async () => {
    for (const of of [small, cron]) {
      const plain = await audited({ ...of, claims: honestClaims(of) })
      for (const times of [{ block: '000000000001' }, { block: '000001499990' }, { timestamp: 1_719_999_000_000 }]) {
        const report = await audited({ ...of, process: { ...of.process, ...times }, claims: honestClaims(of) })
        expect([times, report.verdict, report.reasons]).toEqual([times, plain.verdict, plain.reasons])
      }
    }
  })
})

describe('a newest nonce of 9007199254740990', { timeout: 60_000 }, () => {
  it('is judged within seconds, with one range and one finding for all missing nonces below it', async () => {
    const last = small.schedule.at(-1)
    if (last === undefined) throw new Error('no schedule')
    const { assignment } = last.node
    const tags = assignment.tags.map((tag) => (tag.name === 'Nonce' ? { name: 'Nonce', value: '9007199254740990' } : tag))
    const far = { ...last, node: { ...last.node, assignment: { ...assignment, tags } } }
    const report = await audited({ ...small, schedule: [...small.schedule, far], claims: honestClaims(small) })
    expect([report.verdict, findings(report).includes('NONCE_GAP scheduler')]).toEqual(['inconclusive', true])
    expect(report.evaluations.filter(({ through }) => through !== undefined)).toHaveLength(1)
  })
})

/** Another value of the same type, for any field. */
function altered(value: unknown): unknown {
  if (typeof value === 'number') return value + 1000
  if (typeof value === 'string') return value === '' ? 'x' : `${value.slice(0, -1)}${value.endsWith('A') ? 'E' : 'A'}`
  return 'x'
}

/** The path of every field in a served item. */
function places(value: unknown, at: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [at]
  return Object.entries(value).flatMap(([name, inner]) => places(inner, [...at, Array.isArray(value) ? Number(name) : name]))
}

function changedAt(value: unknown, [name, ...rest]: readonly (string | number)[], by: unknown): unknown {
  if (name === undefined) return by === undefined ? altered(value) : by
  const copy = structuredClone(value) as Record<string | number, unknown>
  copy[name] = changedAt(copy[name], rest, by)
  return copy
}

describe('an alteration of any one field by the scheduler', { timeout: 300_000 }, () => {
  it('blames nobody, and a match is about the signed data', async () => {
    const all = [
      ...places(small.process).map((at) => ['process', ...at] as const),
      ...small.schedule.flatMap(({ node }, nonce) => places(node).map((at) => ['schedule', nonce, 'node', ...at] as const))
    ]
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...all), fc.constantFrom(undefined, null, '', '0', other.moduleId), async (at, by) => {
        const network = changedAt({ process: small.process, schedule: small.schedule }, at, by) as SmallProcess
        const id = network.process.process_id
        if (id !== small.process.process_id) return
        const report = await audited({ ...small, ...network, claims: honestClaims(small) })
        expect([at, by, report.verdict]).not.toEqual([at, by, 'mismatch'])
        if (report.verdict === 'match') {
          expect(report.process?.module.id).toBe(small.moduleId)
          expect(report.process?.scheduler).toBe(small.scheduler)
        }
      }),
      { numRuns: 30 }
    )
  })
})
