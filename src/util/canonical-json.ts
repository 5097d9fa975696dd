/** One text for one JSON value. */
import { isJsonObject, memberNames } from './json-value.ts'

/**
 * The canonical JSON of a value, as RFC 8785 has it: no white space, keys in the order of their UTF-16 code units, numbers and texts
 * as `JSON.stringify` writes them. Half of a surrogate pair, which the RFC refuses, is written as its escape.
 *
 * @param value what JSON can say, not nested so deeply that a recursion ends; members that are undefined are left out
 *
 * @example
 * ```ts
 * canonicalJson({ b: [1.0, 'é'], a: null }) // '{"a":null,"b":[1,"é"]}'
 * ```
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (!isJsonObject(value)) return JSON.stringify(value) ?? 'null'
  const members = memberNames(value).sort()
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name])}`).join(',')}}`
}
