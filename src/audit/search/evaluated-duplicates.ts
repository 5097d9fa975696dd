/** Duplicates that a unit may have evaluated although its rules skip them (protocol §2.6). */
import type { SkippedTwin } from '../observations.ts'

/** How many duplicates are tried one by one, from the last on: an honest unit rarely has more that leave no other trace. */
const SINGLE_MAX = 24

/**
 * Sets of nonces to evaluate, the likeliest first.
 *
 * A unit that starts from a checkpoint knows no earlier message, and so evaluates the second of two twins around the checkpoint. From
 * 2024-04-15 to 2025-01-13 the CU compared `epoch:nonce` as text, in which `0:9` comes after `0:13`. And if a table is lost, the unit
 * evaluates any one of them, or all.
 *
 * @param twins duplicates that are skipped so far, ascending
 * @param startedBehind nonces after which the unit may have started: those of its checkpoints
 */
export function duplicateSets(twins: readonly SkippedTwin[], startedBehind: readonly number[]): ReadonlySet<number>[] {
  if (twins.length === 0) return []
  const where = (holds: (twin: SkippedTwin) => boolean) => new Set(twins.filter(holds).map(({ nonce }) => nonce))
  const sets = [
    where(comparesAsText),
    ...startedBehind.map((start) => where(({ nonce, of }) => of <= start && start < nonce)),
    ...twins
      .slice(-SINGLE_MAX)
      .reverse()
      .map((twin) => new Set([twin.nonce])),
    where(() => true)
  ]
  const named = new Map(sets.map((set) => [[...set].join(), set]))
  return [...named.values()].filter((set) => set.size > 0)
}

/** Whether the CU of that time failed to find the first; all epochs are 0. */
function comparesAsText({ nonce, of }: SkippedTwin): boolean {
  return !(`0:${of}` < `0:${nonce}`)
}
