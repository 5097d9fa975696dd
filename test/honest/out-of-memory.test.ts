/**
 * Messages that report that they ran out of memory: the instance goes on with more than the memory that it is given (protocol
 * §2.10), so that results depend on the start of an instance, though nothing reads a clock.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type SmallProcess, signedSmallProcess } from '../modules/small-process.ts'
import { closeUnits } from './cu.ts'
import { honestModule } from './module.ts'
import { addressOf, audited, publishedCheckpoint } from './run.ts'
import { GROWN_OUT_OF_MEMORY, OFFICIAL_PATH } from './scenario.ts'
import { type Ask, runHonestUnit, type UnitAnswers, type UnitSettings } from './unit.ts'

const FORMAT = 'wasm32-unknown-emscripten4'
const SETTINGS: Omit<UnitSettings, 'asked'> = {
  path: OFFICIAL_PATH,
  zone: 'UTC',
  duplicates: 'number',
  remembers: true,
  checkpoints: []
}
const asks = (...nonces: readonly number[]): Ask[] => nonces.map((nonce) => ({ nonce }))

async function processOf(messages: readonly string[], processData?: string): Promise<SmallProcess> {
  const first = processData === undefined ? {} : { processData }
  return signedSmallProcess({ format: FORMAT, wasm: await honestModule(FORMAT), messages, intervalMs: 1500, ...first })
}

async function verdictOf(small: SmallProcess, answers: UnitAnswers) {
  return (await audited([{ ...small, ...answers }])).verdict
}

describe('an honest unit of a process that runs out of memory', { timeout: 300_000 }, () => {
  afterAll(closeUnits)

  const GROWN = ['count', GROWN_OUT_OF_MEMORY, GROWN_OUT_OF_MEMORY, 'pages', 'count', 'pages']

  it.each([
    ['once', asks(6), 'match'],
    ['message by message', asks(1, 2, 3, 4, 5, 6), 'match'],
    ['twice', asks(2, 6), 'match']
  ] as const)('is a match if it was asked %s and the memory had grown', async (_, asked, verdict) => {
    const small = await processOf(GROWN)
    expect(await verdictOf(small, await runHonestUnit(small, { ...SETTINGS, asked }))).toBe(verdict)
  })

  it('is not accused if instances began at nonces that the search does not try', async () => {
    const grown = (chars: number) => `echo ${'x'.repeat(chars)} not enough memory for buffer allocation`
    const small = await processOf(['count', grown(900_000), grown(200_000), 'pages', 'count', 'pages'])
    expect(await verdictOf(small, await runHonestUnit(small, { ...SETTINGS, asked: asks(2, 6) }))).toBe('inconclusive')
  })

  it.each([
    [asks(5), 'match'],
    [asks(1, 2, 3, 4, 5), 'match'],
    [asks(1, 4, 5), 'inconclusive']
  ] as const)('is not accused if its first messages ran out of memory and it was asked for %j', async (asked, verdict) => {
    const small = await processOf(['oom', 'oom', 'oom', 'count', 'count'], 'oom')
    expect(await verdictOf(small, await runHonestUnit(small, { ...SETTINGS, asked }))).toBe(verdict)
  })

  it('is a match with checkpoints that contain the memory without the further state of the instance', async () => {
    const small = await processOf(['count', GROWN_OUT_OF_MEMORY, 'count', 'count'])
    const made = await runHonestUnit(small, { ...SETTINGS, asked: asks(2, 3, 4), checkpoints: [0] })
    const own = await Promise.all(made.checkpoints.map((one) => publishedCheckpoint(small, one, 'unit')))
    const report = await audited([
      { ...small, ...made, transactions: [...small.transactions, ...own], address: addressOf('unit') }
    ])
    expect([report.verdict, report.checkpoints.map(({ status }) => status)]).toEqual(['match', ['match']])
  })

  it('is a match, unlike a liar, whatever an earlier audit of its first messages stored', async () => {
    const small = await processOf(['oom', 'oom', 'oom', 'count', 'count', 'error', 'count'], 'oom')
    const honest = await runHonestUnit(small, { ...SETTINGS, asked: asks(7) })
    const one = (text: string) => text.replace(/"Output":"([567])"/, (_, digit: string) => `"Output":"${Number(digit) - 1}"`)
    const { claims, results } = JSON.parse(
      JSON.stringify({ claims: honest.claims, results: honest.results }).replace(/"Output":"[567]"/g, one)
    ) as Pick<UnitAnswers, 'claims' | 'results'>
    const store = mkdtempSync(path.join(tmpdir(), 'ao-audit-honest-'))
    try {
      for (const to of [1, 2]) await audited([{ ...small, ...honest }], { store, to })
      expect((await audited([{ ...small, ...honest }], { store })).verdict).toBe('match')
      expect((await audited([{ ...small, ...honest, claims, results }], { store })).verdict).not.toBe('match')
    } finally {
      rmSync(store, { recursive: true, force: true })
    }
  })
})
