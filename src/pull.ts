/** Fetch: everything an audit of one process needs, from the units into the store. */
import { createHash } from 'node:crypto'
import { askForAnswers } from './answers.ts'
import { AuditError } from './errors.ts'
import { readSchedule } from './fetch/schedule.ts'
import type { ComputeSource, GatewaySource, SchedulerSource } from './fetch/sources.ts'
import type { ModuleId, ProcessId, TransactionId } from './ids.ts'
import type { Inputs, Run } from './inputs.ts'
import type { ProcessRecord, TransactionRecord } from './records.ts'
import { checkSchedule } from './verification/checked-schedule.ts'
import { readCheckpointTags } from './verification/checkpoint.ts'
import { createVerifier } from './verification/verifier.ts'

export interface Units {
  readonly scheduler: SchedulerSource
  readonly gateway: GatewaySource
  readonly computes: readonly ComputeSource[]
}

export interface PullOptions {
  readonly process: ProcessId
  readonly units: Units
  readonly inputs: Inputs
  readonly from?: number
  readonly to?: number
  /** `new`: what a finished run was told is asked for anew; `add`: only what is missing. */
  readonly claims: 'new' | 'add'
  /** ISO 8601. */
  readonly now: () => string
  readonly onProgress?: (progress: PullProgress) => void
  readonly signal?: AbortSignal
}

export interface PullProgress {
  /** Messages of the schedule that are in the store, and how many there will be. */
  readonly scheduled: number
  /** Answers of all Compute Units that are in the store. */
  readonly answers: number
  readonly total: number
}

export interface Pulled {
  readonly run: Run
  /** Units that stayed away; what they had said before is kept. */
  readonly absences: readonly AuditError[]
}

const PAGE_MESSAGES = 500
const BLOCKS_AHEAD = 100
const MODULE_MAX_BYTES = 256 * 1024 * 1024
const ITEM_MAX_BYTES = 64 * 1024 * 1024
const CHECKPOINT_MAX_BYTES = 512 * 1024 * 1024
/** As many as a CU itself looks at (§3). */
const CHECKPOINTS_MAX = 50

/**
 * Reads process, schedule, module, items assigned from the chain, blocks for crons, and claims. What the store already has is
 * not asked for again; a run that was killed goes on with the range it began with.
 *
 * @throws AuditError where an audit cannot go on without what is missing: `UNIT_UNREACHABLE` (scheduler, or every gateway),
 *   `UNIT_REFUSED`, `INPUT_MISSING`, `WIRE_INVALID`
 */
export async function pull(options: PullOptions): Promise<Pulled> {
  const { inputs, units } = options
  const process = (await inputs.process(options.process)) ?? (await fetchProcess(options))
  const run = await openRun(options)
  await fetchSchedule(options, run)
  const absences: AuditError[] = []
  const answers = { count: 0 }
  const report = () =>
    options.onProgress?.({
      scheduled: run.to + 1,
      answers: answers.count,
      total: (run.to - run.from + 1) * run.computes.length
    })
  const claims = units.computes.map(async (unit) => {
    try {
      const onAnswers = (count: number) => {
        answers.count += count
        report()
      }
      const signal = options.signal === undefined ? {} : { signal: options.signal }
      await askForAnswers({ unit, run, inputs, now: options.now, onAnswers, ...signal })
    } catch (error) {
      if (!(error instanceof AuditError) || error.code === 'INTERRUPTED' || error.code.startsWith('STORE')) throw error
      absences.push(error)
    }
  })
  const needed = await Promise.allSettled([
    fetchModule(options, process.moduleId),
    fetchTransaction(options, run.process, ITEM_MAX_BYTES),
    fetchItems(options, run),
    checkItems(options, process, run),
    fetchBlocks(options, process, run),
    fetchCheckpoints(options, run),
    ...claims
  ])
  for (const one of needed) if (one.status === 'rejected') throw one.reason
  return { run, absences }
}

async function fetchProcess({ process, units, inputs }: PullOptions): Promise<ProcessRecord> {
  const record = await units.scheduler.process(process)
  await inputs.putProcess(record)
  return record
}

/** The run these options belong to, with its range fixed: a killed one goes on, a finished one begins anew or grows. */
async function openRun(options: PullOptions): Promise<Run> {
  const { process, units, inputs, claims } = options
  const id = runId(options)
  const earlier = await inputs.run(process, id)
  if (earlier?.state === 'running') return earlier
  if (earlier !== undefined && claims === 'new') await inputs.forgetClaims(id)
  const newest = await units.scheduler.latestNonce(process)
  const to = Math.min(options.to ?? newest, newest)
  const from = options.from ?? 0
  if (from > to) {
    throw new AuditError('USAGE', `the range begins at nonce ${from}, but the newest to judge is ${to}`)
  }
  const computes = await Promise.all(units.computes.map(describe))
  const run: Run = { id, process, scheduler: units.scheduler.url, computes, from, to, state: 'running' }
  await inputs.putRun(run)
  return run
}

/** A run is known by what was asked for, so that the same command finds it again. */
function runId({ process, units, from, to }: PullOptions): string {
  const asked = JSON.stringify([process, units.scheduler.url, units.computes.map(({ url }) => url), from ?? null, to ?? null])
  return createHash('sha256').update(asked).digest('hex').slice(0, 32)
}

/** A unit that does not name its address is audited all the same. */
async function describe(unit: ComputeSource): Promise<Run['computes'][number]> {
  try {
    const address = await unit.address()
    return { url: unit.url, ...(address === undefined ? {} : { address }) }
  } catch (error) {
    if (error instanceof AuditError && error.code === 'INTERRUPTED') throw error
    return { url: unit.url }
  }
}

/** Pages from the first nonce that is missing to the run's end. */
async function fetchSchedule({ units, inputs }: PullOptions, run: Run): Promise<void> {
  const have = await inputs.scheduledUpTo(run.scheduler, run.process)
  if (have >= run.to) return
  const pages = readSchedule(units.scheduler, run.process, { fromNonce: have + 1, toNonce: run.to, pageSize: PAGE_MESSAGES })
  for await (const { messages, anomalies } of pages) {
    await inputs.putSchedule(run.scheduler, run.process, messages, anomalies)
  }
}

async function fetchModule(options: PullOptions, id: ModuleId): Promise<void> {
  const found = await fetchTransaction(options, id, MODULE_MAX_BYTES)
  if (found?.data !== undefined) return
  throw new AuditError('INPUT_MISSING', `no gateway has the module ${id}`, { hint: 'give another gateway with --gateway URL' })
}

/** On-chain items that were assigned (§1.8); one that is nowhere is missing at its nonce, no reason to stop here. */
async function fetchItems(options: PullOptions, run: Run): Promise<void> {
  for await (const { message, messageId } of options.inputs.schedule(run, 0, run.to)) {
    if (message === null) await fetchTransaction(options, messageId, ITEM_MAX_BYTES)
  }
}

/** Verifies what the scheduler shows, and fetches the true item of whatever does not prove itself. */
async function checkItems(options: PullOptions, process: ProcessRecord, run: Run): Promise<void> {
  const { inputs } = options
  const verifier = createVerifier()
  try {
    const checked = checkSchedule({
      process,
      schedule: inputs.schedule(run, 0, run.to),
      verifier,
      known: (nonce) => inputs.verdicts(run, nonce),
      remember: (verdicts) => inputs.putVerdicts(run, verdicts),
      async rawItem(id) {
        const record = await fetchTransaction(options, id, ITEM_MAX_BYTES)
        const data = record === undefined ? undefined : await inputs.data(record)
        return record === undefined || data === undefined ? undefined : { record, data }
      }
    })
    for await (const _ of checked) options.signal?.throwIfAborted()
  } finally {
    await verifier.close()
  }
}

/** Blocks between the process and the end of the range: crons fire by them (§2.5). */
async function fetchBlocks({ units, inputs }: PullOptions, process: ProcessRecord, run: Run): Promise<void> {
  if (!process.tags.some(({ name }) => name === 'Cron-Interval')) return
  for await (const last of inputs.schedule(run, run.to, run.to)) {
    const have = await inputs.blocks(process.id, process.blockHeight, Number.MAX_SAFE_INTEGER)
    let known = have.at(-1) ?? { height: process.blockHeight - 1, timestamp: 0 }
    // The CU goes by time, not by the height that a message was given (§2.5).
    while (known.height < last.blockHeight || known.timestamp <= last.timestamp) {
      const to = Math.max(last.blockHeight, known.height + BLOCKS_AHEAD)
      const more = await units.gateway.blocks(known.height + 1, to)
      await inputs.putBlocks(process.id, more)
      const end = more.at(-1)
      if (end === undefined) return
      known = end
    }
  }
}

/** Checkpoints in range, whoever signed them (§3): each is fetched whole, for its signature covers its data. */
async function fetchCheckpoints(options: PullOptions, run: Run): Promise<void> {
  const { inputs, units } = options
  const tags = [
    { name: 'Process', values: [run.process] },
    { name: 'Type', values: ['Checkpoint'] },
    { name: 'Data-Protocol', values: ['ao'] }
  ]
  const found = await units.gateway.transactions({ tags, limit: CHECKPOINTS_MAX, sort: 'HEIGHT_DESC' })
  for (const record of found) {
    const named = readCheckpointTags(record, run.process)
    if (named === undefined || named.nonce > run.to) continue
    await fetchTransaction(options, record.id, CHECKPOINT_MAX_BYTES)
    await inputs.putCheckpoints(run.process, [record.id])
  }
}

async function fetchTransaction(
  { inputs, units }: PullOptions,
  id: TransactionId,
  maxBytes: number
): Promise<TransactionRecord | undefined> {
  const kept = await inputs.transaction(id)
  if (kept?.data !== undefined && (await inputs.data(kept)) !== undefined) return kept
  const [record] = await units.gateway.transactions({ ids: [id], limit: 1 })
  if (record === undefined) return undefined
  const raw = await units.gateway.raw(id, maxBytes)
  return inputs.putTransaction(record, raw?.bytes)
}
