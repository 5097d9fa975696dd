/** Fetches everything that an audit of one process needs from the units into the store. */

import { createHash } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { readSchedule } from '../fetch/schedule-pages.ts'
import type { ComputeSource, SchedulerSource } from '../fetch/unit-sources.ts'
import type { Inputs } from '../inputs/inputs.ts'
import { advancing, createWatermark, followInputs, type Watermark, whole } from '../inputs/live-inputs.ts'
import type { Run } from '../inputs/run-record.ts'
import { NONCE_MAX } from '../inputs/stored-schedule.ts'
import { AuditError } from '../model/errors.ts'
import type { ProcessItem, ProcessRecord } from '../model/records.ts'
import { defined } from '../util/defined.ts'
import { joined } from '../util/signals.ts'
import type { Checked } from '../verify/signed.ts'
import { askForAnswers } from './claims.ts'
import { fetchFromGateways, proveProcess } from './gateway-inputs.ts'
import { createFetchItem } from './gateway-items.ts'
import type { PullOptions } from './pull-options.ts'

export interface Pulled {
  readonly run: Run
  /** Units that stayed away; their answers until then are stored. */
  readonly absences: readonly AuditError[]
  /** Gateways that were not heard; other gateways' answers were used. */
  readonly unheard: readonly AuditError[]
}

/** A pull in progress. */
export interface Pulling {
  readonly run: Run
  /** Reading these inputs waits for records that have not arrived yet. */
  readonly inputs: Inputs
  /**
   * Resolves when a replay may begin: module, process and checkpoints are stored, or everything if the process has crons or two
   * schedules are read.
   */
  readonly ready: Promise<unknown>
  /** Resolves when all is stored. Rejects, like reads through `inputs`, if an audit cannot continue without a missing part. */
  readonly ended: Promise<Pulled>
  /** Ends the head start of the inputs with which a replay begins: claims are requested now. */
  readonly askForClaims: () => void
  /** Whether this error is a failure of the pull. Call it after the pull has ended. */
  readonly failedWith: (error: unknown) => boolean
}

const PAGE_MESSAGES = 500
/** Claims wait so long, because they are by far the most requests. */
const HEAD_START_MS = 1000
/** Messages that the scheduler withholds and that are stored as proof. */
const PROOF_MESSAGES = 10

/**
 * Reads process, schedule, module, items assigned from the chain, blocks for crons, and claims. Records that are already stored are
 * not requested again; a run that was killed continues with the range it began with.
 *
 * @throws AuditError if an audit cannot continue without a missing part: `UNIT_UNREACHABLE` (scheduler, or every gateway),
 *   `UNIT_REFUSED`, `INPUT_MISSING`, `WIRE_INVALID`
 */
export async function pull(options: PullOptions): Promise<Pulled> {
  return (await beginPull(options, 0)).ended
}

/**
 * Like `pull`, but records can be read as they arrive.
 *
 * @param headStartMs how long claims wait for the inputs with which a replay begins; a reader that waits for claims, or
 *   `askForClaims`, ends the wait
 * @throws AuditError if process or range are unavailable
 */
export async function beginPull(options: PullOptions, headStartMs = HEAD_START_MS): Promise<Pulling> {
  const { inputs, units } = options
  const shown = (await inputs.items.process(options.process, units.scheduler.url)) ?? (await fetchProcess(options))
  const fetchItem = createFetchItem(options)
  const process = await proveProcess(shown, fetchItem, inputs)
  const opened = await openRun(options)
  const both = units.arweave !== undefined
  const schedule = createWatermark()
  const scheduled = advancing(schedule, () => fetchSchedule(options, opened, units.scheduler, schedule))
  if (both) await scheduled
  const run = units.arweave === undefined ? opened : await fetchSecondSchedule(options, opened, units.arweave)
  const coming: PullOptions = both ? options : { ...options, inputs: followInputs(inputs, { schedule }) }
  const proven = createWatermark()
  const gateways = fetchFromGateways({ options: coming, fetchItem, process, shown, run, proven })
  const { first, rest } = gateways
  const waits = both || hasCrons(process)
  const claims = fetchClaims(coming, run, waits ? 0 : headStartMs)
  const parts = [scheduled, first, rest, claims.ended]
  const ended = whole(parts).then(() => {
    const unheard = units.gateway.unheard()
    return { run: withUnheard(run, unheard), absences: [...gateways.absences, ...claims.absences], unheard }
  })
  const failures = new Set<unknown>()
  for (const part of parts) part.catch((error: unknown) => failures.add(error))
  const mayBegin = waits ? ended : first
  const ready = mayBegin.then(() => {})
  // The first reader receives the failure; until these are awaited they must not count as unhandled rejections.
  for (const promise of [ended, ready]) promise.catch(() => {})
  const read = both ? inputs : followInputs(inputs, { schedule: proven, claims: claims.watermarks })
  return { run, inputs: read, ready, ended, askForClaims: claims.begin, failedWith: (error) => failures.has(error) }
}

function withUnheard(run: Run, unheard: readonly AuditError[]): Run {
  if (unheard.length === 0 && run.unheard === undefined) return run
  return { ...run, unheard: unheard.map(({ unit, message }) => ({ url: unit?.url ?? '', detail: message })) }
}

function hasCrons({ tags }: Checked<ProcessItem>): boolean {
  return tags.some(({ name }) => name === 'Cron-Interval')
}

/** Asks every unit. A unit that stays away does not stop the others. */
function fetchClaims(options: PullOptions, run: Run, headStartMs: number) {
  const { inputs, units } = options
  const wanted = new AbortController()
  const signal = joined(wanted.signal, options.signal)
  const headStart = setTimeout(headStartMs, undefined, { signal }).catch(() => {})
  const begin = () => wanted.abort()
  const absences: AuditError[] = []
  const answers = { count: 0 }
  const onAnswers = (count: number) => {
    answers.count += count
    options.onProgress?.({
      scheduled: Math.min(Number.MAX_SAFE_INTEGER, run.to + 1),
      answers: answers.count,
      total: Math.min(Number.MAX_SAFE_INTEGER, (run.to - run.from + 1) * run.computes.length)
    })
  }
  const watermarks = new Map(units.computes.map(({ url }) => [url, createWatermark(begin)]))
  const asked = units.computes.map((unit) => {
    const watermark = watermarks.get(unit.url) ?? createWatermark()
    return advancing(watermark, async () => {
      try {
        await headStart
        const signal = defined({ signal: options.signal })
        await askForAnswers({ unit, run, inputs, now: options.now, onAnswers, watermark, ...signal })
      } catch (error) {
        if (!(error instanceof AuditError) || error.code === 'INTERRUPTED' || error.code.startsWith('STORE')) throw error
        absences.push(error)
      }
    })
  })
  return { begin, watermarks, absences, ended: whole(asked) }
}

async function fetchProcess({ process, units, inputs }: PullOptions): Promise<ProcessRecord> {
  const record = await units.scheduler.process(process)
  await inputs.items.putProcess(record, units.scheduler.url)
  return record
}

/** The run of these options, with a fixed range: a killed run continues, a finished one starts again or grows. */
async function openRun(options: PullOptions): Promise<Run> {
  const { process, units, inputs, claims } = options
  const id = runId(options)
  const earlier = await inputs.runs.get(process, id)
  if (earlier?.state === 'running') return earlier
  if (earlier !== undefined && claims === 'new') await inputs.claims.forget(id)
  const newest = Math.min(await units.scheduler.latestNonce(process), NONCE_MAX)
  const to = Math.min(options.to ?? newest, newest)
  const from = options.from ?? 0
  if (from > to) {
    throw new AuditError('USAGE', `the range begins at nonce ${from}, but the newest to judge is ${to}`)
  }
  const computes = await Promise.all(units.computes.map(describe))
  const both = units.arweave === undefined ? {} : { schedule: 'both' as const }
  const run: Run = { id, process, scheduler: units.scheduler.url, ...both, computes, from, to, state: 'running' }
  await inputs.runs.put(run)
  return run
}

/** A run is identified by its options, so that the same command finds it again. */
function runId({ process, units, from, to }: PullOptions): string {
  const both = units.arweave === undefined ? [] : [units.arweave.url]
  const asked = [process, units.scheduler.url, units.computes.map(({ url }) => url), from ?? null, to ?? null, ...both]
  return createHash('sha256').update(JSON.stringify(asked)).digest('hex').slice(0, 32)
}

/** A unit that does not name its address is audited all the same. */
async function describe(unit: ComputeSource): Promise<Run['computes'][number]> {
  try {
    const address = await unit.address()
    return { url: unit.url, ...defined({ address }) }
  } catch (error) {
    if (error instanceof AuditError && error.code === 'INTERRUPTED') throw error
    return { url: unit.url }
  }
}

/** Fetches pages from the first missing nonce to the run's end. */
async function fetchSchedule(
  { inputs }: PullOptions,
  run: Run,
  source: SchedulerSource,
  watermark?: Pick<Watermark, 'advance'>
): Promise<void> {
  const have = await inputs.schedule.upTo(source.url, run.process)
  watermark?.advance(have)
  if (have >= run.to) return
  const pages = readSchedule(source, run.process, { fromNonce: have + 1, toNonce: run.to, pageSize: PAGE_MESSAGES })
  for await (const { messages, anomalies } of pages) {
    await inputs.schedule.put(source.url, run.process, messages, anomalies)
    const last = messages.at(-1)
    if (last !== undefined) watermark?.advance(last.nonce)
  }
}

/** Fetches Arweave's schedule. Messages beyond the newest nonce that the scheduler serves are stored too, and named in the run. */
async function fetchSecondSchedule(options: PullOptions, opened: Run, arweave: SchedulerSource): Promise<Run> {
  const { inputs, units, to } = options
  await fetchSchedule(options, opened, arweave)
  const { unserved: _, ...run } = opened
  if (to !== undefined && to <= run.to) return run
  const newest = (await arweave.page(run.process, run.to, PROOF_MESSAGES)).messages.at(-1)?.nonce ?? -1
  // A process grows while it is read: the scheduler withholds only messages that it does not serve now either.
  const served = newest > run.to ? await units.scheduler.latestNonce(run.process) : newest
  if (newest <= served) return run
  const { messages } = await arweave.page(run.process, served, PROOF_MESSAGES)
  await inputs.schedule.put(arweave.url, run.process, messages, [])
  const found: Run = { ...run, unserved: { from: served + 1, to: newest } }
  await inputs.runs.put(found)
  return found
}
