import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createInputs } from '../../src/inputs/inputs.ts'
import type { ProcessId, TransactionId } from '../../src/model/ids.ts'
import { openStore } from '../../src/store/level-store.ts'
import type { Fault } from '../fakes/faults.ts'
import { type LedgerNetwork, startLedger } from '../fakes/ledger.ts'
import { type Ended, expectError, lasting, reportIn, run, type Started, start, unitsOf } from './command.ts'

let folder: string
let archive: string
/** The report of an uninterrupted audit. */
let uninterrupted: unknown
let messages: readonly string[]
let network: LedgerNetwork
let store: string
/** Faults that delay answers. */
let faults: Fault[]

/** How many requests an audit sends to a unit at the same time. */
const AT_ONCE = 16
/** How many results a unit returns before it delays the rest. */
const ANSWERED = 10
const PATIENT = { timeout: 30_000, interval: 20 }

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-cli-'))
  archive = path.join(folder, 'whole.tar.gz')
  const whole = await startLedger()
  const args = ['pull', whole.process, ...unitsOf(whole), '--store', path.join(folder, 'whole'), '-o', archive, '--quiet']
  expect(await run(args)).toMatchObject({ code: 0, stderr: '' })
  await whole.close()
  uninterrupted = withoutUrls(await run(['audit', '--archive', archive, '--json']))
  messages = whole.messages
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

beforeEach(async () => {
  store = mkdtempSync(path.join(folder, 'store-'))
  faults = messages.slice(ANSWERED).map((id) => ({ kind: 'hang', path: `/result/${id}` }))
  network = await startLedger({ faults })
})
afterEach(() => network.close())

const auditArgs = (...args: string[]) => ['audit', network.process, ...unitsOf(network), '--store', store, '--json', ...args]

/** Starts an audit, and waits until it has stored all answers that it can get. */
async function startedHalfway(): Promise<Started> {
  const started = start(auditArgs())
  await vi.waitFor(() => {
    expect(network.asked('/result/')).toBe(ANSWERED + AT_ONCE)
    expect(recordsText()).toContain('"kind":"result"')
  }, PATIENT)
  return started
}

function recordsText(): string {
  const records = path.join(store, 'records')
  const logs = existsSync(records) ? readdirSync(records).filter((name) => name.endsWith('.log')) : []
  return logs.map((name) => readFileSync(path.join(records, name), 'latin1')).join('')
}

interface Kept {
  /** The nonces whose `/result` is in the store. */
  readonly nonces: readonly number[]
  /** Which of the module and the assigned item are in the store. */
  readonly items: readonly string[]
}

async function readKept(): Promise<Kept> {
  const opened = await openStore(store)
  try {
    const inputs = createInputs(opened)
    const nonces: number[] = []
    for (const one of await inputs.runs.all(network.process as ProcessId)) {
      for await (const { kind, key } of inputs.claims.of(one, network.url)) if (kind === 'result') nonces.push(key.ordinate)
      for await (const { key } of inputs.claims.unavailable(one, network.url)) nonces.push(key.ordinate)
    }
    const items: string[] = []
    for (const id of neededItems()) {
      if ((await inputs.items.transaction(id as TransactionId))?.data !== undefined) items.push(id)
    }
    return { nonces, items }
  } finally {
    await opened.close()
  }
}

/** The module, the process, and the item that nonces 19 and 20 assign. */
function neededItems(): string[] {
  return [network.module, network.process, network.messages[19] ?? '']
}

/** Runs the same command again, and expects the report of an uninterrupted audit, and requests only for missing inputs. */
async function expectGoesOn(): Promise<void> {
  const kept = await readKept()
  expect(kept.nonces.length).toBeGreaterThan(0)
  expect(kept.nonces.length).toBeLessThanOrEqual(ANSWERED)
  const before = network.requests.length
  faults.length = 0
  const ended = await run(auditArgs())
  expect(ended.stderr).toBe('')
  expect(ended.code).toBe(0)
  const asked = network.requests.slice(before)
  const askedOf = (path: string) => asked.map(({ what }) => what).filter((what) => what.startsWith(path))
  const missing = network.messages.filter((_, nonce) => !kept.nonces.includes(nonce))
  expect(askedOf('/result/').sort()).toEqual(missing.map((id) => `/result/${id}?process-id=${network.process}`).sort())
  const missingItems = neededItems().filter((id) => !kept.items.includes(id))
  expect(askedOf('/raw/').sort()).toEqual(missingItems.map((id) => `/raw/${id}`).sort())
  expect(asked.filter(({ unit }) => unit === 'scheduler')).toEqual([])
  expect(withoutUrls(ended)).toEqual(uninterrupted)
}

/** A report without the parts that depend on the port of the units. */
function withoutUrls(ended: Ended): unknown {
  const report = { ...lasting(reportIn(ended)), inputsDigest: null }
  return JSON.parse(JSON.stringify(report).replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, 'http://unit'))
}

describe('an audit that is interrupted while it fetches', () => {
  it('by Ctrl-C says so, ends with exit code 130, and continues later', async () => {
    const { child, ended } = await startedHalfway()
    const before = network.requests.length
    child.kill('SIGINT')
    expectError(await ended, 130, 'ao-audit: interrupted')
    // Requests that were still queued were not sent.
    expect(network.requests.length).toBe(before)
    await expectGoesOn()
  })

  it('by SIGTERM ends with exit code 130, and continues later', async () => {
    const { child, ended } = await startedHalfway()
    child.kill('SIGTERM')
    expectError(await ended, 130, 'ao-audit: interrupted')
  })

  it('by SIGKILL continues later', async () => {
    const { child, ended } = await startedHalfway()
    child.kill('SIGKILL')
    expect(await ended).toMatchObject({ code: null, signal: 'SIGKILL', stdout: '', stderr: '' })
    await expectGoesOn()
  })

  it('keeps its store locked, so that another audit fails without damage', async () => {
    const { ended } = await startedHalfway()
    const line = `ao-audit: the store ${store} is in use by another process`
    expectError(await run(auditArgs()), 2, line, '  wait for the other audit to end, or give another folder with --store DIR')
    faults.length = 0
    expect(withoutUrls(await ended)).toEqual(uninterrupted)
  })
})

describe('an audit that is interrupted while it replays', () => {
  it('ends with exit code 130 and leaves no folder behind', async () => {
    const evaluations = path.join(store, 'evaluations.jsonl')
    const temporary = mkdtempSync(path.join(folder, 'tmp-'))
    const env = { TMPDIR: temporary, TEMP: temporary, TMP: temporary }
    const { child, ended } = start(['audit', '--archive', archive, '--evaluations', evaluations], { env })
    await vi.waitFor(() => expect(statSync(evaluations).size).toBeGreaterThan(0), PATIENT)
    child.kill('SIGINT')
    const result = await ended
    expect(readFileSync(evaluations, 'utf8').split('\n').length).toBeLessThan(47)
    expectError(result, 130, /^ao-audit: .*interrupted$/)
    expect(readdirSync(temporary)).toEqual([])
  })
})
