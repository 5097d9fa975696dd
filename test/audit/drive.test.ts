/** Whole audits of processes that open WeaveDrive files, over HTTP and offline. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createData, EthereumSigner } from 'arbundles'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'
import type { AuditOptions } from '../../src/audit/audit-options.ts'
import { pullArchive } from '../../src/audit/pull-archive.ts'
import type { Tag } from '../../src/model/records.ts'
import type { Report } from '../../src/report/model.ts'
import type { FakeClaim, FakeTransaction } from '../fakes/data.ts'
import { type FakeNetwork, type FakeNetworkOptions, startFakeNetwork } from '../fakes/network.ts'
import { compileSmallModule } from '../modules/small-module.ts'
import { type SmallProcess, signedSmallProcess } from '../modules/small-process.ts'

/** The unit always provides WeaveDrive to this format. */
const FORMAT = 'wasm64-unknown-emscripten-draft_2024_02_15'
const HEIGHT = 1_500_000
const TEXT = 'The quick brown fox jumps over the lazy dog'
const attestor = new EthereumSigner(createHash('sha256').update('attestor').digest('hex'))
const publisher = new EthereumSigner(createHash('sha256').update('file publisher').digest('hex'))
let wasm: Uint8Array
let file: FakeTransaction
let folder: string

beforeAll(async () => {
  wasm = await compileSmallModule(FORMAT)
  file = await signed(TEXT, { 'Content-Type': 'text/plain' })
})
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-drive-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function signed(
  data: string,
  tags: Readonly<Record<string, string>>,
  { by = publisher, height = HEIGHT - 10 } = {}
): Promise<FakeTransaction> {
  const item = createData(data, by, { tags: tagsOf(tags) })
  await item.sign(by)
  return {
    id: item.id,
    height,
    owner: { address: addressOf(by), key: by.publicKey.toString('base64url') },
    signature: item.signature,
    anchor: '',
    target: '',
    tags: tagsOf(tags),
    data: Buffer.from(data).toString('base64')
  }
}

const tagsOf = (values: Readonly<Record<string, string>>): Tag[] =>
  Object.entries(values).map(([name, value]) => ({ name, value }))
const addressOf = (signer: EthereumSigner) => createHash('sha256').update(signer.publicKey).digest('base64url')

const EXTENDED: readonly Tag[] = tagsOf({ Extension: 'WeaveDrive', Attestor: addressOf(attestor) })
const onBoot = (id: string): Tag[] => [...EXTENDED, ...tagsOf({ 'On-Boot': id })]

function process(processTags: readonly Tag[], messages: readonly string[]): Promise<SmallProcess> {
  return signedSmallProcess({ format: FORMAT, wasm, messages, processTags })
}

/** A unit that answers nonces 1, 2, … with these Outputs. */
function claims({ messageIds }: SmallProcess, outputs: readonly string[]): FakeClaim[] {
  return outputs.map((Output, place) => ({
    id: messageIds[place + 1] ?? '',
    status: 200,
    result: { Messages: [], Assignments: [], Spawns: [], Output, GasUsed: 0 }
  }))
}

function sourcesOf(url: string, store: string): Partial<AuditOptions> {
  const fetchLimits = { patienceMs: 2000, waitMinMs: 1, waitMaxMs: 20, idleMs: 2000 }
  return { scheduler: url, gateways: [url], computes: [url], fetchLimits, store: path.join(folder, store) }
}

async function withNetwork<T>(options: FakeNetworkOptions, use: (network: FakeNetwork) => Promise<T>): Promise<T> {
  const network = await startFakeNetwork(options)
  try {
    return await use(network)
  } finally {
    await network.close()
  }
}

function audited(small: SmallProcess, files: readonly FakeTransaction[], outputs: readonly string[]): Promise<Report> {
  const served = { ...small, transactions: [...small.transactions, ...files], claims: claims(small, outputs) }
  return withNetwork(served, ({ url }) => audit({ process: small.process.process_id, ...sourcesOf(url, 'store') }))
}

const found = ({ findings }: Report) =>
  findings.filter(({ severity }) => severity === 'error').map(({ code, nonce, detail }) => [code, nonce, detail])

describe('a process that opens files', { timeout: 30_000 }, () => {
  it('is a match over a file whose signature is valid, and a mismatch if the unit differs', async () => {
    const small = await process(onBoot(file.id), ['count', `file 1 9 /data/${file.id}`, 'count'])
    const honest = await audited(small, [file], ['1', 'The quick', '2'])
    expect([honest.verdict, found(honest)]).toEqual(['match', []])
    expect(honest.coverage).toMatchObject({ compared: 4, unverified: 0 })
    const lying = await audited(small, [file], ['1', 'The quack', '2'])
    expect([lying.verdict, lying.firstDivergence?.nonce]).toEqual(['mismatch', 2])
  })

  it('is a match over a file that an attestation makes readable, but nobody is blamed from there on', async () => {
    const small = await process(EXTENDED, ['count', `file 1 9 /data/${file.id}`, 'count'])
    const opened = { Type: 'Attestation', Message: file.id, 'Data-Protocol': 'ao' }
    const files = [file, await signed('', opened, { by: attestor })]
    const honest = await audited(small, files, ['1', 'The quick', '2'])
    expect(honest.verdict).toBe('match')
    expect(honest.coverage).toMatchObject({ compared: 4, unverified: 1 })
    const differing = await audited(small, files, ['1', 'The quick', '7'])
    expect([differing.verdict, differing.firstDivergence]).toEqual(['inconclusive', null])
    expect(differing.reasons.join()).toContain('nothing proves that the unit found the attestation')
    const before = await audited(small, files, ['5', 'The quick', '2'])
    expect([before.verdict, before.firstDivergence?.nonce]).toEqual(['mismatch', 1])
  })

  it('cannot read a file that is attested by another owner, in a later block, or by another kind of item', async () => {
    const small = await process(EXTENDED, ['count', `file 1 9 /data/${file.id}`])
    const attests = { Type: 'Attestation', Message: file.id, 'Data-Protocol': 'ao' }
    const useless = [
      await signed('', attests, { by: publisher }),
      await signed('', attests, { by: attestor, height: HEIGHT + 1 }),
      await signed('', { Type: 'Available', ID: file.id, 'Data-Protocol': 'WeaveDrive' }, { by: attestor })
    ]
    const report = await audited(small, [file, ...useless], ['1', 'The quick'])
    expect(report.verdict).toBe('inconclusive')
    const why = `gateways know no attestation up to block ${HEIGHT} that lets the process read it`
    expect(found(report)).toEqual([['INPUT_MISSING', 2, `the module opened /data/${file.id}: ${why}`]])
  })

  it('reads a file that is made available to it alone if it has that availability type', async () => {
    const tags = [...EXTENDED, ...tagsOf({ 'Availability-Type': 'Individual' })]
    const small = await process(tags, [`file 1 9 /data/${file.id}`])
    const available = await signed('', { Type: 'Available', ID: file.id, 'Data-Protocol': 'WeaveDrive' }, { by: attestor })
    expect((await audited(small, [file, available], ['The quick'])).verdict).toBe('match')
  })

  it('blames nobody for a read whose range gateways may answer in different ways', async () => {
    const small = await process(onBoot(file.id), [`slurp /data/${file.id}`, 'count'])
    expect((await audited(small, [file], [TEXT, '1'])).verdict).toBe('match')
    const report = await audited(small, [file], ['range not satisfiable', '3'])
    expect([report.verdict, report.firstDivergence]).toEqual(['inconclusive', null])
  })

  it('blames nobody if the gateway altered the file', async () => {
    const small = await process(onBoot(file.id), [`file 1 9 /data/${file.id}`])
    const spoilt = { ...file, data: Buffer.from(TEXT.replace('quick', 'quack')).toString('base64') }
    const report = await audited(small, [spoilt], ['The quick'])
    expect([report.verdict, report.firstDivergence]).toEqual(['inconclusive', null])
    expect(report.reasons.join()).toContain('is not proven')
  })

  it('has a report that names the file that no gateway has and judges the nonces before it', async () => {
    const small = await process(onBoot(file.id), ['count', `file 1 9 /data/${file.id}`, 'count'])
    const report = await audited(small, [], ['1', 'The quick', '2'])
    expect(report.verdict).toBe('inconclusive')
    expect(found(report)).toEqual([['INPUT_MISSING', 2, `the module opened /data/${file.id}: no gateway has it`]])
    expect(report.coverage.compared).toBe(2)
  })

  it('cannot read a manifest, because gateways serve another file under its id', async () => {
    const manifest = await signed('{}', { 'Content-Type': 'application/x.arweave-manifest+json' })
    const small = await process(onBoot(manifest.id), [`file 1 2 /data/${manifest.id}`])
    const report = await audited(small, [manifest], ['{}'])
    expect(report.verdict).toBe('inconclusive')
    expect(report.reasons.join()).toContain('it is a manifest')
  })

  it('reads the same files offline from an archive', async () => {
    const owner = publisher.publicKey.toString('base64url')
    const words = [`file 1 9 /data/${file.id}`, 'slurp /block/1499999', `slurp /tx/${file.id}`]
    const small = await process(onBoot(file.id), words)
    const pages = { '/block/height/1499999': '{"height":1499999}', [`/tx/${file.id}`]: `{"format":2, "owner":"${owner}"}` }
    const header = `{"format":2,"owner":"${owner}","ownerAddress":"${addressOf(publisher)}"}`
    const served = {
      ...small,
      pages,
      transactions: [...small.transactions, file],
      claims: claims(small, ['The quick', '{"height":1499999}', header])
    }
    const archive = path.join(folder, 'drive.tar.gz')
    const { process_id } = small.process
    await withNetwork(served, ({ url }) => pullArchive({ process: process_id, ...sourcesOf(url, 'store') }, archive))
    const report = await audit({ archive })
    expect([report.verdict, report.coverage.compared, found(report)]).toEqual(['match', 4, []])
    expect(report.coverage.unverified).toBe(2)
  })

  it('has a report that names the file that is missing from an archive', async () => {
    const small = await process(EXTENDED, [`file 1 9 /data/${file.id}`])
    const archive = path.join(folder, 'drive.tar.gz')
    const { process_id } = small.process
    const served = { ...small, claims: claims(small, ['The quick']) }
    await withNetwork(served, ({ url }) => pullArchive({ process: process_id, ...sourcesOf(url, 'store') }, archive))
    const report = await audit({ archive })
    expect(report.verdict).toBe('inconclusive')
    expect(found(report)).toEqual([
      [
        'INPUT_MISSING',
        1,
        `the module opened /data/${file.id}: the store holds no attestation up to block ${HEIGHT} that lets the process read it`
      ]
    ])
  })
})
