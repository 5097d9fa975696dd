/** Whole audits with two gateways that differ, which is a finding about gateways, not about the unit. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createData, EthereumSigner } from 'arbundles'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'
import { pullArchive } from '../../src/audit/pull-archive.ts'
import type { Report } from '../../src/report/model.ts'
import type { FakeBlock, FakeClaim, FakeTransaction } from '../fakes/data.ts'
import { type FakeNetwork, type FakeNetworkOptions, startFakeNetwork } from '../fakes/network.ts'
import { compileSmallModule } from '../modules/small-module.ts'
import { type SmallProcess, signedSmallProcess } from '../modules/small-process.ts'

const FORMAT = 'wasm32-unknown-emscripten4'
const SPOILT = 2
const FETCH_LIMITS = { patienceMs: 2_000, waitMinMs: 1, waitMaxMs: 20, idleMs: 1_000 }
let small: SmallProcess
/** Like `small`, with a minute between two messages, and crons whose interval is too long to fire. */
let withCrons: SmallProcess
let folder: string
let running: FakeNetwork[]

beforeAll(async () => {
  const wasm = await compileSmallModule(FORMAT)
  small = await signedSmallProcess({ format: FORMAT, wasm, messages: ['count', 'count', 'count'] })
  withCrons = await signedSmallProcess({
    format: FORMAT,
    wasm,
    messages: ['count', 'count', 'count', 'count'],
    processTags: [{ name: 'Cron-Interval', value: '1000-blocks' }],
    intervalMs: 60_000,
    seed: 'crons'
  })
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

/** Audits honest units, whose schedule may be altered, with the given gateways. */
async function audited(units: FakeNetwork, gateways: readonly FakeNetwork[]): Promise<Report> {
  return audit({ ...optionsOf(units, gateways), process: small.process.process_id })
}

function optionsOf({ url }: FakeNetwork, gateways: readonly FakeNetwork[]) {
  const store = path.join(folder, 'store')
  return { scheduler: url, computes: [url], gateways: gateways.map((one) => one.url), fetchLimits: FETCH_LIMITS, store }
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

describe('an item that differs between two gateways', { timeout: 30_000 }, () => {
  const items = [
    ['the data of the module', () => small.moduleId, otherData],
    ['the tags of the module', () => small.moduleId, otherTags],
    ['the anchor of the process', () => small.messageIds[0] ?? '', otherAnchor],
    ['the tags of the process', () => small.messageIds[0] ?? '', otherTags],
    ['the true item of a spoilt message', () => small.messageIds[SPOILT] ?? '', otherData]
  ] as const

  it.each(items)('is taken from the gateway whose copy has a valid signature: %s', async (_, idOf, lie) => {
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
        detail: `${liar.url} serves ${id} differently from how it was signed; the version of ${good.url} is proven, and was used`
      }
    ])
  })

  it.each(items.slice(1, 3))('is not requested from the second if the first has it as signed: %s', async (_, idOf, lie) => {
    const units = await start({ ...small, schedule: spoiltSchedule(), claims: claims() })
    const good = await honest()
    const liar = await start({ ...small, transactions: otherwise(idOf(), lie) })
    const report = await audited(units, [good, liar])
    expect([report.verdict, differing(report), liar.asked('/raw/')]).toEqual(['match', [], 0])
  })

  it('is invalid as with one gateway if no copy has a valid signature', async () => {
    const units = await honest()
    const liars = [
      await start({ ...small, transactions: otherwise(small.moduleId, otherData) }),
      await start({ ...small, transactions: otherwise(small.moduleId, otherTags) })
    ]
    const report = await audited(units, liars)
    expect([report.verdict, differing(report)]).toEqual(['inconclusive', []])
    expect(report.findings.map(({ code }) => code)).toContain('MODULE_SIGNATURE_INVALID')
    // A later audit asks a gateway that is new to it.
    const good = await honest()
    const later = await audited(units, [...liars, good])
    const named = new Set(differing(later).map(({ claimant }) => claimant))
    expect([later.verdict, named]).toEqual(['match', new Set(liars.map(({ url }) => url))])
  })

  it('is not reported as differing if a gateway lacks its data, record or signature', async () => {
    const units = await honest()
    const good = await honest()
    const lacking = [absent, () => ({ signature: '' })]
    const networks = lacking.map((lacks) => start({ ...small, transactions: otherwise(small.moduleId, lacks) }))
    const empty = await start({ ...small, transactions: [] })
    const report = await audited(units, [empty, ...(await Promise.all(networks)), good])
    expect([report.verdict, differing(report)]).toEqual(['match', []])
  })

  it('is also found in an archive', async () => {
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

describe('checkpoints of two gateways', { timeout: 30_000 }, () => {
  let checkpoint: FakeTransaction
  beforeAll(async () => {
    const signer = new EthereumSigner('11'.repeat(32))
    const values = { 'Data-Protocol': 'ao', Type: 'Checkpoint', Process: small.process.process_id, Nonce: '2' }
    const more = { Timestamp: '1720000003000', 'SHA-256': '00'.repeat(32), Module: small.moduleId }
    const tags = Object.entries({ ...values, ...more }).map(([name, value]) => ({ name, value }))
    const item = createData('no memory', signer, { tags })
    await item.sign(signer)
    const owner = { address: createHash('sha256').update(item.rawOwner).digest('base64url'), key: item.owner }
    const data = Buffer.from('no memory').toString('base64')
    checkpoint = { id: item.id, height: 1_500_001, owner, signature: item.signature, anchor: '', target: '', tags, data }
  })

  it.each([0, 1])('are collected from both lists, and a shorter list is no fault (gateway %i lists one)', async (place) => {
    const units = await honest()
    const listing = await start({ ...small, transactions: [...small.transactions, checkpoint] })
    const gateways = place === 0 ? [listing, await honest()] : [await honest(), listing]
    const report = await audited(units, gateways)
    expect(report.checkpoints.map(({ id }) => id)).toEqual([checkpoint.id])
    expect(differing(report)).toEqual([])
  })

  it('are taken from the gateway that has the data as signed', async () => {
    const units = await honest()
    const good = await start({ ...small, transactions: [...small.transactions, checkpoint] })
    const liar = await start({ ...small, transactions: [...small.transactions, { ...checkpoint, ...otherData() }] })
    const report = await audited(units, [liar, good])
    expect(differing(report).map(({ claimant }) => claimant)).toEqual([liar.url])
    expect(report.findings.map(({ code }) => code)).not.toContain('CHECKPOINT_SIGNATURE_INVALID')
  })
})

describe('blocks of a process with crons', { timeout: 30_000 }, () => {
  const DISPUTED = 1_500_001
  const DISPUTED_AT = 1_720_000_120_000

  /** The unit answers 99 to the message of one nonce. */
  const unitsBut = (nonce?: number) =>
    start({
      ...withCrons,
      claims: [1, 2, 3, 4].map((one) => ({
        id: withCrons.messageIds[one] ?? '',
        status: 200,
        result: result(one === nonce ? '99' : String(one))
      }))
    })
  const auditedCrons = async (units: FakeNetwork, gateways: readonly FakeNetwork[]) =>
    audit({ ...optionsOf(units, gateways), process: withCrons.process.process_id })
  const withBlocks = (alter: (blocks: readonly FakeBlock[]) => FakeBlock[]) =>
    start({ ...withCrons, blocks: alter(withCrons.blocks) })
  const liarOf = () =>
    withBlocks((blocks) =>
      blocks.map((block) => (block.height === DISPUTED ? { ...block, timestamp: block.timestamp + 1000 } : block))
    )

  it.each([0, 1])('are reported as a finding about gateways if they differ (the liar is gateway %i)', async (place) => {
    const units = await unitsBut()
    const good = await start(withCrons)
    const liar = await liarOf()
    const said = [`${DISPUTED_AT} ms at ${good.url}`, `${DISPUTED_AT + 1000} ms at ${liar.url}`]
    const [first, second] = place === 0 ? said.toReversed() : said
    const report = await auditedCrons(units, place === 0 ? [liar, good] : [good, liar])
    expect(report.verdict).toBe('match')
    expect(differing(report)).toEqual([
      {
        code: 'GATEWAYS_DIFFER',
        severity: 'warning',
        attribution: 'gateway',
        count: 1,
        detail: `block ${DISPUTED} has the time ${first} and ${second}: no unit is blamed from there on, because crons fire by blocks`
      }
    ])
  })

  it.each([
    [1, 'mismatch'],
    [2, 'inconclusive'],
    [3, 'inconclusive']
  ] as const)('prevent any blame from their time on if they differ: a lie at nonce %i is %s', async (nonce, verdict) => {
    const gateways = [await liarOf(), await start(withCrons)]
    const report = await auditedCrons(await unitsBut(nonce), gateways)
    expect([report.verdict, report.firstDivergence?.nonce]).toEqual([verdict, verdict === 'mismatch' ? nonce : undefined])
    if (verdict === 'inconclusive')
      expect(report.reasons.join()).toContain(`gateways disagree about the time of block ${DISPUTED}`)
  })

  it('are not reported as differing if a gateway lacks some or all of them', async () => {
    const behind = await withBlocks((blocks) => blocks.slice(0, 2))
    const none = await withBlocks(() => [])
    const broken = await start({ ...withCrons, faults: [{ kind: 'status', status: 500, path: '/graphql', unit: 'gateway' }] })
    const report = await auditedCrons(await unitsBut(3), [none, behind, broken, await start(withCrons)])
    expect([report.verdict, report.firstDivergence?.nonce, differing(report)]).toEqual(['mismatch', 3, []])
  })

  it('are also compared in an archive', async () => {
    const units = await unitsBut(3)
    const gateways = [await liarOf(), await start(withCrons)]
    const file = path.join(folder, 'run.tar.gz')
    await pullArchive({ ...optionsOf(units, gateways), process: withCrons.process.process_id }, file)
    const online = await auditedCrons(units, gateways)
    const offline = await audit({ archive: file })
    expect([offline.verdict, offline.findings]).toEqual(['inconclusive', online.findings])
    expect(differing(offline)).toHaveLength(1)
  })

  it('are also requested from a gateway that a later audit adds', async () => {
    const units = await unitsBut(3)
    const liar = await liarOf()
    const alone = await auditedCrons(units, [liar])
    expect([alone.verdict, differing(alone)]).toEqual(['mismatch', []])
    const later = await auditedCrons(units, [liar, await start(withCrons)])
    expect([later.verdict, differing(later).length]).toEqual(['inconclusive', 1])
  })

  it('are read only as far as the schedule allows, and nobody is blamed, if a gateway sends early ones without end', async () => {
    const units = await unitsBut(3)
    const began = withCrons.blocks[1]?.timestamp ?? 0
    // Each has its own height, and none is later than the last message.
    const endless = await start({
      ...withCrons,
      get blocks() {
        return Array.from({ length: 5000 }, (_, place) => ({ height: 1_499_999 + place, timestamp: began + place }))
      }
    })
    const report = await auditedCrons(units, [endless])
    expect(report.verdict).toBe('inconclusive')
    expect(report.reasons.join()).toContain('so many blocks cannot exist')
    expect(report.unreachable.map(({ url }) => url)).toEqual([endless.url])
    expect(endless.asked('blocks(')).toBeLessThan(100)
  })

  it('are taken from another gateway if one sends early ones without end', async () => {
    const units = await unitsBut()
    const endless = await withBlocks((blocks) => [
      ...blocks,
      ...Array.from({ length: 3000 }, (_, place) => ({
        height: (blocks.at(-1)?.height ?? 0) + 1 + place,
        timestamp: blocks[1]?.timestamp ?? 0
      }))
    ])
    const report = await auditedCrons(units, [endless, await start(withCrons)])
    expect(report.verdict).not.toBe('mismatch')
    expect(endless.asked('blocks(')).toBeLessThan(100)
  })
})
