/** Whole audits over two gateways, one of which says otherwise: that is a finding about gateways, not about the unit. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { audit, pullArchive } from '../../src/audit.ts'
import type { Report } from '../../src/report/model.ts'
import type { FakeClaim, FakeTransaction } from '../fakes/data.ts'
import { type FakeNetwork, type FakeNetworkOptions, startFakeNetwork } from '../fakes/network.ts'
import { compileSmallModule } from '../modules/small-module.ts'
import { type SmallProcess, signedSmallProcess } from '../modules/small-process.ts'

const FORMAT = 'wasm32-unknown-emscripten4'
const SPOILT = 2
const FETCH_LIMITS = { patienceMs: 500, waitMinMs: 1, waitMaxMs: 20, idleMs: 500 }
let small: SmallProcess
let folder: string
let running: FakeNetwork[]

beforeAll(async () => {
  const wasm = await compileSmallModule(FORMAT)
  small = await signedSmallProcess({ format: FORMAT, wasm, messages: ['count', 'count', 'count'] })
})
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-gateways-'))
  running = []
})
afterEach(async () => {
  await Promise.all(running.map(({ close }) => close()))
  rmSync(folder, { recursive: true, force: true })
})

async function start(options: FakeNetworkOptions): Promise<FakeNetwork> {
  const network = await startFakeNetwork(options)
  running.push(network)
  return network
}

const result = (output: string) => ({ Messages: [], Assignments: [], Spawns: [], Output: output, GasUsed: 0 })
const claims = (): FakeClaim[] =>
  [1, 2, 3].map((nonce) => ({ id: small.messageIds[nonce] ?? '', status: 200, result: result(String(nonce)) }))

/** The units, all honest but that the schedule may be spoilt, and the gateways as given. */
async function audited(units: FakeNetwork, gateways: readonly FakeNetwork[]): Promise<Report> {
  return audit({ ...optionsOf(units, gateways), process: small.process.process_id })
}

function optionsOf({ url }: FakeNetwork, gateways: readonly FakeNetwork[]) {
  const store = path.join(folder, 'store')
  return { scheduler: url, compute: [url], gateway: gateways.map((one) => one.url), fetchLimits: FETCH_LIMITS, store }
}

const differing = ({ findings }: Report) => findings.filter(({ code }) => code === 'GATEWAYS_DIFFER')

function otherwise(id: string, fields: (served: FakeTransaction) => Partial<FakeTransaction>): FakeTransaction[] {
  return small.transactions.map((one) => (one.id === id ? { ...one, ...fields(one) } : one))
}

const otherData = () => ({ data: Buffer.from('of a liar').toString('base64') })
const otherTags = ({ tags }: FakeTransaction) => ({ tags: [...tags, { name: 'Liar', value: 'yes' }] })
const otherAnchor = () => ({ anchor: Buffer.alloc(32, 7).toString('base64url') })
const absent = () => ({ data: undefined as unknown as string })

function spoiltSchedule(): SmallProcess['schedule'] {
  return small.schedule.map((edge, nonce) => {
    const { message } = edge.node
    if (nonce !== SPOILT || message === null) return edge
    return { ...edge, node: { ...edge.node, message: { ...message, data: 'echo spoilt' } } }
  })
}

const honest = () => start({ ...small, claims: claims() })

describe('an item that two gateways have differently', { timeout: 30_000 }, () => {
  const items = [
    ['the data of the module', () => small.moduleId, otherData],
    ['the tags of the module', () => small.moduleId, otherTags],
    ['the anchor of the process', () => small.messageIds[0] ?? '', otherAnchor],
    ['the tags of the process', () => small.messageIds[0] ?? '', otherTags],
    ['the true item of a spoilt message', () => small.messageIds[SPOILT] ?? '', otherData]
  ] as const

  it.each(items)('is taken where it proves itself: %s', async (_, idOf, lie) => {
    const id = idOf()
    const units = await start({ ...small, schedule: spoiltSchedule(), claims: claims() })
    const good = await honest()
    const liar = await start({ ...small, transactions: otherwise(id, lie) })
    const report = await audited(units, [liar, good])
    expect(report.verdict).toBe('match')
    expect(differing(report)).toEqual([
      {
        code: 'GATEWAYS_DIFFER',
        severity: 'error',
        attribution: 'gateway',
        claimant: liar.url,
        detail: `${liar.url} has ${id} otherwise than it was signed; what ${good.url} has proves itself, and was taken`
      }
    ])
  })

  it.each(items.slice(1, 3))('is asked of nobody else where the first has it as signed: %s', async (_, idOf, lie) => {
    const units = await start({ ...small, schedule: spoiltSchedule(), claims: claims() })
    const good = await honest()
    const liar = await start({ ...small, transactions: otherwise(idOf(), lie) })
    const report = await audited(units, [good, liar])
    expect([report.verdict, differing(report), liar.asked('/raw/')]).toEqual(['match', [], 0])
  })

  it('is as with one gateway where none has what proves itself', async () => {
    const units = await honest()
    const liars = [
      await start({ ...small, transactions: otherwise(small.moduleId, otherData) }),
      await start({ ...small, transactions: otherwise(small.moduleId, otherTags) })
    ]
    const report = await audited(units, liars)
    expect([report.verdict, differing(report)]).toEqual(['inconclusive', []])
    expect(report.findings.map(({ code }) => code)).toContain('MODULE_SIGNATURE_INVALID')
    // A later audit that names another gateway asks it.
    const good = await honest()
    const later = await audited(units, [...liars, good])
    expect([
      later.verdict,
      differing(later)
        .map(({ claimant }) => claimant)
        .sort()
    ]).toEqual(['match', liars.map(({ url }) => url).sort()])
  })

  it('does not differ where a gateway has no data, no record or no signature of it', async () => {
    const units = await honest()
    const good = await honest()
    const lacking = [absent, () => ({ signature: '' })]
    const networks = lacking.map((lacks) => start({ ...small, transactions: otherwise(small.moduleId, lacks) }))
    const empty = await start({ ...small, transactions: [] })
    const report = await audited(units, [empty, ...(await Promise.all(networks)), good])
    expect([report.verdict, differing(report)]).toEqual(['match', []])
  })

  it('is found in an archive, too', async () => {
    const units = await honest()
    const liar = await start({ ...small, transactions: otherwise(small.moduleId, otherData) })
    const file = path.join(folder, 'run.tar.gz')
    const gateways = [liar, await honest()]
    await pullArchive({ ...optionsOf(units, gateways), process: small.process.process_id }, file)
    const online = await audited(units, gateways)
    const offline = await audit({ archive: file })
    expect(differing(online)).toHaveLength(1)
    expect([offline.verdict, offline.findings]).toEqual([online.verdict, online.findings])
  })
})
