/** One claim held against one computed result. */
import type { Claim, EvaluationResult } from '../records.ts'
import { canonicalResult, RESULT_FIELDS } from './canonical.ts'
import { collectDifferences, DifferenceCollector } from './differences.ts'
import type { Comparison } from './types.ts'

export interface ComparisonOptions {
  /** Another order of tags is a difference: for a profile that a checkpoint has proven. */
  readonly strictTagOrder?: boolean
  readonly maxDifferences?: number
}

/** The fields that carry tags. */
const OUTBOX: ReadonlySet<string> = new Set(['Messages', 'Spawns', 'Assignments'])

/**
 * Compares what a claim says with what replay computed, both in canonical form (ao-protocol §2.2), in the fields that the claim
 * covers and in no other.
 *
 * @example
 * ```ts
 * compareResult({ covers: ['Output'], value: { Output: 5 } }, { Output: '5' }).differences // []
 * ```
 */
export function compareResult(
  claim: Pick<Claim, 'covers' | 'value'>,
  computed: EvaluationResult,
  { strictTagOrder = false, maxDifferences }: ComparisonOptions = {}
): Comparison {
  const found = new DifferenceCollector(maxDifferences)
  const left = canonicalResult(claim.value)
  const right = canonicalResult(computed)
  for (const field of RESULT_FIELDS) {
    if (!claim.covers.includes(field)) continue
    const tags = !OUTBOX.has(field) ? 'array' : strictTagOrder ? 'strict-order' : 'any-order'
    collectDifferences(left[field], right[field], { at: field, tags }, found)
  }
  return found
}

/** Whether nothing differs but, perhaps, the order of tags. */
export function agrees({ differences, cut }: Comparison): boolean {
  return differences.length + cut === 0
}
