/** Names of fields: as the message has them, and as signature bases and ids have them. Each character is a byte. */

/** Names that RFC 9421 derives from a request; HyperBEAM lists them with `@`. A `status` has none there. */
const DERIVED = new Set(['authority', 'method', 'path', 'query', 'query-param', 'request-target', 'scheme', 'target-uri'])

/** The lengths in bytes of ids, and of addresses. */
const ENCODED_LENGTHS = new Set([32, 42, 43])
const ENCODED_BYTE = /[^a-z0-9._/?&-]/g
const ENCODING = /%([0-9a-f]{2})/g

/** The ending of a name whose value is the id of a nested message. */
export const LINK = '+link'

/**
 * A name as it is signed. Those of 32, 42 and 43 bytes are percent-encoded, for they may be ids, whose case would not survive HTTP.
 * Answers show such a name in either form.
 *
 * @param name in either form
 * @returns the encoded form
 *
 * @example
 * ```ts
 * signedName('Balance') // 'Balance'
 * signedName('A'.repeat(32)) // '%41'.repeat(32)
 * ```
 */
export function signedName(name: string): string {
  return plainName(name) === name && ENCODED_LENGTHS.has(name.length) ? percentEncoded(name) : name
}

/**
 * A name as the message has it: the inverse of `signedName`.
 *
 * @param name in either form
 * @returns the form without percent-encoding
 */
export function plainName(name: string): string {
  if (!name.includes('%')) return name
  const plain = name.replaceAll(ENCODING, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return ENCODED_LENGTHS.has(plain.length) && percentEncoded(plain) === name ? plain : name
}

function percentEncoded(name: string): string {
  return name.replaceAll(ENCODED_BYTE, (letter) => `%${letter.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

/** A covered name in the two forms of a signature base. */
export interface CoveredName {
  /** At the head of its line. */
  readonly line: string
  /** In the list of the last line. */
  readonly listed: string
}

/**
 * The forms of a name that a commitment covers.
 *
 * @param name as `signature-input` lists it, or a field of a nested message
 * @returns without `@` for its line, and with it for the list where the name is a derived one
 *
 * @example
 * ```ts
 * coveredName('path') // { line: 'path', listed: '@path' }
 * ```
 */
export function coveredName(name: string): CoveredName {
  const line = signedName(name.startsWith('@') ? name.slice(1) : name)
  return { line, listed: DERIVED.has(line) || name.startsWith('@') ? `@${line}` : line }
}
