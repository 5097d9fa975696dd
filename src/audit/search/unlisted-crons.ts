/**
 * Sets of blocks, and of requests, that no listing shows: with crons that a unit may have left out of its listings, with crons that
 * fired again, or with other heights.
 */
import { precedes } from '../../inputs/evaluation-order.ts'
import { type EvaluationKey, keyText } from '../../model/records.ts'
import { parseCrons } from '../../replay/plan/cron-tags.ts'
import type { KnownBlockSets } from '../../replay/profile.ts'
import type { AuditContext } from '../context.ts'
import { isBehind } from './listed-crons.ts'
import { type CronRange, REPEATS_MAX, sharedSeconds, withRepeats } from './repeated-crons.ts'

/** A set with which all listed crons fire, and more, or at other heights. */
export interface UnlistedTrial {
  readonly set: KnownBlockSets
  /**
   * Other heights; one of all combinations of left-out crons; or one change of too many to combine. A difference from a claim before
   * the next change refutes the single one, and all combinations that begin with it.
   */
  readonly kind: 'heights' | 'combination' | { readonly aloneBefore: EvaluationKey }
}

/** All combinations are tried for up to this many left-out crons, or repeated ones; of more, each one alone. */
const COMBINED_MAX = 4

interface PlannedCron {
  readonly key: EvaluationKey
  readonly blockHeight: number
}

/** A change of the set: a block that the unit knew, or crons that fired again. */
type Change = { readonly key: EvaluationKey } & ({ readonly blockHeight: number } | { readonly again: EvaluationKey })

/**
 * The trials besides a set: the fewest and the most blocks with which the same crons fire, then crons that the set leaves out, and
 * crons of one second that fire again.
 */
export async function unlistedTrials(context: AuditContext, set: KnownBlockSets, range: CronRange): Promise<UnlistedTrial[]> {
  const fired = await blockCrons(context, set)
  const names = new Set(fired.map(({ key }) => keyText(key)))
  const due = (await blockCrons(context, 'all')).filter(({ key }) => !names.has(keyText(key)))
  const unknown = [...new Set(due.map(({ blockHeight }) => blockHeight))]
  const inRange = due.filter(({ key }) => precedes(key, range.before) && isBehind(key, range.behind))
  // Several crons may fire at one block: a unit that knew it fired them all.
  const leftOut = inRange.filter(
    ({ blockHeight }, place) => inRange.findIndex((one) => one.blockHeight === blockHeight) === place
  )
  const shared = await sharedSeconds(context, set, range)
  const changes: Change[] = [...leftOut, ...shared.map((key) => ({ key, again: key }))].sort((one, other) =>
    precedes(one.key, other.key) ? -1 : 1
  )
  const changed = (made: readonly Change[]) => {
    const heights = made.flatMap((one) => ('blockHeight' in one ? [one.blockHeight] : []))
    const again = made.flatMap((one) => ('again' in one ? [one.again] : []))
    const base = heights.length === 0 ? set : { ...endsOf(set), unknown: unknown.filter((height) => !heights.includes(height)) }
    return withRepeats(context.options, base, again)
  }
  const trials: UnlistedTrial[] = [
    { set: { ...endsOf(set), known: fired.map(({ blockHeight }) => blockHeight) }, kind: 'heights' },
    { set: { ...endsOf(set), unknown }, kind: 'heights' }
  ]
  // The last changes before the difference are the likeliest explanation.
  for (const [place, change] of [...changes.entries()].reverse()) {
    const aloneBefore = changes[place + 1]?.key ?? range.before
    const times = 'again' in change ? REPEATS_MAX : 1
    const combined = changes.length <= COMBINED_MAX && !('again' in change)
    for (let count = 1; count <= times && !combined; count++)
      trials.push({ set: await changed(Array.from({ length: count }, () => change)), kind: { aloneBefore } })
  }
  if (changes.length > COMBINED_MAX) return trials
  for (let mask = 1; mask < 2 ** changes.length; mask++) {
    const made = changes.filter((_, place) => (mask >> place) % 2 === 1)
    trials.push({ set: await changed(made), kind: 'combination' })
  }
  return trials
}

/** The ends of streams that a set with every block names. */
function endsOf(set: KnownBlockSets): { readonly ends?: readonly number[] } {
  return typeof set === 'object' && 'ends' in set && set.ends !== undefined ? { ends: set.ends } : {}
}

/** Crons by blocks that fire with a set, in order. */
async function blockCrons({ plan, subject, start }: AuditContext, set: KnownBlockSets): Promise<PlannedCron[]> {
  const crons = parseCrons(subject.process.tags)
  const byBlocks = new Set('fault' in crons ? [] : crons.filter(({ unit }) => unit === 'blocks').map(({ name }) => name))
  const found: PlannedCron[] = []
  for await (const { key, work } of plan(set)) {
    if (key.cron === undefined || !byBlocks.has(key.cron) || work.kind !== 'run' || !isBehind(key, start?.key)) continue
    const height = work.message['Block-Height']
    if (typeof height === 'number') found.push({ key, blockHeight: height })
  }
  return found
}
