/**
 * Streams that no listing shows: a request that ended among crons of one second makes all but the last of them fire again.
 *
 * A CU that is asked for its crons or its state evaluates up to the time of the request. Its next stream begins at the second of the
 * last cron and remembers only that one (CU domain/lib/evaluate.js, evaledCrons). The first results stay, so its listings look alike.
 */
import { precedes } from '../../inputs/evaluation-order.ts'
import type { Inputs } from '../../inputs/inputs.ts'
import type { Run } from '../../inputs/run-record.ts'
import type { EvaluationKey } from '../../model/records.ts'
import { parseCrons } from '../../replay/plan/cron-tags.ts'
import type { KnownBlockSets } from '../../replay/profile.ts'
import type { AuditContext } from '../context.ts'
import { isBehind } from './listed-crons.ts'

/** How often the crons of one second may fire again; a unit that is asked every few seconds repeats them often. */
export const REPEATS_MAX = 3

/** Part of a schedule: after its beginning the unit's state is not known, up to the evaluation to explain. */
export interface CronRange {
  readonly before: EvaluationKey
  readonly behind: EvaluationKey | undefined
}

/** The last cron of each second in which several crons by time fire with a set. */
export async function sharedSeconds(
  { plan, subject, start }: Pick<AuditContext, 'plan' | 'subject' | 'start'>,
  set: KnownBlockSets,
  { before, behind }: CronRange
): Promise<EvaluationKey[]> {
  const crons = parseCrons(subject.process.tags)
  const byTime = new Set('fault' in crons ? [] : crons.filter(({ unit }) => unit === 'seconds').map(({ name }) => name))
  if (byTime.size < 2) return []
  const found: EvaluationKey[] = []
  let last: EvaluationKey | undefined
  for await (const { key, repeated = false } of plan(set)) {
    if (repeated || !precedes(key, before) || key.cron === undefined || !byTime.has(key.cron)) continue
    const together = last !== undefined && last.ordinate === key.ordinate && last.timestamp === key.timestamp
    if (together && isBehind(key, start?.key) && isBehind(key, behind)) {
      if (found.at(-1) === last) found.pop()
      found.push(key)
    }
    last = key
  }
  return found
}

/** Adds streams to a set so that the crons at these places fire again, each as often as it occurs. */
export async function withRepeats(
  { inputs, run }: { readonly inputs: Inputs; readonly run: Run },
  set: KnownBlockSets,
  places: readonly EvaluationKey[]
): Promise<KnownBlockSets> {
  if (places.length === 0) return set
  const counts = new Map<number, number>()
  const ends = places.map(({ timestamp }) => {
    const count = counts.get(timestamp) ?? 0
    counts.set(timestamp, count + 1)
    // The first stream ends right after the crons; one more fires them again only if it ends in a later second.
    return count === 0 ? timestamp + 1 : timestamp + 1000
  })
  const ascending = (times: readonly number[]) => [...times, ...ends].sort((left, right) => left - right)
  if (set === 'all') return { unknown: [], ends: ascending([]) }
  if (typeof set === 'object' && ('known' in set || 'unknown' in set)) return { ...set, ends: ascending(set.ends ?? []) }
  if (typeof set === 'object') return ascending(set)
  const times: number[] = []
  const from = set === 'stepwise' ? 0 : run.to
  for await (const { timestamp } of inputs.schedule.messages(run, from, run.to)) times.push(timestamp)
  return ascending(times)
}
