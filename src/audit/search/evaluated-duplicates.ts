/** Which duplicates a unit may have evaluated though its rules skip them (protocol §2.6). */
import type { SkippedTwin } from '../observations.ts'

/** Duplicates that are tried one by one, from the last on: an honest unit rarely has more of which nothing tells. */
const SINGLE_MAX = 24

/**
 * Sets of nonces to be evaluated, the likeliest first.
 *
 * A unit that starts from a checkpoint knows nothing of what came before it, and so evaluates the second of two twins between which it
 * lies. From 2024-04-15 to 2025-01-13 the CU compared `epoch:nonce` as text, in which `0:9` comes behind `0:13`. And a table may be
 * lost: then any one, or all, are evaluated.
 *
 * @param twins duplicates that are skipped so far, ascending
 * @param startedBehind nonces behind which the unit may have started: those of its checkpoints
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

/** Whether the CU of that time did not find the first: all epochs are 0. */
function comparesAsText({ nonce, of }: SkippedTwin): boolean {
  return !(`0:${of}` < `0:${nonce}`)
}
