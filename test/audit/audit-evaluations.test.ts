/** The evaluations over which a report was made, read after the audit. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type AuditedEvaluations, auditEvaluations } from '../../src/audit/audit-evaluations.ts'
import type { AuditOptions } from '../../src/audit/audit-options.ts'
import { createFinalEvaluations, type FinalEvaluation } from '../../src/audit/final-evaluations.ts'
import type { Evaluation } from '../../src/model/records.ts'
import { openStore } from '../../src/store/level-store.ts'
import type { FakeClaim } from '../fakes/data.ts'
import { type FakeNetworkOptions, startFakeNetwork } from '../fakes/network.ts'
import { compileSmallModule } from '../modules/small-module.ts'
import { type SmallProcess, signedSmallProcess } from '../modules/small-process.ts'

const FORMAT = 'wasm32-unknown-emscripten4'
const WORDS = ['echo a', 'echo b', 'echo c', 'echo d']
let small: SmallProcess
let folder: string

beforeAll(async () => {
  small = await signedSmallProcess({ format: FORMAT, wasm: await compileSmallModule(FORMAT), messages: WORDS })
})
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-evaluations-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Answers of a unit, with a false one at `lie`. */
function claims(lie?: number): FakeClaim[] {
  return WORDS.map((word, place) => {
    const Output = place + 1 === lie ? 'altered' : word.slice('echo '.length)
    const result = { Messages: [], Assignments: [], Spawns: [], Output, GasUsed: 0 }
    return { id: small.messageIds[place + 1] ?? '', status: 200, result }
  })
}

const inStore = () => path.join(folder, 'store')
/** What is left of audits beside the store. */
const leftovers = () => (existsSync(path.join(inStore(), 'unpacked')) ? readdirSync(path.join(inStore(), 'unpacked')) : [])

/** Audits one unit for each network. */
async function audited(
  networks: readonly Partial<FakeNetworkOptions>[],
  options: Partial<AuditOptions> = {}
): Promise<AuditedEvaluations & { readonly urls: readonly string[] }> {
  const started = await Promise.all(networks.map((network) => startFakeNetwork({ ...small, claims: claims(), ...network })))
  const urls = started.map(({ url }) => url)
  const [url = ''] = urls
  const units = { scheduler: url, gateways: [url], computes: urls }
  const fetchLimits = { patienceMs: 2_000, waitMinMs: 1, waitMaxMs: 20, idleMs: 2_000 }
  try {
    const process = small.process.process_id
    return { ...(await auditEvaluations({ process, ...units, fetchLimits, store: inStore(), ...options })), urls }
  } finally {
    await Promise.all(started.map(({ close }) => close()))
  }
}

async function readAll({ evaluations }: Pick<AuditedEvaluations, 'evaluations'>): Promise<FinalEvaluation[]> {
  const all: FinalEvaluation[] = []
  for await (const one of evaluations) all.push(one)
  return all
}

/** The nonces and statuses of a unit. */
const standings = (all: readonly FinalEvaluation[], unit: string) =>
  all.flatMap(({ evaluation, stands }) =>
    stands.flatMap(({ claimant, status }) => (claimant === unit ? [`${evaluation.nonce} ${status}`] : []))
  )
const MATCHES = ['0 match', '1 match', '2 match', '3 match', '4 match']

describe('the evaluations behind a report', { timeout: 60_000 }, () => {
  it('are those of the range in order, with their results, and can be read again', async () => {
    const { report, urls, ...rest } = await audited([{}], { from: 2 })
    const all = await readAll(rest)
    expect([report.verdict, standings(all, urls[0] ?? '')]).toEqual(['match', MATCHES.slice(2)])
    const outputs = all.map(({ evaluation: { outcome } }) => (outcome.kind === 'result' ? outcome.result.Output : undefined))
    expect(outputs).toEqual(['b', 'c', 'd'])
    expect(await readAll(rest)).toEqual(all)
    await rest.close()
    expect(leftovers()).toEqual([])
  })

  it('are given once for each unit, although a unit that differs is replayed again', async () => {
    const passes: (readonly string[])[] = []
    const onPass = (units: readonly string[]) => void passes.push(units)
    const { report, urls, ...rest } = await audited([{}, { claims: claims(3) }], { onPass })
    const [honest = '', liar = ''] = urls
    const all = await readAll(rest)
    await rest.close()
    expect(report.verdict).toBe('mismatch')
    expect([passes[0], passes.at(-1)]).toEqual([[honest, liar], [liar]])
    expect(standings(all, honest)).toEqual(MATCHES)
    expect(standings(all, liar)).toEqual(MATCHES.with(3, '3 mismatch'))
  })

  it('are given without any standing if no unit is audited', async () => {
    const { evaluations, close } = await audited([{}], { computes: [] })
    const all = await readAll({ evaluations })
    await close()
    expect(all.map(({ evaluation, stands }) => [evaluation.nonce, stands])).toEqual([0, 1, 2, 3, 4].map((nonce) => [nonce, []]))
  })

  it('are also told to a listener, whose wait holds up the replay', async () => {
    const told: (number | undefined)[] = []
    const onEvaluation: AuditOptions['onEvaluation'] = async ({ nonce }) => {
      await new Promise(setImmediate)
      told.push(nonce)
    }
    const rest = await audited([{}], { onEvaluation })
    await rest.close()
    expect(told).toEqual([0, 1, 2, 3, 4])
  })

  it('leave nothing behind if reading ends early', async () => {
    const { evaluations, close } = await audited([{}])
    for await (const { evaluation } of evaluations) if (evaluation.nonce === 1) break
    expect(leftovers()).toHaveLength(1)
    await close()
    await close()
    expect(leftovers()).toEqual([])
  })

  it('cannot be read after they are closed, not even by a reader in the middle', async () => {
    const { evaluations, close } = await audited([{}])
    const reader = evaluations[Symbol.asyncIterator]()
    await reader.next()
    await close()
    const closed = { code: 'USAGE', message: 'the evaluations of this audit are closed' }
    await expect(reader.next()).rejects.toMatchObject(closed)
    await expect(readAll({ evaluations })).rejects.toMatchObject(closed)
  })

  it('are none if an input is missing', async () => {
    const { report, ...rest } = await audited([{}], { start: { checkpoint: small.moduleId } })
    expect([report.verdict, report.range, await readAll(rest)]).toEqual(['inconclusive', null, []])
    await rest.close()
  })

  it('leave nothing behind if the audit fails', async () => {
    const archive = path.join(folder, 'none.tar.gz')
    writeFileSync(archive, 'no archive')
    await expect(auditEvaluations({ archive, store: inStore() })).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' })
    expect(leftovers()).toEqual([])
    await expect(auditEvaluations({ archive, store: 7 } as unknown as AuditOptions)).rejects.toMatchObject({
      code: 'USAGE',
      message: 'the option store must be a text'
    })
  })
})

it('many evaluations are read in the order of their replays, without those of replays that were made again', async () => {
  const store = await openStore(folder)
  try {
    const kept = createFinalEvaluations(store)
    const evaluationOf = (nonce: number): Evaluation => ({
      key: { ordinate: nonce, timestamp: 0 },
      nonce,
      outcome: { kind: 'skipped', reason: 'duplicate-push', of: 0 }
    })
    for (const [units, count] of [
      [['a', 'b', 'c'], 1_201],
      [['b'], 1_200],
      [['b'], 700],
      [['c'], 1]
    ] as const) {
      kept.begin(units)
      const stands = units.map((claimant) => ({ claimant, status: 'skipped' as const }))
      for (let nonce = 0; nonce < count; nonce++) await kept.add(evaluationOf(nonce), stands)
    }
    await kept.end()
    const read: string[] = []
    for await (const { evaluation, stands } of kept.read())
      read.push(`${evaluation.nonce} ${stands.map(({ claimant }) => claimant).join()}`)
    const expected = (unit: string, count: number) => Array.from({ length: count }, (_, nonce) => `${nonce} ${unit}`)
    expect(read).toEqual([...expected('a', 1_201), ...expected('b', 700), ...expected('c', 1)])
  } finally {
    await store.close()
  }
})
