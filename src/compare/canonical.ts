/** The canonical form of a result, as the CU would have written it (protocol §2.2). */

import type { EvaluationResult, ResultField } from '../model/records.ts'
import { defined } from '../util/defined.ts'

export const RESULT_FIELDS: readonly ResultField[] = ['Messages', 'Spawns', 'Assignments', 'Output', 'Error', 'GasUsed']

/** A result with all fields that the CU always fills. */
export type CanonicalResult = EvaluationResult &
  Required<Pick<EvaluationResult, 'Messages' | 'Spawns' | 'Assignments' | 'Output'>>

/** The answer of a CU that evaluated nothing in the stream of a request (§2.6; CU domain/lib/evaluate.js, the first `prev`). */
export const EMPTY_RESULT: CanonicalResult = Object.freeze({ Messages: [], Spawns: [], Assignments: [], Output: '' })

/**
 * Fills in missing fields and turns a number into text as the CU does, in the six fields alone: their contents stay as they are
 * (CU effects/worker/evaluate.js, mergeOutput; `pathOr` takes null for missing).
 *
 * @param result as received; anything that is not an object counts as empty
 * @returns a new object with the six fields in the order of {@link RESULT_FIELDS}; Error and GasUsed only if they have a value
 */
export function canonicalResult(result: EvaluationResult): CanonicalResult {
  const error = field(result, 'Error')
  const gasUsed = field(result, 'GasUsed')
  const output = field(result, 'Output') ?? ''
  return {
    Messages: field(result, 'Messages') ?? [],
    Spawns: field(result, 'Spawns') ?? [],
    Assignments: field(result, 'Assignments') ?? [],
    // JSON has no infinite number, so no unit turned one into text.
    Output: typeof output === 'number' && Number.isFinite(output) ? String(output) : output,
    ...defined({ Error: error, GasUsed: gasUsed })
  }
}

/** An own field; null counts as missing. */
function field(result: unknown, name: ResultField): unknown {
  if (typeof result !== 'object' || result === null || !Object.hasOwn(result, name)) return undefined
  return (result as EvaluationResult)[name] ?? undefined
}
