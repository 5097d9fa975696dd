/** What an audit needs of gateways: module, true items, blocks, checkpoints. */
import PQueue from 'p-queue'
import { type Arrival, arriving, whole } from './arrivals.ts'
import { AuditError } from './errors.ts'
import type { GatewaySource } from './fetch/sources.ts'
import { holdBlocks } from './gateway-blocks.ts'
import type { FetchItem } from './gateway-items.ts'
import type { ModuleId, TransactionId } from './ids.ts'
import type { Inputs, Run } from './inputs.ts'
import type { PullOptions } from './pull-options.ts'
import type { ProcessItem, ProcessRecord } from './records.ts'
import { createRivals } from './rivals.ts'
import { createTurns } from './turns.ts'
import { checkSchedule } from './verification/checked-schedule.ts'
import { readCheckpointTags } from './verification/checkpoint.ts'
import type { RawItem } from './verification/raw-item.ts'
import type { Checked } from './verification/signed.ts'
import { checkProcess, isOwnAssignment, provesItself } from './verification/subject.ts'
import { createVerifier } from './verification/verifier.ts'

const MODULE_MAX_BYTES = 256 * 1024 * 1024
const ITEM_MAX_BYTES = 64 * 1024 * 1024
const CHECKPOINT_MAX_BYTES = 512 * 1024 * 1024
/** As many as a CU itself looks at (§3). */
const CHECKPOINTS_MAX = 50
/** Each is in memory as a whole until it is stored. */
const CHECKPOINTS_AT_ONCE = 2
const BLOCKS_AHEAD = 100

/** What comes at the same time; each rejects where an audit cannot go on without it. */
export interface FromGateways {
  /** Module, process and checkpoints: what a replay begins with. */
  readonly first: Promise<unknown>
  readonly rest: Promise<unknown>
}

export interface GatewayWork {
  /** With inputs whose schedule may still be on its way. */
  readonly options: PullOptions
  readonly fetchItem: FetchItem
  readonly process: Checked<ProcessItem>
  /** The process as the scheduler shows it. */
  readonly shown: ProcessRecord
  readonly run: Run
  /** Told of each nonce whose message is verified, and its true item fetched where it does not prove itself. */
  readonly proven: Arrival
}

/** The process as it was signed: its item is asked for first where what is shown does not prove itself, for it names the rest. */
export async function proveProcess(shown: ProcessRecord, fetchItem: FetchItem, inputs: Inputs): Promise<Checked<ProcessItem>> {
  if (provesItself(shown)) return checkProcess(shown, undefined).process
  try {
    return checkProcess(shown, await rawItem(fetchItem, inputs, shown.id)).process
  } catch (error) {
    if (!isAbsence(error)) throw error
    // Whoever fetches what a replay begins with hears of it; claims are kept all the same.
    return checkProcess(shown, undefined).process
  }
}

function isAbsence(error: unknown): error is AuditError {
  return error instanceof AuditError && error.code !== 'INTERRUPTED' && !error.code.startsWith('STORE')
}

/** Fetches all of it at the same time. */
export function fetchFromGateways(work: GatewayWork): FromGateways {
  const { options, fetchItem, process, run, proven } = work
  return {
    first: whole([
      fetchModule(fetchItem, process.moduleId),
      fetchItem(run.process, ITEM_MAX_BYTES),
      fetchCheckpoints(options, fetchItem, run)
    ]),
    rest: whole([arriving(proven, () => fetchTrueItems(work)), fetchBlocks(work)])
  }
}

async function rawItem(fetchItem: FetchItem, inputs: Inputs, id: TransactionId): Promise<RawItem | undefined> {
  const record = await fetchItem(id, ITEM_MAX_BYTES)
  const data = record === undefined ? undefined : await inputs.data(record)
  return record === undefined || data === undefined ? undefined : { record, data }
}

async function fetchModule(fetchItem: FetchItem, id: ModuleId): Promise<void> {
  const found = await fetchItem(id, MODULE_MAX_BYTES)
  if (found?.data !== undefined) return
  throw new AuditError('INPUT_MISSING', `no gateway has the module ${id}`, { hint: 'give another gateway with --gateway URL' })
}

/**
 * Verifies what the scheduler shows, and fetches the true item of whatever does not prove itself; so also items on the chain that
 * were assigned (§1.8). One that is nowhere is missing at its nonce, no reason to stop here.
 */
async function fetchTrueItems({ options, fetchItem, process, run, proven }: GatewayWork): Promise<void> {
  const { inputs } = options
  const verifier = createVerifier()
  const turn = createTurns(options.signal)
  try {
    const checked = checkSchedule({
      process,
      schedule: inputs.schedule(run, 0, run.to),
      verifier,
      rivals: createRivals(inputs, run),
      known: (from, to) => inputs.verdicts(run, from, to),
      remember: (verdicts) => inputs.putVerdicts(run, verdicts),
      rawItem: (id) => rawItem(fetchItem, inputs, id)
    })
    for await (const { scheduled } of checked) {
      await turn()
      if (options.signal?.aborted === true) throw new AuditError('INTERRUPTED', 'interrupted')
      if (scheduled.nonce === 0 && !isOwnAssignment(scheduled, process.id)) await fetchBundle(inputs, fetchItem, process.id)
      proven.reach(scheduled.nonce)
    }
  } finally {
    await verifier.close()
  }
}

/** What lies around a process from before assignments says when it was taken. */
async function fetchBundle(inputs: Inputs, fetchItem: FetchItem, process: TransactionId): Promise<void> {
  const around = (await inputs.transaction(process))?.bundledIn
  if (around !== undefined) await fetchItem(around, ITEM_MAX_BYTES)
}

/** Blocks from the process on to behind the end of the range: crons fire by them (§2.5). Blocks are unsigned: each is asked. */
async function fetchBlocks({ options: { units, inputs }, process, shown, run }: GatewayWork): Promise<void> {
  if (!process.tags.some(({ name }) => name === 'Cron-Interval')) return
  let { blockHeight } = shown
  for await (const first of inputs.schedule(run, 0, 0)) {
    // What is shown besides is the scheduler's word; it is not later than the first message.
    blockHeight = isOwnAssignment(first, process.id) ? first.blockHeight : Math.min(blockHeight, first.blockHeight)
  }
  await askEach(units.gateway, (gateway, url) => fetchBlocksOf(gateway, url, inputs, { id: process.id, blockHeight }, run))
}

async function fetchBlocksOf(
  gateway: GatewaySource,
  url: string,
  inputs: Inputs,
  process: Pick<ProcessRecord, 'id' | 'blockHeight'>,
  run: Run
): Promise<void> {
  for await (const last of inputs.schedule(run, run.to, run.to)) {
    let known = (await inputs.blocksRead(process.id, url)) ?? { height: process.blockHeight - 1, timestamp: 0 }
    // The CU goes by time, not by the height that a message was given (§2.5).
    while (known.height < last.blockHeight || known.timestamp <= last.timestamp) {
      const to = Math.max(last.blockHeight, known.height + BLOCKS_AHEAD)
      const more = await gateway.blocks(known.height + 1, to)
      const end = more.at(-1)
      if (end === undefined) return
      const kept = await inputs.blocks(process.id, known.height + 1, end.height)
      const { fresh, differences } = holdBlocks(kept, more, url)
      await inputs.putBlocks(process.id, fresh, differences)
      await inputs.putBlocksRead(process.id, url, end)
      known = end
    }
  }
}

/**
 * Checkpoints in range, whoever signed them (§3): each is fetched whole, for its signature covers its data. What any gateway
 * lists is taken; a shorter list is no fault.
 */
async function fetchCheckpoints({ inputs, units }: PullOptions, fetchItem: FetchItem, run: Run): Promise<void> {
  const tags = [
    { name: 'Process', values: [run.process] },
    { name: 'Type', values: ['Checkpoint'] },
    { name: 'Data-Protocol', values: ['ao'] }
  ]
  await askEach(units.gateway, async (gateway, url) => {
    if (await inputs.checkpointsRead(run, url)) return fetchSpoilt(inputs, fetchItem, run)
    const found = await gateway.transactions({ tags, limit: CHECKPOINTS_MAX, sort: 'HEIGHT_DESC' })
    const inRange = found.filter((record) => {
      const named = readCheckpointTags(record, run.process)
      return named !== undefined && named.nonce <= run.to
    })
    const queue = new PQueue({ concurrency: CHECKPOINTS_AT_ONCE })
    await whole(inRange.map(({ id }) => queue.add(() => fetchItem(id, CHECKPOINT_MAX_BYTES))))
    const ids = inRange.map(({ id }) => id)
    await inputs.putCheckpoints(run, url, ids)
  })
}

/** Checkpoints that were read, and whose data is no longer what was kept. */
async function fetchSpoilt(inputs: Inputs, fetchItem: FetchItem, run: Run): Promise<void> {
  for (const id of await inputs.checkpoints(run.process)) await fetchItem(id, CHECKPOINT_MAX_BYTES)
}

/** Asks one gateway after another; it rejects where none could be asked. */
async function askEach(gateway: GatewaySource, ask: (one: GatewaySource, url: string) => Promise<void>): Promise<void> {
  const failures: AuditError[] = []
  const gateways = gateway.each()
  for (const one of gateways) {
    try {
      await ask(one, one.urls[0] ?? '')
    } catch (error) {
      if (!isAbsence(error)) throw error
      failures.push(error)
    }
  }
  const [first] = failures
  if (first !== undefined && failures.length === gateways.length) throw first
}
