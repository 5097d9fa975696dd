/** Compares one claim with one computed result. */

import type { Claim, EvaluationResult, ResultField } from '../model/records.ts'
import { boundedJson } from '../util/json-depth.ts'
import { isJsonObject } from '../util/json-value.ts'
import { type CanonicalResult, canonicalResult, RESULT_FIELDS } from './canonical.ts'
import type { Comparison } from './comparison.ts'
import { collectDifferences, DifferenceCollector } from './differences.ts'

export interface ComparisonOptions {
  /** A different order of tags is a difference: for a profile that a checkpoint has proven. */
  readonly strictTagOrder?: boolean
  readonly maxDifferences?: number
}

/** The fields that carry tags. */
const OUTBOX: ReadonlySet<string> = new Set(['Messages', 'Spawns', 'Assignments'])

/**
 * Compares a claim with a computed result, both in canonical form (protocol §2.2), in the fields that the claim covers and in no
 * others. A claim that is not an object differs as a whole.
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
  if (!isJsonObject(claim.value)) {
    found.add({ step: '', depth: 0 }, claim.value, canonicalResult(computed))
    return found
  }
  const covered = RESULT_FIELDS.filter((field) => claim.covers.includes(field))
  const left = canonicalResult(claim.value)
  const right = canonicalResult(computed)
  if (sameText(left, right, covered)) return found
  for (const field of covered) {
    const tags = !OUTBOX.has(field) ? 'array' : strictTagOrder ? 'strict-order' : 'any-order'
    collectDifferences(left[field], right[field], { at: field, tags }, found)
  }
  return found
}

/**
 * Whether two results are the same to the last character, as most are: this takes a tenth of the time of walking through them. A
 * number that JSON does not have (`1e999` reads as infinite) also becomes `null`, so text with `null` proves nothing.
 */
function sameText(left: CanonicalResult, right: CanonicalResult, fields: readonly ResultField[]): boolean {
  const textOf = (result: CanonicalResult) => boundedJson(Object.fromEntries(fields.map((field) => [field, result[field]])))
  const text = textOf(left)
  return text !== undefined && text === textOf(right) && !text.includes('null')
}

/** Whether nothing differs except, perhaps, the order of tags. */
export function agrees({ differences, cut }: Comparison): boolean {
  return differences.length + cut === 0
}
