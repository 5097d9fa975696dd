/** Keys as bytes in the order of their parts. */
import type { RecordKey } from './store.ts'

const NUMBER = '1'
const TEXT = '2'
/** Greater than any part's first character. */
const AFTER_ALL = '3'
const NUMBER_DIGITS = 16

/**
 * A key as text whose code units order as its parts do: numbers by value and before texts. A part ends with U+0000, which no
 * encoded part holds: in texts U+0000 and U+0001 are written as two.
 *
 * @throws RangeError for a number that is no whole number from 0 to 2^53-1
 */
export function encodeKey(key: RecordKey): string {
  return key.map(encodePart).join('')
}

function encodePart(part: string | number): string {
  if (typeof part === 'string') {
    const escaped = part.replaceAll('\u0001', '\u0001\u0002').replaceAll('\u0000', '\u0001\u0001')
    return `${TEXT}${escaped}\u0000`
  }
  if (!Number.isSafeInteger(part) || part < 0) throw new RangeError(`${part} cannot be part of a key`)
  return `${NUMBER}${String(part).padStart(NUMBER_DIGITS, '0')}\u0000`
}

/** The key that `encodeKey` made the text of. */
export function decodeKey(text: string): RecordKey {
  return text
    .split('\u0000')
    .slice(0, -1)
    .map((part) => {
      if (part.startsWith(NUMBER)) return Number(part.slice(1))
      return part.slice(1).replaceAll('\u0001\u0001', '\u0000').replaceAll('\u0001\u0002', '\u0001')
    })
}

/** The bounds of all keys below `prefix` whose next part lies in the range, both inclusive. */
export function rangeOf(
  prefix: RecordKey,
  range: { readonly from?: string | number; readonly to?: string | number } = {}
): { readonly gte: string; readonly lt: string } {
  const base = encodeKey(prefix)
  return {
    gte: range.from === undefined ? base : base + encodePart(range.from),
    // U+0001 follows the U+0000 that ends the part: everything below the last part is still in.
    lt: range.to === undefined ? base + AFTER_ALL : `${base}${encodePart(range.to).slice(0, -1)}\u0001`
  }
}
