/** Sets of blocks that no listing shows: with crons that a unit may have left out of its listings, or with other heights. */
import { precedes } from '../../inputs/evaluation-order.ts'
import { type EvaluationKey, keyText } from '../../model/records.ts'
import { parseCrons } from '../../replay/plan/cron-tags.ts'
import type { KnownBlockSets } from '../../replay/profile.ts'
import type { AuditContext } from '../context.ts'
import { isBehind } from './listed-crons.ts'

/** A set of blocks with which all listed crons fire, and more, or at other heights. */
export interface UnlistedTrial {
  readonly set: KnownBlockSets
  /**
   * Other heights; one of all combinations of crons; or one cron of too many to combine. A difference from a claim before the next
   * cron refutes the single cron, and all combinations that begin with it.
   */
  readonly kind: 'heights' | 'combination' | { readonly aloneBefore: EvaluationKey }
}

export interface UnlistedRange {
  /** The place of the difference to explain. */
  readonly before: EvaluationKey
  /** The last place at which the unit's state is known. */
  readonly behind: EvaluationKey | undefined
}

/** All combinations are tried for up to this many left-out crons; of more, each one alone. */
const COMBINED_MAX = 4

interface PlannedCron {
  readonly key: EvaluationKey
  readonly blockHeight: number
}

/** The trials besides a set: the fewest and the most blocks with which the same crons fire, then crons that the set leaves out. */
export async function unlistedTrials(
  context: AuditContext,
  set: KnownBlockSets,
  range: UnlistedRange
): Promise<UnlistedTrial[]> {
  const fired = await blockCrons(context, set)
  const names = new Set(fired.map(({ key }) => keyText(key)))
  const due = (await blockCrons(context, 'all')).filter(({ key }) => !names.has(keyText(key)))
  const unknown = [...new Set(due.map(({ blockHeight }) => blockHeight))]
  const inRange = due.filter(({ key }) => precedes(key, range.before) && isBehind(key, range.behind))
  // Several crons may fire at one block: a unit that knew it fired them all.
  const open = inRange.filter(({ blockHeight }, place) => inRange.findIndex((one) => one.blockHeight === blockHeight) === place)
  const without = (heights: readonly number[]) => ({ unknown: unknown.filter((height) => !heights.includes(height)) })
  const heights: UnlistedTrial[] = [
    { set: { known: fired.map(({ blockHeight }) => blockHeight) }, kind: 'heights' },
    { set: { unknown }, kind: 'heights' }
  ]
  if (open.length > COMBINED_MAX) {
    const alone = open.map(({ blockHeight }, place): UnlistedTrial => {
      return { set: without([blockHeight]), kind: { aloneBefore: open[place + 1]?.key ?? range.before } }
    })
    // The last crons before the difference are the likeliest explanation.
    return [...heights, ...alone.reverse()]
  }
  const masks = Array.from({ length: 2 ** open.length - 1 }, (_, place) => place + 1)
  const combined = masks.map((mask): UnlistedTrial => {
    return {
      set: without(open.filter((_, place) => (mask >> place) % 2 === 1).map((one) => one.blockHeight)),
      kind: 'combination'
    }
  })
  return [...heights, ...combined]
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
