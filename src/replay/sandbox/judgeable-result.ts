/** The CU's result of a module's answer, if the audit can judge it. */
import { nestsDeeperThan, RESULT_MAX_DEPTH } from '../../util/json-depth.ts'
import { type CuResult, cuResult, type ModuleAnswer } from './cu-result.ts'
import type { Instance } from './instance.ts'

/** Limit on a result's JSON: the loader accepts anything that fits into a memory, but a report cannot. */
const RESULT_MAX_CHARS = 64 * 1024 * 1024

const STACK_EXHAUSTED =
  'the message used up the stack that this auditor gives a module; how much a CU gives depends on its thread and its Node'

/**
 * Returns the result. If it is too large, too deep or cannot be written as JSON, returns an empty one that the audit does not
 * judge.
 *
 * @param host is told why it cannot be judged, also if the message used up the stack
 */
export function judgeableResult(answer: ModuleAnswer, host: Instance['host']): CuResult {
  const result = resultOf(answer, host)
  if (answer.thrown && isStackExhausted(answer.error)) host.trouble ??= STACK_EXHAUSTED
  return result
}

function resultOf(answer: ModuleAnswer, host: Instance['host']): CuResult {
  try {
    const result = cuResult(answer)
    const tooLarge = result.text.length > RESULT_MAX_CHARS
    if (!tooLarge && !nestsDeeperThan(result.text, RESULT_MAX_DEPTH)) return result
    host.trouble ??= tooLarge
      ? `the result is larger than ${RESULT_MAX_CHARS} characters`
      : `the result nests deeper than ${RESULT_MAX_DEPTH} levels`
  } catch (error) {
    host.trouble ??= `the result cannot be written as JSON (${error instanceof Error ? error.message : 'unknown error'})`
  }
  return cuResult({ thrown: true, error: 'no result' })
}

/** Recognizes V8's error for too many nested calls in a module. */
function isStackExhausted(error: unknown): boolean {
  return error instanceof RangeError && /call stack/i.test(error.message)
}
