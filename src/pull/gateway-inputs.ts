/** The inputs that an audit needs from gateways: module, signed items, blocks, checkpoints. */

import { fetchError } from '../fetch/fetch-error.ts'
import type { GatewaySource } from '../fetch/unit-sources.ts'
import { createConflictingAssignments } from '../inputs/conflicting-assignments.ts'
import type { Inputs } from '../inputs/inputs.ts'
import { advancing, type Watermark, whole } from '../inputs/live-inputs.ts'
import type { Shortfall } from '../inputs/run-inputs.ts'
import type { Run } from '../inputs/run-record.ts'
import { AuditError } from '../model/errors.ts'
import type { ModuleId, TransactionId } from '../model/ids.ts'
import type { ProcessItem, ProcessRecord } from '../model/records.ts'
import { createTurns } from '../util/turns.ts'
import { checkSchedule } from '../verify/checked-schedule.ts'
import { checkProcess, isOwnAssignment, provesItself } from '../verify/process-and-module.ts'
import type { RawItem } from '../verify/raw-item.ts'
import type { Checked } from '../verify/signed.ts'
import { createVerifier } from '../verify/verification-threads.ts'
import { highestBlock, holdBlocks } from './gateway-blocks.ts'
import { fetchCheckpoints } from './gateway-checkpoints.ts'
import { type FetchItem, unlessAbsent } from './gateway-items.ts'
import type { PullOptions } from './pull-options.ts'

const MODULE_MAX_BYTES = 256 * 1024 * 1024
const ITEM_MAX_BYTES = 64 * 1024 * 1024
const BLOCKS_AHEAD = 100
const BLOCKS_OF_A_READING = 5_000

/** Parts that are fetched at the same time; each rejects if an audit cannot continue without it, for example without the module. */
export interface FromGateways {
  /** Module, process and checkpoints, with which a replay begins. */
  readonly first: Promise<unknown>
  readonly rest: Promise<unknown>
  /** Failures so far if no gateway could be asked: without blocks or checkpoints the rest is judged, but nobody is blamed. */
  readonly absences: readonly AuditError[]
}

export interface GatewayWork {
  /** With inputs whose schedule may still be arriving. */
  readonly options: PullOptions
  readonly fetchItem: FetchItem
  readonly process: Checked<ProcessItem>
  /** The process as the scheduler serves it. */
  readonly shown: ProcessRecord
  readonly run: Run
  /** Advances with each nonce whose message is verified and, if its signature does not verify as served, whose item is fetched. */
  readonly proven: Watermark
}

/** The process as it was signed. If its signature does not verify as served, fetches its item first, because it names the rest. */
export async function proveProcess(shown: ProcessRecord, fetchItem: FetchItem, inputs: Inputs): Promise<Checked<ProcessItem>> {
  // If the item is unavailable, fetching the inputs of the replay fails; claims are stored all the same.
  const raw = provesItself(shown) ? undefined : await rawItem(fetchItem, inputs, shown.id)
  return checkProcess(shown, raw).process
}

/** Fetches all parts at the same time. */
export function fetchFromGateways(work: GatewayWork): FromGateways {
  const { options, fetchItem, process, run, proven } = work
  const absences: AuditError[] = []
  const noting = async (what: Shortfall, fetched: Promise<AuditError | undefined>) => {
    const failure = await fetched
    await options.inputs.runs.putShortfall(run, what, failure?.message)
    if (failure !== undefined) absences.push(failure)
  }
  return {
    absences,
    first: whole([
      fetchModule(options.units.gateway, fetchItem, process.moduleId),
      unlessAbsent(() => fetchItem(run.process, ITEM_MAX_BYTES)),
      noting('checkpoints', fetchCheckpoints(options, fetchItem, run))
    ]),
    rest: whole([advancing(proven, () => fetchTrueItems(work)), noting('blocks', fetchBlocks(work))])
  }
}

/** An item counts as missing if no gateway has it, and also if the gateways fail. */
async function rawItem(fetchItem: FetchItem, inputs: Inputs, id: TransactionId): Promise<RawItem | undefined> {
  const record = await unlessAbsent(() => fetchItem(id, ITEM_MAX_BYTES))
  const data = record === undefined ? undefined : await inputs.items.data(record)
  return record === undefined || data === undefined ? undefined : { record, data }
}

async function fetchModule(gateway: GatewaySource, fetchItem: FetchItem, id: ModuleId): Promise<void> {
  const found = await fetchItem(id, MODULE_MAX_BYTES)
  if (found?.data !== undefined) return
  // A gateway that was not heard may have the module: then its absence is the error.
  const [unheard] = gateway.unheard()
  if (unheard !== undefined) throw unheard
  throw new AuditError('INPUT_MISSING', `no gateway has the module ${id}`, { hint: 'give another gateway with --gateway URL' })
}

/**
 * Verifies the scheduler's messages, and fetches the signed item of every message whose signature does not verify as served,
 * including assigned items on the chain (§1.8). An item that no gateway has is missing at its nonce; fetching goes on.
 */
async function fetchTrueItems({ options, fetchItem, process, run, proven }: GatewayWork): Promise<void> {
  const { inputs } = options
  const verifier = createVerifier()
  const turn = createTurns(options.signal)
  try {
    const checked = checkSchedule({
      process,
      schedule: inputs.schedule.messages(run, 0, run.to),
      verifier,
      conflictingAssignments: createConflictingAssignments(inputs, run),
      known: (from, to) => inputs.schedule.verdicts(run, from, to),
      remember: (verdicts) => inputs.schedule.putVerdicts(run, verdicts),
      rawItem: (id) => rawItem(fetchItem, inputs, id)
    })
    for await (const { scheduled } of checked) {
      await turn()
      if (options.signal?.aborted === true) throw new AuditError('INTERRUPTED', 'interrupted')
      if (scheduled.nonce === 0 && !isOwnAssignment(scheduled, process.id)) await fetchBundle(inputs, fetchItem, process.id)
      proven.advance(scheduled.nonce)
    }
  } finally {
    await verifier.close()
  }
}

/** The bundle around a process that is older than assignments shows when the scheduler accepted it. */
async function fetchBundle(inputs: Inputs, fetchItem: FetchItem, process: TransactionId): Promise<void> {
  const around = (await inputs.items.transaction(process))?.bundledIn
  if (around !== undefined) await unlessAbsent(() => fetchItem(around, ITEM_MAX_BYTES))
}

/**
 * Fetches the blocks from the process to beyond the end of the range, because crons fire by them (§2.5). Every gateway is asked,
 * because blocks are unsigned.
 */
async function fetchBlocks({ options: { units, inputs }, process, shown, run }: GatewayWork): Promise<AuditError | undefined> {
  if (!process.tags.some(({ name }) => name === 'Cron-Interval')) return undefined
  let { blockHeight, timestamp } = shown
  for await (const first of inputs.schedule.messages(run, 0, 0)) {
    // Without its own signed assignment the process's height and time are only the scheduler's word, but not later than the first
    // message.
    const own = isOwnAssignment(first, process.id)
    blockHeight = own ? first.blockHeight : Math.min(blockHeight, first.blockHeight)
    timestamp = own ? first.timestamp : Math.min(timestamp, first.timestamp)
  }
  const taken = { id: process.id, blockHeight, timestamp }
  return askEach(units.gateway, (gateway, url) => fetchBlocksOf(gateway, url, inputs, taken, run))
}

async function fetchBlocksOf(
  gateway: GatewaySource,
  url: string,
  inputs: Inputs,
  process: Pick<ProcessRecord, 'id' | 'blockHeight' | 'timestamp'>,
  run: Run
): Promise<void> {
  for await (const last of inputs.schedule.messages(run, run.to, run.to)) {
    const highest = highestBlock(process, last)
    let known = (await inputs.blocks.readTo(process.id, url)) ?? { height: process.blockHeight - 1, timestamp: 0 }
    // The CU uses the time, not the block height of a message (§2.5).
    while (known.height < last.blockHeight || known.timestamp <= last.timestamp) {
      if (known.height >= highest) {
        const what = `${url} has no block up to ${highest} that is later than the last message: so many blocks cannot exist`
        throw fetchError('WIRE_INVALID', { role: 'gateway', url }, what, { alone: true })
      }
      const wanted = Math.max(last.blockHeight, known.height + BLOCKS_AHEAD)
      const to = Math.min(wanted, known.height + BLOCKS_OF_A_READING, highest)
      const more = await gateway.blocks(known.height + 1, to)
      const end = more.at(-1)
      if (end === undefined) return
      const kept = await inputs.blocks.between(process.id, known.height + 1, end.height)
      const { fresh, differences } = holdBlocks(kept, more, url)
      await inputs.blocks.put(process.id, fresh, differences)
      await inputs.blocks.putReadTo(process.id, url, end)
      known = end
    }
  }
}

/** Asks one gateway after another; resolves to a failure if none could be asked. */
async function askEach(
  gateway: GatewaySource,
  ask: (one: GatewaySource, url: string) => Promise<void>
): Promise<AuditError | undefined> {
  const failures: AuditError[] = []
  const gateways = gateway.each()
  for (const one of gateways) {
    try {
      await ask(one, one.listedBy[0] ?? '')
    } catch (error) {
      if (!(error instanceof AuditError) || error.unit === undefined) throw error
      failures.push(error)
    }
  }
  return failures.length === gateways.length ? failures[0] : undefined
}
