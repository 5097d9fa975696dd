/** What is known of a million texts, in as many times some 40 bytes. */
import { createHash } from 'node:crypto'

/** Numbers of 32 bits by text. A text is known by 127 bits of its SHA-256, so that two do not meet. */
export interface DigestTable {
  /** What was added first under the key, as a view that holds until the next `add`; undefined where nothing was. */
  get(key: string): Uint32Array | undefined
  /** A key that is there already keeps its first value. */
  add(key: string, value: Uint32Array): void
}

const KEY_WORDS = 4
const FIRST_SLOTS = 1024

/**
 * An open-addressing table over one typed array. It takes (16 + 4 × `valueWords`) bytes a slot, and is between 7/16 and 7/8 full;
 * while it grows the old array is there too.
 *
 * @param valueWords numbers of 32 bits in every value, 0 for a set
 *
 * @example
 * ```ts
 * const seen = createDigestTable(1)
 * seen.add('a', Uint32Array.of(7))
 * seen.get('a') // Uint32Array [7]
 * ```
 */
export function createDigestTable(valueWords: number): DigestTable {
  const stride = KEY_WORDS + valueWords
  let slots = FIRST_SLOTS
  let words = new Uint32Array(slots * stride)
  let used = 0

  /** Where the key lies, or would. An empty slot begins with 0, which no key does. */
  const placeOf = (key: Uint32Array): number => {
    const [first = 0, second = 0, third = 0, fourth = 0] = key
    for (let slot = second & (slots - 1); ; slot = (slot + 1) & (slots - 1)) {
      const at = slot * stride
      if (words[at] === 0) return at
      if (words[at] === first && words[at + 1] === second && words[at + 2] === third && words[at + 3] === fourth) return at
    }
  }

  const grow = () => {
    const old = words
    slots *= 2
    words = new Uint32Array(slots * stride)
    for (let at = 0; at < old.length; at += stride) {
      const entry = old.subarray(at, at + stride)
      if (entry[0] !== 0) words.set(entry, placeOf(entry))
    }
  }

  return {
    get(key) {
      const at = placeOf(keyOf(key))
      return words[at] === 0 ? undefined : words.subarray(at + KEY_WORDS, at + stride)
    },
    add(key, value) {
      const digest = keyOf(key)
      const at = placeOf(digest)
      if (words[at] !== 0) return
      words.set(digest, at)
      words.set(value.subarray(0, valueWords), at + KEY_WORDS)
      used++
      if (used * 8 > slots * 7) grow()
    }
  }
}

/** Of UTF-16, in which half a surrogate pair is not taken for another. */
function keyOf(text: string): Uint32Array {
  const digest = createHash('sha256').update(text, 'utf16le').digest()
  return Uint32Array.of(
    (digest.readUInt32LE(0) | 1) >>> 0,
    digest.readUInt32LE(4),
    digest.readUInt32LE(8),
    digest.readUInt32LE(12)
  )
}
