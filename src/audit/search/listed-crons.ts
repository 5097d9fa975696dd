/** The crons that a unit lists, and the extent of its listings: they say nothing about crons after their end. */
import { precedes } from '../../inputs/evaluation-order.ts'
import type { Inputs } from '../../inputs/inputs.ts'
import type { Run } from '../../inputs/run-record.ts'
import { type EvaluationKey, keyText } from '../../model/records.ts'

export interface ListedCrons {
  readonly unit: string
  /** Its listed crons in the range that it was asked about. */
  readonly crons: ReadonlyMap<string, EvaluationKey>
  /** Whether the unit was asked about a cron: if it does not list such a cron, it did not evaluate it, or the cron failed. */
  asked(key: EvaluationKey): boolean
}

export interface ListingRange {
  readonly inputs: Inputs
  readonly run: Run
  /** The first ordinate about which the units were asked. */
  readonly claimsFrom: number
  /** The place of the memory that the replay begins with. */
  readonly after?: EvaluationKey
}

/**
 * Reads the listings of one unit.
 *
 * The unit was asked about a cron if a listing went past its place, to a later entry. The end of a listing is only the unit's own
 * word, and a fault of its own may have set it early.
 */
export async function readListedCrons({ inputs, run, claimsFrom, after }: ListingRange, unit: string): Promise<ListedCrons> {
  const listings = await Promise.all([inputs.claims.listing(run, unit, 'results'), inputs.claims.listing(run, unit, 'cron')])
  const passedRange = listings.some((progress) => progress?.last !== undefined && progress.last.ordinate > run.to)
  const inRange = (key: EvaluationKey) => key.ordinate >= claimsFrom && isBehind(key, after)
  const crons = new Map<string, EvaluationKey>()
  let last: EvaluationKey | undefined
  // An archive may contain claims after the judged range.
  const to = Math.max(run.to, ...listings.map((progress) => progress?.to ?? 0))
  for await (const { kind, key } of inputs.claims.of({ ...run, from: claimsFrom, to }, unit)) {
    if (kind !== 'listed') continue
    if (last === undefined || precedes(last, key)) last = key
    if (key.cron !== undefined && key.ordinate <= run.to && inRange(key)) crons.set(keyText(key), key)
  }
  return {
    unit,
    crons,
    asked: (key) => inRange(key) && (passedRange || crons.has(keyText(key)) || (last !== undefined && precedes(key, last)))
  }
}

/** Whether a cron fires after the place of a memory. */
export function isBehind({ ordinate, timestamp }: EvaluationKey, place: EvaluationKey | undefined): boolean {
  if (place === undefined || ordinate > place.ordinate) return true
  return ordinate === place.ordinate && (place.cron === undefined || timestamp > place.timestamp)
}
