/** Encodes keys as bytes that keep the order of their parts. */
import type { RecordKey } from './store.ts'

const NUMBER = '1'
const TEXT = '2'
/** Greater than any part's first character. */
const AFTER_ALL = '3'
const NUMBER_DIGITS = 16
// oxlint-disable no-control-regex -- it escapes control characters
// biome-ignore lint/suspicious/noControlCharactersInRegex: see above
const TO_ESCAPE = /[\u0000\u0001]|\p{Surrogate}/gu
// biome-ignore lint/suspicious/noControlCharactersInRegex: see above
const ESCAPED = /\u0001(?:\u0003([0-9a-f]{4})|([\u0001\u0002]))/g

/**
 * A key as text whose UTF-8 bytes sort as its parts do: numbers by value and before strings, strings by their bytes. A part ends
 * with U+0000, which no encoded part contains: strings encode U+0000 and U+0001 as two characters. A lone surrogate has no UTF-8
 * and would become the same U+FFFD as any other, so it is encoded by its number.
 *
 * @throws RangeError for a number that is not whole or not from 0 to 2^53-1
 */
export function encodeKey(key: RecordKey): string {
  return key.map(encodePart).join('')
}

function encodePart(part: string | number): string {
  if (typeof part === 'string') return `${TEXT}${part.replace(TO_ESCAPE, escapeOne)}\u0000`
  if (!Number.isSafeInteger(part) || part < 0) throw new RangeError(`${part} cannot be part of a key`)
  return `${NUMBER}${String(part).padStart(NUMBER_DIGITS, '0')}\u0000`
}

function escapeOne(one: string): string {
  if (one === '\u0000') return '\u0001\u0001'
  if (one === '\u0001') return '\u0001\u0002'
  return `\u0001\u0003${one.charCodeAt(0).toString(16)}`
}

/** The inverse of `encodeKey`. */
export function decodeKey(text: string): RecordKey {
  return text
    .split('\u0000')
    .slice(0, -1)
    .map((part) => (part.startsWith(NUMBER) ? Number(part.slice(1)) : part.slice(1).replace(ESCAPED, unescapeOne)))
}

function unescapeOne(_all: string, surrogate: string | undefined, control: string | undefined): string {
  if (surrogate !== undefined) return String.fromCharCode(Number.parseInt(surrogate, 16))
  return control === '\u0001' ? '\u0000' : '\u0001'
}

/** Negative if `left` comes before `right` in the store, 0 for the same key: the order of level, which compares bytes. */
export function compareKeys(left: RecordKey, right: RecordKey): number {
  return Buffer.compare(Buffer.from(encodeKey(left)), Buffer.from(encodeKey(right)))
}

/** The bounds of `prefix` itself and all keys below it whose next part is in the range, both ends inclusive. */
export function rangeOf(
  prefix: RecordKey,
  range: { readonly from?: string | number; readonly to?: string | number } = {}
): { readonly gte: string; readonly lt: string } {
  const base = encodeKey(prefix)
  return {
    gte: range.from === undefined ? base : base + encodePart(range.from),
    // U+0001 follows the U+0000 that ends the part, so the range still includes everything below the last part.
    lt: range.to === undefined ? base + AFTER_ALL : `${base}${encodePart(range.to).slice(0, -1)}\u0001`
  }
}
