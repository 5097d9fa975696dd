/** Whole audits of a small signed process over HTTP, with faulty units and hostile modules. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'
import type { AuditOptions } from '../../src/audit/audit-options.ts'
import type { Report } from '../../src/report/model.ts'
import type { FakeClaim } from '../fakes/data.ts'
import { type FakeNetworkOptions, startFakeNetwork } from '../fakes/network.ts'
import { compileSmallModule } from '../modules/small-module.ts'
import { type SmallProcess, signedSmallProcess } from '../modules/small-process.ts'

const FORMAT = 'wasm32-unknown-emscripten4'
const WORDS = ['count', 'error', 'count', 'count', 'count']
const SPOILT = 3
let wasm: Uint8Array
let small: SmallProcess
let folder: string

beforeAll(async () => {
  wasm = await compileSmallModule(FORMAT)
  small = await signedSmallProcess({ format: FORMAT, wasm, messages: WORDS })
})
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-small-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const result = (fields: object) => ({ Messages: [], Assignments: [], Spawns: [], Output: '', GasUsed: 0, ...fields })

/** The answers of an honest unit to `words`: the counter, and an error that does not count. */
function honestClaims(of: SmallProcess, words: readonly string[]): FakeClaim[] {
  let count = 0
  return words.map((word, place) => ({
    id: of.messageIds[place + 1] ?? '',
    status: 200,
    result: word === 'count' ? result({ Output: String(++count) }) : result({ Output: 'failed', Error: 'boom' })
  }))
}

function claimsBut(nonce: number, output: string): FakeClaim[] {
  return honestClaims(small, WORDS).map((claim, place) =>
    place + 1 === nonce ? { ...claim, result: result({ Output: output }) } : claim
  )
}

async function audited(network: FakeNetworkOptions, options: Partial<AuditOptions> = {}): Promise<Report> {
  const { url, close } = await startFakeNetwork(network)
  try {
    const units = { scheduler: url, gateways: [url], computes: [url] }
    const fetchLimits = { patienceMs: 2_000, waitMinMs: 1, waitMaxMs: 20, idleMs: 2_000 }
    const store = path.join(folder, 'store')
    return await audit({ process: network.process.process_id, ...units, fetchLimits, store, ...options })
  } finally {
    await close()
  }
}

const statuses = ({ evaluations }: Report) => Object.fromEntries(evaluations.map(({ nonce = -1, status }) => [nonce, status]))
const found = ({ findings }: Report) =>
  findings.filter(({ severity }) => severity !== 'info').map(({ code, nonce, attribution }) => [code, nonce, attribution])

/** A schedule whose message at `nonce` has other data than was signed. */
function spoiltSchedule(nonce: number): SmallProcess['schedule'] {
  return small.schedule.map((edge, place) => {
    const { message } = edge.node
    if (place !== nonce || message === null) return edge
    return { ...edge, node: { ...edge.node, message: { ...message, data: 'echo spoilt' } } }
  })
}

describe('a small signed process', { timeout: 30_000 }, () => {
  it('is a match that includes its errors', async () => {
    const report = await audited({ ...small, claims: honestClaims(small, WORDS) })
    expect([report.verdict, found(report)]).toEqual(['match', []])
    expect(report.coverage).toMatchObject({ scheduled: 6, evaluated: 6, compared: 6, unclaimed: 0, unverified: 0 })
  })

  it('has a report with the date on which the audit ended', async () => {
    const before = Date.now()
    const endedMs = Date.parse((await audited({ ...small, claims: honestClaims(small, WORDS) })).date)
    expect(endedMs).toBeGreaterThan(before)
    expect(endedMs).toBeLessThanOrEqual(Date.now())
  })

  it('is a mismatch if one answer differs', async () => {
    const report = await audited({ ...small, claims: claimsBut(4, '7') })
    expect(report.verdict).toBe('mismatch')
    expect(report.firstDivergence).toMatchObject({ nonce: 4, differences: [{ path: 'Output', claimed: '7', computed: '3' }] })
  })

  it('is judged with the true item if the scheduler serves another and the gateway has the true one', async () => {
    const report = await audited({ ...small, schedule: spoiltSchedule(SPOILT), claims: honestClaims(small, WORDS) })
    expect(report.verdict).toBe('match')
    expect(found(report)).toContainEqual(['MESSAGE_SIGNATURE_INVALID', SPOILT, 'scheduler'])
  })

  it('leads to no blame after a message that nobody has as it was signed', async () => {
    const schedule = spoiltSchedule(SPOILT)
    const transactions = small.transactions.filter(({ id }) => id !== small.messageIds[SPOILT])
    const report = await audited({ ...small, schedule, transactions, claims: claimsBut(5, '9') })
    expect(report.verdict).toBe('inconclusive')
    expect(report.firstDivergence).toBeNull()
    expect(statuses(report)).toMatchObject({ [SPOILT]: 'inconclusive', 5: 'inconclusive' })
    expect(report.coverage.unverified).toBe(1)
    expect(report.reasons.join()).toContain('no gateway has the item')
    expect(found(report).map(([code]) => code)).toContain('MESSAGE_SIGNATURE_INVALID')
  })

  it('leads to blame of a unit before a message that nobody has as it was signed', async () => {
    const schedule = spoiltSchedule(SPOILT)
    const transactions = small.transactions.filter(({ id }) => id !== small.messageIds[SPOILT])
    const report = await audited({ ...small, schedule, transactions, claims: claimsBut(1, '5') })
    expect([report.verdict, report.firstDivergence?.nonce]).toEqual(['mismatch', 1])
  })

  it('is not run with a module that is not the signed one', async () => {
    const other = Buffer.from(await compileSmallModule(FORMAT, { initialPages: 21 })).toString('base64')
    const transactions = small.transactions.map((one) => (one.id === small.moduleId ? { ...one, data: other } : one))
    const report = await audited({ ...small, transactions, claims: honestClaims(small, WORDS) })
    expect(report.verdict).toBe('inconclusive')
    expect(found(report)).toContainEqual(['MODULE_SIGNATURE_INVALID', undefined, 'gateway'])
    expect(report.coverage.evaluated).toBe(0)
  })

  it('is a match if it writes to standard output, which moves the clock that it reads', async () => {
    const words = ['clock', 'print hello', 'clock', 'error', 'print', 'clock', 'clock']
    const outputs = ['10004', '0', '10006', undefined, '0', '10004', '10005']
    const printing = await signedSmallProcess({ format: FORMAT, wasm, messages: words, seed: 'printing' })
    const claims = outputs.map((Output, place) => ({
      id: printing.messageIds[place + 1] ?? '',
      status: 200,
      result: result(Output === undefined ? { Output: 'failed', Error: 'boom' } : { Output })
    }))
    const report = await audited({ ...printing, claims })
    expect([report.verdict, statuses(report)]).toEqual(['match', {}])
  })

  it.each([
    ['is no WASM', Buffer.from('no WASM'), 'the module does not compile'],
    ['is nothing', Buffer.alloc(0), 'the module'],
    ['has no memory', Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]), 'it exports no memory']
  ])('is inconclusive with a finding about its module if the module %s', async (_, bytes, reason) => {
    const faulty = await signedSmallProcess({ format: FORMAT, wasm: bytes, messages: ['count', 'count'], seed: reason })
    const report = await audited({ ...faulty, claims: honestClaims(faulty, ['count', 'count']) })
    expect(report.verdict).toBe('inconclusive')
    expect(found(report)).toContainEqual(['MODULE_UNUSABLE', 0, 'module'])
    expect(report.findings.find(({ code }) => code === 'MODULE_UNUSABLE')?.detail).toContain(reason)
  })

  it('is inconclusive from a message on that never ends, and judged before it', async () => {
    const words = ['count', 'count', 'hang', 'count']
    const hanging = await signedSmallProcess({ format: FORMAT, wasm, messages: words, seed: 'hanging' })
    const claims = honestClaims(hanging, words)
    const report = await audited({ ...hanging, claims }, { sandboxLimits: { messageMs: 400 } })
    expect(report.verdict).toBe('inconclusive')
    expect(found(report)).toContainEqual(['EVALUATION_LIMIT', 3, 'process'])
    expect(report.coverage.compared).toBe(3)
    expect(statuses(report)).toMatchObject({ 3: 'inconclusive', 4: 'inconclusive' })
  })

  it('is inconclusive from a nonce on that the scheduler does not serve, and judged before it', async () => {
    const schedule = small.schedule.filter((_, place) => place !== SPOILT)
    const report = await audited({ ...small, schedule, claims: honestClaims(small, WORDS) })
    expect(report.verdict).toBe('inconclusive')
    expect(found(report)).toContainEqual(['NONCE_GAP', SPOILT, 'scheduler'])
    expect(report.coverage).toMatchObject({ scheduled: 6, compared: 3 })
  })

  describe('with a unit whose answer other clients accept', () => {
    const path = () => `/result/${small.messageIds[3]}`
    const lie = JSON.stringify(result({ Output: 'EVIL' }))

    it.each([201, 203])('is a mismatch if the answer is a lie with status %i', async (status) => {
      const report = await audited({
        ...small,
        claims: honestClaims(small, WORDS),
        faults: [{ kind: 'status', status, path: path(), body: lie }]
      })
      expect([report.verdict, report.firstDivergence?.nonce]).toEqual(['mismatch', 3])
    })

    it.each([
      ['behind a byte order mark', `\uFEFF${lie}`],
      ['with an infinite Error', JSON.stringify(result({ Output: '2', Error: 0 })).replace('"Error":0', '"Error":1e999')]
    ])('is a mismatch if the answer is a lie %s', async (_, body) => {
      const faults = [{ kind: 'status', status: 200, path: path(), body } as const]
      const report = await audited({ ...small, claims: honestClaims(small, WORDS), faults })
      expect([report.verdict, report.firstDivergence?.nonce]).toEqual(['mismatch', 3])
      expect(found(report)).toContainEqual(['CLAIM_FAULTY', 3, 'compute-unit'])
    })

    it.each([
      ['too deep', `${lie.slice(0, -1)},"x":${'['.repeat(1_500)}${']'.repeat(1_500)}}`],
      ['too large', `${lie}${' '.repeat(34 * 1024 * 1024)}`],
      ['no JSON', 'EVIL']
    ])('is inconclusive if the auditor cannot read the answer: %s', async (_, body) => {
      const faults = [{ kind: 'status', status: 200, path: path(), body } as const]
      const fetchLimits = { contentAttempts: 2, waitMinMs: 1, waitMaxMs: 5 }
      const report = await audited({ ...small, claims: honestClaims(small, WORDS), faults }, { fetchLimits })
      expect([report.verdict, found(report)]).toEqual(['inconclusive', [['ANSWER_NOT_READ', 3, 'compute-unit']]])
      expect([report.coverage.unread, report.unreachable]).toEqual([1, []])
      expect(report.notChecked).toContain('1 evaluation with an answer that was given but could not be read')
    })

    const page = (extra: string, hasNextPage = false) => `{"pageInfo":{"hasNextPage":${hasNextPage}},${extra}"edges":[]}`
    it.each([
      ['is no JSON', 'EVIL', 'ANSWER_NOT_READ', 'inconclusive'],
      ['has another form', '{"edges":[]}', 'ANSWER_NOT_READ', 'inconclusive'],
      [
        'has its list twice, with lies in one',
        page('"edges":[{"node":{"Output":"EVIL"},"cursor":"x"}],'),
        'LISTING_FAULTY',
        'inconclusive'
      ],
      ['has a word beside its list', page('"result":"EVIL",'), 'CLAIM_FAULTY', 'match']
    ])('gets the right verdict and finding if a page of the listing %s', async (_, body, code, verdict) => {
      const faults = [{ kind: 'status', status: 201, path: '/cron/', body } as const]
      const fetchLimits = { contentAttempts: 2, waitMinMs: 1, waitMaxMs: 5 }
      const report = await audited({ ...small, claims: honestClaims(small, WORDS), faults }, { fetchLimits })
      expect([report.verdict, found(report).map(([name]) => name), report.unreachable]).toEqual([verdict, [code], []])
      expect(report.claimants[0]?.verdict).toBe(verdict)
    })
  })
})
