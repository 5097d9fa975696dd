/** What an audit needs of gateways: module, true items, blocks, checkpoints. */
import PQueue from 'p-queue'
import { type Arrival, arriving, whole } from './arrivals.ts'
import { AuditError } from './errors.ts'
import type { GatewaySource } from './fetch/sources.ts'
import { holdBlocks } from './gateway-blocks.ts'
import { createFetchItem, type FetchItem } from './gateway-items.ts'
import type { ModuleId } from './ids.ts'
import type { Inputs, Run } from './inputs.ts'
import type { PullOptions } from './pull-options.ts'
import type { ProcessRecord } from './records.ts'
import { createRivals } from './rivals.ts'
import { checkSchedule } from './verification/checked-schedule.ts'
import { readCheckpointTags } from './verification/checkpoint.ts'
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

/**
 * Fetches all of it at the same time.
 *
 * @param options with inputs whose schedule may still be on its way
 * @param proven told of each nonce whose message is verified, and its true item fetched where it does not prove itself
 */
export function fetchFromGateways(options: PullOptions, process: ProcessRecord, run: Run, proven: Arrival): FromGateways {
  const fetchItem = createFetchItem(options)
  return {
    first: whole([
      fetchModule(fetchItem, process.moduleId),
      fetchItem(run.process, ITEM_MAX_BYTES),
      fetchCheckpoints(options, fetchItem, run)
    ]),
    rest: whole([
      arriving(proven, () => fetchTrueItems(options, fetchItem, process, run, proven)),
      fetchBlocks(options, process, run)
    ])
  }
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
async function fetchTrueItems(
  options: PullOptions,
  fetchItem: FetchItem,
  process: ProcessRecord,
  run: Run,
  proven: Arrival
): Promise<void> {
  const { inputs } = options
  const verifier = createVerifier()
  try {
    const checked = checkSchedule({
      process,
      schedule: inputs.schedule(run, 0, run.to),
      verifier,
      rivals: createRivals(inputs, run),
      known: (from, to) => inputs.verdicts(run, from, to),
      remember: (verdicts) => inputs.putVerdicts(run, verdicts),
      async rawItem(id) {
        const record = await fetchItem(id, ITEM_MAX_BYTES)
        const data = record === undefined ? undefined : await inputs.data(record)
        return record === undefined || data === undefined ? undefined : { record, data }
      }
    })
    for await (const { scheduled } of checked) {
      if (options.signal?.aborted === true) throw new AuditError('INTERRUPTED', 'interrupted')
      proven.reach(scheduled.nonce)
    }
  } finally {
    await verifier.close()
  }
}

/** Blocks from the process on to behind the end of the range: crons fire by them (§2.5). Blocks are unsigned: each is asked. */
async function fetchBlocks({ units, inputs }: PullOptions, process: ProcessRecord, run: Run): Promise<void> {
  if (!process.tags.some(({ name }) => name === 'Cron-Interval')) return
  await askEach(units.gateway, (gateway, url) => fetchBlocksOf(gateway, url, inputs, process, run))
}

async function fetchBlocksOf(
  gateway: GatewaySource,
  url: string,
  inputs: Inputs,
  process: ProcessRecord,
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
    if (await inputs.checkpointsRead(run, url)) return
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

/** Asks one gateway after another; it rejects where none could be asked. */
async function askEach(gateway: GatewaySource, ask: (one: GatewaySource, url: string) => Promise<void>): Promise<void> {
  const failures: AuditError[] = []
  const gateways = gateway.each()
  for (const one of gateways) {
    try {
      await ask(one, one.urls[0] ?? '')
    } catch (error) {
      if (!(error instanceof AuditError) || error.code === 'INTERRUPTED' || error.code.startsWith('STORE')) throw error
      failures.push(error)
    }
  }
  const [first] = failures
  if (first !== undefined && failures.length === gateways.length) throw first
}
