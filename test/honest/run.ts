/** Runs a scenario up to the report: a signed process, its honest units, a network, an audit. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { createData, EthereumSigner } from 'arbundles'
import { audit } from '../../src/audit/audit.ts'
import type { AuditOptions } from '../../src/audit/audit-options.ts'
import type { Tag } from '../../src/model/records.ts'
import type { Report } from '../../src/report/model.ts'
import { type FakeTransaction, idOf } from '../fakes/data.ts'
import { type FakeNetworkOptions, startFakeNetwork } from '../fakes/network.ts'
import { type SmallProcess, signedSmallProcess } from '../modules/small-process.ts'
import type { Place } from './cu.ts'
import { honestModule } from './module.ts'
import type { Scenario, ScenarioMessage, ScenarioUnit } from './scenario.ts'
import { runHonestUnit, type UnitAnswers } from './unit.ts'

export interface ScenarioRun {
  readonly report: Report
  readonly answers: readonly UnitAnswers[]
}

export async function processOf({
  format,
  messages,
  crons,
  intervalMs
}: Omit<Scenario, 'units' | 'faults' | 'seed'>): Promise<SmallProcess> {
  return signedSmallProcess({
    format,
    wasm: await honestModule(format),
    messages: messages.map(messageOf),
    processTags: crons.map(([name, value]) => ({ name, value })),
    intervalMs
  })
}

function messageOf(message: ScenarioMessage) {
  if (typeof message === 'string' || 'again' in message) return message
  if ('onChain' in message) return message
  const { data, pushedBy, anchor } = message
  return { data, anchor, sender: pushedBy, tags: [{ name: 'From-Process', value: idOf('another process') }] }
}

/** Builds, runs and audits a scenario. */
export async function runScenario(scenario: Scenario): Promise<ScenarioRun> {
  const small = await processOf(scenario)
  const published: FakeTransaction[] = []
  const answers: UnitAnswers[] = []
  for (const [place, unit] of scenario.units.entries()) {
    const { start: begins, named: _, ...hidden } = unit
    const start = begins === undefined ? undefined : await startOf(small, unit, begins, place, published)
    const made = await runHonestUnit(small, { ...hidden, ...(start === undefined ? {} : { start }) })
    for (const one of made.checkpoints) published.push(await publishedCheckpoint(small, one, `unit ${place}`))
    answers.push(made)
  }
  const transactions = [...small.transactions, ...published]
  const networks = answers.map((made, place) => ({
    ...small,
    ...made,
    transactions,
    faults: scenario.faults,
    ...(scenario.units[place]?.named === true ? { address: addressOf(`unit ${place}`) } : {})
  }))
  const { from, to } = scenario
  const range = { ...(from === undefined ? {} : { from: Math.min(from, to ?? from) }), ...(to === undefined ? {} : { to }) }
  return { report: await audited(networks, range), answers }
}

/** The memory that a unit began with, whose checkpoint is published too, because the unit took it from there. */
async function startOf(
  small: SmallProcess,
  unit: ScenarioUnit,
  { nonce, path: at, signedBy }: NonNullable<ScenarioUnit['start']>,
  place: number,
  published: FakeTransaction[]
) {
  const { restart: _, start: __, named: ___, ...plain } = unit
  const settings = { ...plain, path: at, asked: [{ nonce }], checkpoints: [0], duplicates: 'number' as const }
  const [start] = (await runHonestUnit(small, settings)).checkpoints
  if (start !== undefined)
    published.push(await publishedCheckpoint(small, start, signedBy === 'itself' ? `unit ${place}` : 'another unit'))
  return start
}

/** Audits the units of several networks with the scheduler and gateway of the first. */
export async function audited(networks: readonly FakeNetworkOptions[], options: Partial<AuditOptions> = {}): Promise<Report> {
  const store = options.store ?? mkdtempSync(path.join(tmpdir(), 'ao-audit-honest-'))
  const started = await Promise.all(networks.map((network) => startFakeNetwork(network)))
  try {
    const [first] = started
    const [{ process }] = networks as readonly [FakeNetworkOptions]
    if (first === undefined) throw new Error('no network')
    return await audit({
      process: process.process_id,
      scheduler: first.url,
      gateways: [first.url],
      computes: started.map(({ url }) => url),
      fetchLimits: { patienceMs: 20_000, waitMinMs: 1, waitMaxMs: 10, idleMs: 10_000 },
      jobs: 1,
      ...options,
      store
    })
  } finally {
    await Promise.all(started.map(({ close }) => close()))
    if (options.store === undefined) rmSync(store, { recursive: true, force: true })
  }
}

const signers = new Map<string, EthereumSigner>()
function signerOf(name: string): EthereumSigner {
  const signer =
    signers.get(name) ?? new EthereumSigner(createHash('sha256').update(`signs checkpoints: ${name}`).digest('hex'))
  signers.set(name, signer)
  return signer
}

export function addressOf(name: string): string {
  return createHash('sha256').update(signerOf(name).publicKey).digest('base64url')
}

/** A checkpoint with the tags of a real one, in the same order (protocol §3; the uploads of the captures). */
export async function publishedCheckpoint(
  small: SmallProcess,
  { place, memory }: { readonly place: Place; readonly memory: Uint8Array },
  signedBy: string,
  otherTags: Readonly<Record<string, string>> = {}
): Promise<FakeTransaction> {
  const { assignment } = small.schedule[place.ordinate]?.node ?? {}
  const chain = assignment?.tags.find(({ name }) => name === 'Hash-Chain')?.value
  const tags: Tag[] = Object.entries({
    'Data-Protocol': 'ao',
    Variant: 'ao.TN.1',
    Type: 'Checkpoint',
    Module: small.moduleId,
    Process: small.process.process_id,
    Nonce: String(place.ordinate),
    Timestamp: String(place.timestamp),
    'Block-Height': String(place.height),
    'Content-Type': 'application/octet-stream',
    'SHA-256': createHash('sha256').update(memory).digest('hex'),
    'Content-Encoding': 'gzip',
    'Unit-Identifier': '093f0693-634c-4761-bd74-bc2146ace9a1',
    Ordinate: String(place.ordinate),
    ...(assignment === undefined ? {} : { Assignment: assignment.id }),
    ...(chain === undefined ? {} : { 'Hash-Chain': chain }),
    ...(place.cron === undefined ? {} : { 'Cron-Interval': place.cron }),
    ...otherTags
  }).map(([name, value]) => ({ name, value }))
  const signer = signerOf(signedBy)
  const item = createData(gzipSync(memory, { level: 1 }), signer, { tags })
  await item.sign(signer)
  return {
    id: item.id,
    height: place.height,
    owner: { address: addressOf(signedBy), key: signer.publicKey.toString('base64url') },
    signature: item.rawSignature.toString('base64url'),
    anchor: '',
    target: '',
    tags,
    data: item.rawData.toString('base64')
  }
}
