/** Writes equal JSON values as equal texts. */
import { isJsonObject, memberNames } from './json-value.ts'

/**
 * Writes a value as the canonical JSON of RFC 8785: no white space, keys in the order of their UTF-16 code units, numbers and strings
 * as `JSON.stringify` writes them. An unpaired surrogate, which the RFC does not allow, becomes its escape.
 *
 * @param value a JSON value of at most some thousand levels; members that are undefined are left out
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
