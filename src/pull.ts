/** Fetch: everything an audit of one process needs, from the units into the store. */
import { createHash } from 'node:crypto'
import { askForAnswers } from './answers.ts'
import { AuditError } from './errors.ts'
import { readSchedule } from './fetch/schedule.ts'
import type { ComputeSource } from './fetch/sources.ts'
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
  const needed = await Promise.allSettled([...fetchFromGateways(options, process, run), ...claims])
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
