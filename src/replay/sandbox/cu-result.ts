/** Turns a module's answer into a result, as the CU does (protocol §2.2; CU effects/worker/evaluate.js, mergeOutput). */

/** The outcome of `handle`: it answered, or it threw. */
export type ModuleAnswer =
  | { readonly thrown: false; readonly response: Response }
  | { readonly thrown: true; readonly error: unknown }

/** Those of the loader's fields that the CU reads. */
export interface Response {
  readonly Messages?: unknown
  readonly Assignments?: unknown
  readonly Spawns?: unknown
  readonly Output?: unknown
  readonly Error?: unknown
  readonly GasUsed?: unknown
}

export interface CuResult {
  /** The result's JSON, keys in the CU's order. */
  readonly text: string
  /** Whether the CU continues with the memory after this message, not with the one before it. */
  readonly keepsMemory: boolean
  /** Whether the CU continues with a new instance. */
  readonly newInstance: boolean
}

const OUT_OF_MEMORY = 'not enough memory for buffer allocation'

/** Builds the result of one evaluation. */
export function cuResult(answer: ModuleAnswer): CuResult {
  const { thrown } = answer
  // An Error has no enumerable properties, so the CU's database and its answers contain `{}`.
  const response: Response = thrown ? { Error: answer.error instanceof Error ? {} : answer.error } : answer.response
  const error = response.Error ?? undefined
  const text = JSON.stringify({
    Messages: response.Messages ?? [],
    Assignments: response.Assignments ?? [],
    Spawns: response.Spawns ?? [],
    Output: outputOf(response.Output),
    GasUsed: response.GasUsed ?? undefined,
    Error: error
  })
  const failed = Boolean(error)
  return { text, keepsMemory: !failed && !thrown && !saysOutOfMemory(response.Output), newInstance: failed }
}

function outputOf(output: unknown): unknown {
  if (output === undefined || output === null || Number.isNaN(output)) return ''
  return typeof output === 'number' ? String(output) : output
}

/** Old modules report this only in Output; the CU then keeps the instance and discards the memory (§2.10). */
function saysOutOfMemory(output: unknown): boolean {
  if (typeof output === 'string') return output.endsWith(OUT_OF_MEMORY)
  if (typeof output !== 'object' || output === null) return false
  const data = (output as { data?: unknown }).data
  const inner = typeof data === 'object' && data !== null ? (data as { output?: unknown }).output : undefined
  return typeof inner === 'string' && inner.endsWith(OUT_OF_MEMORY)
}
