import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EvaluationResult } from '../../src/model/records.ts'
import { type LedgerNetwork, type LedgerOptions, startLedger } from '../fakes/ledger.ts'
import { lasting, reportIn, run, unitsOf } from './command.ts'

let folder: string
let honest: LedgerNetwork

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-cli-'))
  honest = await startLedger()
})
afterAll(async () => {
  await honest.close()
  rmSync(folder, { recursive: true, force: true })
})

const inFolder = (name: string) => path.join(folder, name)
const audit = (network: LedgerNetwork, ...args: string[]) =>
  run(['audit', network.process, ...unitsOf(network), '--store', inFolder('store'), ...args])

async function against<T>(options: LedgerOptions, use: (network: LedgerNetwork) => Promise<T>): Promise<T> {
  const network = await startLedger(options)
  try {
    return await use(network)
  } finally {
    await network.close()
  }
}

/** The claim of a unit that prints something else. */
function otherOutput(result: EvaluationResult): EvaluationResult {
  return { ...result, Output: { data: 'altered' } }
}

/** Sends one token more than the first message of the result. */
function oneMore(result: EvaluationResult): EvaluationResult {
  const altered = result as { Messages: { Tags: { name: string; value: string }[] }[] }
  const quantity = altered.Messages[0]?.Tags.find(({ name }) => name === 'Quantity')
  if (quantity === undefined) throw new Error('nothing to alter')
  quantity.value = String(Number(quantity.value) + 1)
  return altered
}

describe('the audit of an honest unit', () => {
  it('is a match of the whole process, with exit code 0, the summary on stdout and nothing on stderr', async () => {
    const ended = await audit(honest)
    expect(ended.stderr).toBe('')
    expect(ended.stdout).toMatch(/^MATCH {2}44 of 46 evaluations compared, all agree with http:\/\/127\.0\.0\.1:\d+\n/)
    expect(ended.code).toBe(0)
  })

  it('prints only the report with --json', async () => {
    const ended = await audit(honest, '--to', '5', '--json')
    const report = reportIn(ended)
    expect(ended.code).toBe(0)
    expect(ended.stderr).toBe('')
    expect(report).toMatchObject({
      schema: 'ao-audit/report/v1',
      verdict: 'match',
      reasons: [],
      process: { id: honest.process, module: { id: honest.module } },
      range: { from: 0, to: 5 },
      coverage: { scheduled: 6, cron: 0, evaluated: 6, compared: 6, skipped: 0, unclaimed: 0 },
      firstDivergence: null,
      evaluations: [],
      unreachable: []
    })
    expect(report.claimants.map(({ id, verdict }) => [id, verdict])).toEqual([[honest.url, 'match']])
  })

  it('writes every requested form of the report to its own file', async () => {
    const [json, markdown, evaluations] = [inFolder('r.json'), inFolder('r.md'), inFolder('e.jsonl')]
    const ended = await audit(honest, '--to', '5', '--json', json, '--markdown', markdown, '--evaluations', evaluations)
    expect(ended.code).toBe(0)
    expect(ended.stdout).toMatch(/^MATCH {2}6 of 6 /)
    expect(JSON.parse(readFileSync(json, 'utf8'))).toMatchObject({ verdict: 'match', range: { from: 0, to: 5 } })
    expect(readFileSync(markdown, 'utf8')).toMatch(/^# .*match/i)
    const lines = readFileSync(evaluations, 'utf8').split('\n')
    expect(lines.pop()).toBe('')
    expect(lines.map((line) => JSON.parse(line))).toEqual(
      honest.messages.slice(0, 6).map((message, nonce) => ({
        key: { ordinate: nonce, timestamp: expect.any(Number) },
        nonce,
        message,
        status: 'match',
        claimant: honest.url
      }))
    )
  })

  it('judges only the requested range', async () => {
    const report = reportIn(await audit(honest, '--from', '3', '--to', '5', '--json'))
    expect(report.range).toEqual({ from: 3, to: 5 })
    expect(report.coverage).toMatchObject({ scheduled: 3, compared: 3 })
  })

  it('gives the same report with another store, down to the hash of the memory', async () => {
    const report = reportIn(await audit(honest, '--to', '5', '--state-hash', 'last', '--json'))
    expect(report.stateHashes).toEqual({ 5: expect.stringMatching(/^[0-9a-f]{64}$/) })
    const args = ['audit', honest.process, ...unitsOf(honest), '--to', '5', '--state-hash', '5', '--json']
    const elsewhere = await run(args, { env: { XDG_CACHE_HOME: inFolder('cache'), HOME: folder, LOCALAPPDATA: folder } })
    expect(lasting(reportIn(elsewhere))).toEqual(lasting(report))
  })

  it('names each request on stderr with --verbose', async () => {
    const ended = await audit(honest, '--to', '5', '--verbose')
    expect(ended.code).toBe(0)
    expect(ended.stderr).toContain(`${honest.url}/result/${honest.messages[5]}?process-id=${honest.process}\n`)
  })
})

describe('the audit of a unit with an altered claim', () => {
  it('is a mismatch at its nonce, with path, both values and exit code 1', () =>
    against({ alterClaims: { 2: oneMore } }, async (network) => {
      const ended = await audit(network, '--to', '5', '--json')
      const report = reportIn(ended)
      expect(ended.code).toBe(1)
      expect(ended.stderr).toBe('')
      expect(report.verdict).toBe('mismatch')
      expect(report.firstDivergence).toMatchObject({ nonce: 2, message: network.messages[2], claimant: network.url })
      const [difference] = report.firstDivergence?.differences ?? []
      expect(difference?.path).toMatch(/^Messages\[0\]\.Tags\[\d+\]\.value$/)
      expect(Number(difference?.claimed)).toBe(Number(difference?.computed) + 1)
      expect(report.evaluations.map(({ nonce, status }) => [nonce, status])).toEqual([[2, 'mismatch']])
    }))

  it('shows the first of several altered claims, also in the summary', () =>
    against({ alterClaims: { 3: otherOutput, 5: otherOutput } }, async (network) => {
      const ended = await audit(network, '--to', '5')
      expect(ended.code).toBe(1)
      expect(ended.stdout).toMatch(/^MISMATCH {2}nonce 3: /)
    }))

  it('is a match if the altered claim is outside the range', () =>
    against({ alterClaims: { 4: otherOutput } }, async (network) => {
      expect((await audit(network, '--to', '3')).code).toBe(0)
    }))

  it('accuses only the unit that altered its claim, if two are audited', () =>
    against({ alterClaims: { 2: oneMore } }, async (liar) => {
      const ended = await audit(honest, '--compute', liar.url, '--to', '5', '--json')
      expect(ended.code).toBe(1)
      expect(Object.fromEntries(reportIn(ended).claimants.map(({ id, verdict }) => [id, verdict]))).toEqual({
        [honest.url]: 'match',
        [liar.url]: 'mismatch'
      })
    }))
})

describe('an audit that cannot judge everything', () => {
  it('is inconclusive from the first nonce that the scheduler does not serve, with exit code 3', () =>
    against({ leaveOut: [3] }, async (network) => {
      const ended = await audit(network, '--to', '5', '--json')
      const report = reportIn(ended)
      expect(ended.code).toBe(3)
      expect(report.verdict).toBe('inconclusive')
      expect(report.evaluations.map(({ nonce, status }) => [nonce, status])).toEqual([
        [3, 'inconclusive'],
        [4, 'inconclusive'],
        [5, 'inconclusive']
      ])
      expect(report.coverage.compared).toBe(3)
    }))

  it('compares the existing nonces and names the missing ones if --to is too large, with exit code 3', async () => {
    const [markdown, absent] = [inFolder('absent.md'), 'nonces 46 to 99 are not in the schedule']
    const ended = await audit(honest, '--from', '44', '--to', '99', '--json', '--markdown', markdown)
    expect(ended.code).toBe(3)
    const report = reportIn(ended)
    expect(report).toMatchObject({ verdict: 'inconclusive', range: { from: 44, to: 45 }, coverage: { compared: 2 } })
    expect(report.reasons[0]).toContain(absent)
    expect(report.notChecked.join()).toContain(absent)
    expect(report.findings).toContainEqual(
      expect.objectContaining({ code: 'INPUT_MISSING', detail: expect.stringContaining(absent) })
    )
    expect(report.claimants.map(({ verdict }) => verdict)).toEqual(['match'])
    expect(readFileSync(markdown, 'utf8')).toContain(absent)
    const shown = await audit(honest, '--from', '44', '--to', '46')
    expect(shown.code).toBe(3)
    expect(shown.stdout).toMatch(/^INCONCLUSIVE {2}nonce 46 is not in the schedule: .*newest nonce was 45\n/)
  })

  it('accuses nobody if no gateway has the module', () =>
    against({ missingItems: [honest.module] }, async (network) => {
      const ended = await run([
        'audit',
        network.process,
        ...unitsOf(network),
        '--store',
        inFolder('no-module'),
        '--to',
        '5',
        '--json'
      ])
      const report = reportIn(ended)
      expect(ended.code).toBe(3)
      expect(report.reasons.join()).toContain(network.module)
      expect(report.claimants).toEqual([])
    }))

  it('is inconclusive from the nonce of an assigned item that no gateway has', () =>
    against({ missingItems: [honest.messages[19] ?? ''] }, async (network) => {
      const ended = await run([
        'audit',
        network.process,
        ...unitsOf(network),
        '--store',
        inFolder('no-item'),
        '--to',
        '20',
        '--json'
      ])
      expect(ended.code).toBe(3)
      const broken = reportIn(ended).evaluations.filter(({ status }) => status === 'inconclusive')
      expect(broken.map(({ nonce }) => nonce)).toEqual([19, 20])
    }))

  it('is inconclusive if the scheduler does not know the process, with exit code 3', async () => {
    const ended = await run(['audit', 'A'.repeat(43), ...unitsOf(honest), '--store', inFolder('store'), '--json'])
    expect(ended.code).toBe(3)
    expect(reportIn(ended)).toMatchObject({ verdict: 'inconclusive', process: null, claimants: [] })
  })
})

describe('an audit without --scheduler', () => {
  it('finds the scheduler by its published location if private addresses are allowed', () =>
    against({ location: honest.url }, async ({ url, process }) => {
      const args = [
        'audit',
        process,
        '--gateway',
        url,
        '--compute',
        honest.url,
        '--store',
        inFolder('store'),
        '--to',
        '5',
        '--json'
      ]
      expect((await run([...args, '--allow-private'])).code).toBe(0)
      const refused = await run(args)
      expect(refused.code).toBe(3)
      expect(reportIn(refused).reasons.join()).toContain('not public')
    }))

  it('is inconclusive if the scheduler has published no location', async () => {
    const { url, process } = honest
    const ended = await run(['audit', process, '--gateway', url, '--compute', url, '--store', inFolder('store'), '--json'])
    expect(ended.code).toBe(3)
    expect(reportIn(ended).reasons.join()).toContain('has published no location')
  })
})
