/** Fetch: everything an audit of one process needs, from the units into the store. */
import { createHash } from 'node:crypto'
import { askForAnswers } from './answers.ts'
import { AuditError } from './errors.ts'
import { readSchedule } from './fetch/schedule.ts'
import type { ComputeSource, SchedulerSource } from './fetch/sources.ts'
import { fetchFromGateways } from './gateway-inputs.ts'
import type { Run } from './inputs.ts'
import type { PullOptions } from './pull-options.ts'
import type { ProcessRecord } from './records.ts'

export interface Pulled {
  readonly run: Run
  /** Units that stayed away; what they had said before is kept. */
  readonly absences: readonly AuditError[]
}

const PAGE_MESSAGES = 500
/** Messages that the scheduler keeps back and that are kept as proof. */
const PROOF_MESSAGES = 10

/**
 * Reads process, schedule, module, items assigned from the chain, blocks for crons, and claims. What the store already has is
 * not asked for again; a run that was killed goes on with the range it began with.
 *
 * @throws AuditError where an audit cannot go on without what is missing: `UNIT_UNREACHABLE` (scheduler, or every gateway),
 *   `UNIT_REFUSED`, `INPUT_MISSING`, `WIRE_INVALID`
 */
export async function pull(options: PullOptions): Promise<Pulled> {
  const { inputs, units } = options
  const process = (await inputs.process(options.process, units.scheduler.url)) ?? (await fetchProcess(options))
  const opened = await openRun(options)
  await fetchSchedule(options, opened, units.scheduler)
  const run = units.arweave === undefined ? opened : await fetchSecondSchedule(options, opened, units.arweave)
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
  const needed = await Promise.allSettled([...fetchFromGateways(options, process, run), ...claims])
  for (const one of needed) if (one.status === 'rejected') throw one.reason
  return { run, absences }
}

async function fetchProcess({ process, units, inputs }: PullOptions): Promise<ProcessRecord> {
  const record = await units.scheduler.process(process)
  await inputs.putProcess(record, units.scheduler.url)
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
  const both = units.arweave === undefined ? {} : { schedule: 'both' as const }
  const run: Run = { id, process, scheduler: units.scheduler.url, ...both, computes, from, to, state: 'running' }
  await inputs.putRun(run)
  return run
}

/** A run is known by what was asked for, so that the same command finds it again. */
function runId({ process, units, from, to }: PullOptions): string {
  const both = units.arweave === undefined ? [] : [units.arweave.url]
  const asked = [process, units.scheduler.url, units.computes.map(({ url }) => url), from ?? null, to ?? null, ...both]
  return createHash('sha256').update(JSON.stringify(asked)).digest('hex').slice(0, 32)
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
async function fetchSchedule({ inputs }: PullOptions, run: Run, source: SchedulerSource): Promise<void> {
  const have = await inputs.scheduledUpTo(source.url, run.process)
  if (have >= run.to) return
  const pages = readSchedule(source, run.process, { fromNonce: have + 1, toNonce: run.to, pageSize: PAGE_MESSAGES })
  for await (const { messages, anomalies } of pages) await inputs.putSchedule(source.url, run.process, messages, anomalies)
}

/** Arweave's schedule, and what of it lies behind the newest that the scheduler serves: kept, and named in the run. */
async function fetchSecondSchedule(options: PullOptions, opened: Run, arweave: SchedulerSource): Promise<Run> {
  const { inputs, units, to } = options
  await fetchSchedule(options, opened, arweave)
  const { unserved: _, ...run } = opened
  if (to !== undefined && to <= run.to) return run
  const newest = (await arweave.page(run.process, run.to, PROOF_MESSAGES)).messages.at(-1)?.nonce ?? -1
  // A process goes on while it is read: only what the scheduler does not serve now, either, is kept back.
  const served = newest > run.to ? await units.scheduler.latestNonce(run.process) : newest
  if (newest <= served) return run
  const { messages } = await arweave.page(run.process, served, PROOF_MESSAGES)
  await inputs.putSchedule(arweave.url, run.process, messages, [])
  const found: Run = { ...run, unserved: { from: served + 1, to: newest } }
  await inputs.putRun(found)
  return found
}
