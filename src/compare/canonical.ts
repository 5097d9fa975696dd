/** The canonical form of a result: what the CU would have made of it (protocol §2.2). */

import type { EvaluationResult, ResultField } from '../model/records.ts'
import { defined } from '../util/defined.ts'

export const RESULT_FIELDS: readonly ResultField[] = ['Messages', 'Spawns', 'Assignments', 'Output', 'Error', 'GasUsed']

/** A result in which the fields that the CU always fills are there. */
export type CanonicalResult = EvaluationResult &
  Required<Pick<EvaluationResult, 'Messages' | 'Spawns' | 'Assignments' | 'Output'>>

/** The answer of a CU that evaluated nothing in the stream of a request (§2.6; CU domain/lib/evaluate.js, the first `prev`). */
export const EMPTY_RESULT: CanonicalResult = Object.freeze({ Messages: [], Spawns: [], Assignments: [], Output: '' })

/**
 * Fills in and turns into text what the CU does, in the six fields alone: below them nothing is changed
 * (CU effects/worker/evaluate.js, mergeOutput; `pathOr` takes null for missing).
 *
 * @param result as it came; anything that is no object counts as empty
 * @returns a new object with the six fields in {@link RESULT_FIELDS}' order; Error and GasUsed only where they are something
 */
export function canonicalResult(result: EvaluationResult): CanonicalResult {
  const error = field(result, 'Error')
  const gasUsed = field(result, 'GasUsed')
  const output = field(result, 'Output') ?? ''
  return {
    Messages: field(result, 'Messages') ?? [],
    Spawns: field(result, 'Spawns') ?? [],
    Assignments: field(result, 'Assignments') ?? [],
    // No unit's JSON has an infinite number: what reads as one is no text that a unit made of it.
    Output: typeof output === 'number' && Number.isFinite(output) ? String(output) : output,
    ...defined({ Error: error, GasUsed: gasUsed })
  }
}

/** An own field; null counts as missing. */
function field(result: unknown, name: ResultField): unknown {
  if (typeof result !== 'object' || result === null || !Object.hasOwn(result, name)) return undefined
  return (result as EvaluationResult)[name] ?? undefined
}
