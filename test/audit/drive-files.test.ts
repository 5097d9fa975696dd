/** Files are read from the store first, then from gateways, within limits. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fetchError } from '../../src/fetch/fetch-error.ts'
import type { GatewaySource, TransactionQuery } from '../../src/fetch/unit-sources.ts'
import { createInputs, type Inputs } from '../../src/inputs/inputs.ts'
import { AuditError } from '../../src/model/errors.ts'
import type { Address, TransactionId } from '../../src/model/ids.ts'
import type { ModuleItem, ProcessItem, Tag, TransactionRecord } from '../../src/model/records.ts'
import { createDriveFiles, type DriveLimits } from '../../src/pull/drive-files.ts'
import type { DriveAnswer } from '../../src/replay/drive/source.ts'
import { openStore } from '../../src/store/level-store.ts'
import type { Store } from '../../src/store/store.ts'
import { sealSigned } from '../../src/verify/seal.ts'
import { idOf } from '../fakes/data.ts'

const FILE = idOf('file') as TransactionId
const OTHER = idOf('other file') as TransactionId
const ATTESTATION = idOf('attestation') as TransactionId
const SCHEDULER = idOf('scheduler') as Address
const URL = 'https://gateway.example'
let folder: string
let store: Store
let inputs: Inputs

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-drive-files-'))
  store = await openStore(folder)
  inputs = createInputs(store)
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

const tag = (name: string, value: string): Tag => ({ name, value })
const OPEN = [tag('Availability-Type', 'test')]
const ATTESTED = [tag('Extension', 'WeaveDrive'), tag('Scheduler', SCHEDULER)]

function record(id: TransactionId, fields: Partial<TransactionRecord> = {}): TransactionRecord {
  const owner = { address: SCHEDULER, key: '' }
  return { id, owner, tags: [], recipient: '', anchor: '', signature: '', blockHeight: 90, gateway: URL, ...fields }
}

interface Served {
  readonly records?: readonly TransactionRecord[]
  /** By path. */
  readonly files?: Readonly<Record<string, string | AuditError>>
}

/** A gateway that has these records and files, with a log of the requests. */
function gatewayOf({ records = [], files = {} }: Served): GatewaySource & { readonly asked: string[] } {
  const asked: string[] = []
  const serve = async (at: string) => {
    asked.push(at)
    const found = Object.hasOwn(files, at) ? files[at] : undefined
    if (found instanceof AuditError) throw found
    return found === undefined ? undefined : { bytes: Buffer.from(found), gateway: URL }
  }
  return {
    asked,
    urls: [URL],
    listedBy: [URL],
    each() {
      return [this]
    },
    async transactions({ ids, tags = [] }: TransactionQuery) {
      asked.push(
        ids === undefined ? `tags ${tags.map(({ name, values }) => `${name}=${values.join()}`).join(' ')}` : `ids ${ids.join()}`
      )
      return records.filter(({ id }) => (ids === undefined ? id === ATTESTATION : ids.includes(id)))
    },
    raw: (id) => serve(`/raw/${id}`),
    headerBytes: (id) => serve(`/tx/${id}`),
    blockBytes: (height) => serve(`/block/${height}`),
    header: async () => undefined,
    blocks: async () => [],
    unheard: () => []
  }
}

function drive(tags: readonly Tag[], gateway?: GatewaySource, limits?: DriveLimits) {
  const process = sealSigned({ id: idOf('process'), tags } as unknown as ProcessItem)
  const module = sealSigned({
    tags: [tag('Module-Format', 'wasm64-unknown-emscripten-draft_2024_02_15')]
  } as unknown as ModuleItem)
  return createDriveFiles({
    store,
    inputs,
    process,
    module,
    ...(gateway === undefined ? {} : { gateway }),
    ...(limits === undefined ? {} : { limits })
  })
}

const data = (id: string, blockHeight = 100) => ({ kind: 'data', id, blockHeight }) as const
const contentOf = (answer: DriveAnswer) => (answer.kind === 'file' ? readFileSync(answer.path, 'utf8') : answer.reason)

describe('the data of a file', () => {
  const served = { records: [record(FILE)], files: { [`/raw/${FILE}`]: 'content' } }

  it('is fetched once and then read from the store', async () => {
    const gateway = gatewayOf(served)
    const files = drive(OPEN, gateway)
    const answers = await Promise.all([files.ask(data(FILE)), files.ask(data(FILE)), files.ask(data(FILE, 5))])
    expect(answers.map(contentOf)).toEqual(['content', 'content', 'content'])
    expect(answers[0]).toMatchObject({ bytes: 7, assumed: expect.stringContaining(`the file /data/${FILE} is not proven`) })
    expect(contentOf(await drive(OPEN).ask(data(FILE)))).toBe('content')
    expect(await inputs.drive.files(idOf('process') as ProcessItem['id'])).toEqual([{ kind: 'data', id: FILE }])
  })

  it('is missing if no gateway has it or none can be asked', async () => {
    const missing = (reason: string) => ({ kind: 'refused', reason, missing: true })
    expect(await drive(OPEN, gatewayOf({})).ask(data(FILE))).toEqual(missing('no gateway has it'))
    expect(await drive(OPEN, gatewayOf({ records: [record(FILE)] })).ask(data(FILE))).toEqual(missing('no gateway has it'))
    expect(await drive(OPEN).ask(data(FILE))).toEqual(missing('the store does not hold it'))
    const away = fetchError('UNIT_UNREACHABLE', { role: 'gateway', url: URL }, 'no gateway answered')
    const gateway = gatewayOf({ records: [record(FILE)], files: { [`/raw/${FILE}`]: away } })
    expect(await drive(OPEN, gateway).ask(data(FILE))).toEqual(missing('no gateway answered'))
  })

  it('is refused beyond the limits for one file, for the number of files and for all bytes together', async () => {
    const both = { records: [record(FILE), record(OTHER)], files: { ...served.files, [`/raw/${OTHER}`]: 'other content' } }
    const within = { fileBytes: 13, totalBytes: 20, files: 2 }
    const ask = async (limits: DriveLimits) => {
      const files = drive(OPEN, gatewayOf(both), limits)
      return [contentOf(await files.ask(data(FILE))), contentOf(await files.ask(data(OTHER)))]
    }
    expect(await ask(within)).toEqual(['content', 'other content'])
    expect((await ask({ ...within, fileBytes: 12 }))[1]).toBe("it has 13 bytes, more than the auditor's limit of 12")
    expect((await ask({ ...within, totalBytes: 19 }))[1]).toContain('all files together exceed the auditor')
    expect((await ask({ ...within, files: 1 }))[1]).toContain('all files together exceed the auditor')
  })

  it('is refused by a limit of the auditor, not called missing, if it is too large to fetch', async () => {
    const large = fetchError('ANSWER_TOO_LARGE', { role: 'gateway', url: URL }, 'larger than 13 bytes')
    const gateway = gatewayOf({ records: [record(FILE)], files: { [`/raw/${FILE}`]: large } })
    expect(await drive(OPEN, gateway).ask(data(FILE))).toEqual({ kind: 'refused', reason: 'larger than 13 bytes' })
  })

  it('is no longer fetched once the audit is interrupted', async () => {
    const interrupted = new AuditError('INTERRUPTED', 'interrupted')
    const gateway = gatewayOf({ records: [record(FILE)], files: { [`/raw/${FILE}`]: interrupted } })
    await expect(drive(OPEN, gateway).ask(data(FILE))).rejects.toBe(interrupted)
  })
})

describe('an attestation', () => {
  const files = { [`/raw/${FILE}`]: 'content' }
  const by = (blockHeight: number | null, address: string = SCHEDULER) =>
    gatewayOf({ records: [record(FILE), record(ATTESTATION, { blockHeight, owner: { address, key: '' } })], files })

  it('makes a file readable from its own block on and is kept in the store', async () => {
    const gateway = by(90)
    const opened = await drive(ATTESTED, gateway).ask(data(FILE, 90))
    expect(opened).toMatchObject({ kind: 'file', assumed: expect.stringContaining(ATTESTATION) })
    expect(gateway.asked[0]).toBe(`tags Type=Attestation Message=${FILE} Data-Protocol=ao`)
    expect(contentOf(await drive(ATTESTED).ask(data(FILE, 95)))).toBe('content')
    expect((await drive(ATTESTED).ask(data(FILE, 89))).kind).toBe('refused')
  })

  it.each([
    ['is in a later block', by(101)],
    ['is in no block yet', by(null)],
    ['has another owner, though the gateway returns it', by(90, idOf('other'))]
  ])('makes no file readable if it %s', async (_, gateway) => {
    const reason = 'gateways know no attestation up to block 100 that lets the process read it'
    expect(await drive(ATTESTED, gateway).ask(data(FILE))).toEqual({ kind: 'refused', reason, missing: true })
    expect(gateway.asked).not.toContain(`/raw/${FILE}`)
  })

  it('makes no file readable for a process without the extension', async () => {
    const gateway = by(90)
    const answer = await drive([tag('Scheduler', SCHEDULER)], gateway).ask(data(FILE))
    const reason =
      'the process may not read it (neither process nor module has the extension WeaveDrive), and then no unit has a result'
    expect([answer, gateway.asked]).toEqual([{ kind: 'refused', reason }, []])
  })
})

describe('headers and blocks', () => {
  const header = { kind: 'tx', id: FILE, blockHeight: 0 } as const
  const block = { kind: 'block', id: '77', blockHeight: 0 } as const

  it("are served as the gateway wrote them, the header with its owner's address added", async () => {
    const text = '{ "z": 1, "__proto__": {"x": 1}, "owner": "b3duZXI", "a": 2 }'
    const gateway = gatewayOf({ files: { [`/tx/${FILE}`]: text, '/block/77': ' {"height": 77}\n' } })
    const files = drive([], gateway)
    const address = createHash('sha256').update('owner').digest('base64url')
    const shown = contentOf(await files.ask(header))
    expect(shown).toBe(`{"z":1,"__proto__":{"x":1},"owner":"b3duZXI","a":2,"ownerAddress":"${address}"}`)
    expect(contentOf(await files.ask(block))).toBe(' {"height": 77}\n')
    expect(await files.ask(block)).toMatchObject({ assumed: "the file /block/77 is a gateway's own JSON, which nobody signed" })
    const offline = drive([])
    expect([contentOf(await offline.ask(header)), contentOf(await offline.ask(block))]).toEqual([shown, ' {"height": 77}\n'])
  })

  it('have the address that WeaveDrive computes if the owner is not base64url', async () => {
    const files = drive([], gatewayOf({ files: { [`/tx/${FILE}`]: '{"owner":"!!!!"}' } }))
    const address = createHash('sha256').update(Buffer.alloc(3)).digest('base64url')
    expect(contentOf(await files.ask(header))).toBe(`{"owner":"!!!!","ownerAddress":"${address}"}`)
  })

  it.each(['Pending', '[]', 'null', '{"owner":5}', '{"owner":"=abc"}'])('are refused if the header is %s', async (text) => {
    const answer = await drive([], gatewayOf({ files: { [`/tx/${FILE}`]: text } })).ask(header)
    expect(contentOf(answer)).toContain("the gateway's header of it")
  })

  it('are fetched again if the stored copy is corrupt', async () => {
    const gateway = gatewayOf({ files: { '/block/77': 'block' } })
    const answer = await drive([], gateway).ask(block)
    if (answer.kind === 'file') writeFileSync(answer.path, 'spoil')
    expect(contentOf(await drive([]).ask(block))).toBe('the store does not hold it')
    expect(contentOf(await drive([], gateway).ask(block))).toBe('block')
  })
})
