/** The digest of an audit's inputs: equal for equal inputs, different for different inputs. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import tar from 'tar-stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readArchivedRun } from '../../src/audit/archived-run.ts'
import { audit } from '../../src/audit/audit.ts'
import type { AuditOptions } from '../../src/audit/audit-options.ts'
import { pullArchive } from '../../src/audit/pull-archive.ts'
import { digestOfInputs } from '../../src/audit/run-records.ts'
import type { Inputs } from '../../src/inputs/inputs.ts'
import type { Run } from '../../src/inputs/run-record.ts'
import { type ProcessItem, tagValue } from '../../src/model/records.ts'
import { openStore } from '../../src/store/level-store.ts'
import type { RecordKey, Store } from '../../src/store/store.ts'
import { canonicalJson } from '../../src/util/canonical-json.ts'
import { type FakeNetwork, startFakeNetwork } from '../fakes/network.ts'
import { compileSmallModule } from '../modules/small-module.ts'
import { type SmallProcess, signedSmallProcess } from '../modules/small-process.ts'

const FORMAT = 'wasm32-unknown-emscripten4'
const WORDS = ['count', 'count', 'count', 'count', 'count', 'count']
let small: SmallProcess
let network: FakeNetwork
let folder: string
let archive: string

const inFolder = (name: string) => path.join(folder, name)

/** The options for an audit over the network with its own store. */
function units(store: string): AuditOptions & { process: string } {
  const { url } = network
  return { process: small.process.process_id, scheduler: url, gateways: [url], computes: [url], store: inFolder(store) }
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-digest-'))
  archive = inFolder('small.tar.gz')
  small = await signedSmallProcess({ format: FORMAT, wasm: await compileSmallModule(FORMAT), messages: WORDS })
  const claims = WORDS.map((_, place) => ({
    id: small.messageIds[place + 1] ?? '',
    status: 200,
    result: { Messages: [], Assignments: [], Spawns: [], Output: String(place + 1), GasUsed: 0 }
  }))
  network = await startFakeNetwork({ ...small, claims })
  await pullArchive({ ...units('pulled'), to: 4 }, archive)
})
afterAll(async () => {
  await network.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Reads the lines of an archive's records. */
async function linesOf(file: string): Promise<string[]> {
  const extract = tar.extract()
  extract.end(gunzipSync(readFileSync(file)))
  for await (const entry of extract) {
    const chunks: Uint8Array[] = []
    for await (const chunk of entry as AsyncIterable<Uint8Array>) chunks.push(chunk)
    if (entry.header.name === 'records.jsonl') return Buffer.concat(chunks).toString().trimEnd().split('\n')
  }
  return []
}

describe('the digest of an audit’s inputs', { timeout: 30_000 }, () => {
  it('is the hash of the archive’s records in canonical form, without the run and the times of answers', async () => {
    const counted = (await linesOf(archive)).flatMap((line) => {
      const [key, value] = JSON.parse(line)
      delete value.receivedAt
      return key[0] === 'run' ? [] : `${canonicalJson([key, value])}\n`
    })
    expect(counted.length).toBeGreaterThan(12)
    const { inputsDigest } = await audit({ archive })
    expect(inputsDigest).toBe(createHash('sha256').update(counted.join('')).digest('hex'))
  })

  it('is the same for the same archive, whichever part is judged and with which options', async () => {
    const { inputsDigest } = await audit({ archive })
    const others: Partial<AuditOptions>[] = [{ to: 2 }, { from: 3 }, { jobs: 1, profile: 'loader-0.0.49' }, { search: false }]
    for (const options of others) expect((await audit({ archive, ...options })).inputsDigest).toBe(inputsDigest)
  })

  it('is the same for the same answers over the network, even if the store holds a longer schedule', async () => {
    const { inputsDigest } = await audit({ archive })
    expect((await audit({ ...units('network'), to: 4 })).inputsDigest).toBe(inputsDigest)
    const longer = await audit(units('network'))
    expect(longer.range?.to).toBe(6)
    expect(longer.inputsDigest).not.toBe(inputsDigest)
    expect((await audit({ ...units('network'), to: 4 })).inputsDigest).toBe(inputsDigest)
  })

  it('is null if nothing was judged', async () => {
    const nobody = 'A'.repeat(43)
    const { verdict, inputsDigest } = await audit({ ...units('nothing'), process: nobody })
    expect([verdict, inputsDigest]).toEqual(['inconclusive', null])
  })
})

describe('a record of the store', () => {
  let store: Store
  let inputs: Inputs
  let run: Run
  let process: Pick<ProcessItem, 'moduleId'>

  beforeAll(async () => {
    store = await openStore(inFolder('ledger'))
    const read = await readArchivedRun('demo/ledger.tar.gz', store)
    inputs = read.inputs
    run = read.run
    const { tags = [] } = (await inputs.items.process(run.process, run.scheduler)) ?? {}
    process = { moduleId: (tagValue(tags, 'Module') ?? '') as ProcessItem['moduleId'] }
  })
  afterAll(() => store.close())

  /** Computes the digest while a record has another value; undefined removes the record. */
  async function digestWith(key: RecordKey, value: unknown): Promise<string> {
    const before = await store.get(key)
    await store.put([[key, value]])
    const digest = await digestOfInputs(store, inputs, run, process)
    await store.put([[key, before]])
    return digest
  }

  it('changes the digest when altered or removed, unless it is the run', async () => {
    const digest = await digestOfInputs(store, inputs, run, process)
    const kinds = new Set<string>()
    const unnoticed: RecordKey[] = []
    for await (const [key, value] of store.list<object>([])) {
      kinds.add(String(key[0]))
      const altered = await digestWith(key, { ...value, more: 1 })
      const removed = await digestWith(key, undefined)
      if (altered === digest || removed === digest) unnoticed.push(key)
    }
    expect(kinds).toEqual(new Set(['claim', 'listing', 'process', 'run', 'schedule', 'transaction', 'unavailable']))
    expect(unnoticed).toEqual([['run', run.process, run.id]])
  })

  it('does not change the digest when its members come in another order', async () => {
    const digest = await digestOfInputs(store, inputs, run, process)
    for await (const [key, value] of store.list<object>([])) {
      const turned = Object.fromEntries(Object.entries(value).reverse())
      expect(await digestWith(key, turned)).toBe(digest)
    }
  })

  it('does not change the digest if it belongs to another process, another run or a later nonce', async () => {
    const digest = await digestOfInputs(store, inputs, run, process)
    const strangers: RecordKey[] = [
      ['schedule', run.scheduler, 'another', 1],
      ['claim', 'another', 'unit', 1, '', 1, 'result', 'x'],
      ['transaction', 'another'],
      ['schedule', run.scheduler, run.process, run.to + 1],
      ['anomaly', run.scheduler, run.process, run.to + 1, 'gap']
    ]
    for (const key of strangers) expect(await digestWith(key, { id: key[1] })).toBe(digest)
  })
})
