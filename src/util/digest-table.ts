/** A compact table keyed by text: about 40 bytes for each of a million entries. */
import { createHash } from 'node:crypto'

/** 32-bit numbers by text. 127 bits of its SHA-256 stand for a text, so two texts do not collide. */
export interface DigestTable {
  /** The value that was first added under the key, as a view that is valid until the next `add`; undefined if there is none. */
  get(key: string): Uint32Array | undefined
  /** A key that is already present keeps its first value. */
  add(key: string, value: Uint32Array): void
}

const KEY_WORDS = 4
const FIRST_SLOTS = 1024

/**
 * An open-addressing table over one typed array. A slot takes (16 + 4 × `valueWords`) bytes, and the table is between 7/16 and
 * 7/8 full; while it grows, it holds the old array too.
 *
 * @param valueWords how many 32-bit numbers a value has, 0 for a set
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

  /** The place of the key, or the free place for it. An empty slot begins with 0; no key does. */
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

/** Hashes UTF-16, because UTF-8 would make all lone surrogates equal. */
function keyOf(text: string): Uint32Array {
  const digest = createHash('sha256').update(text, 'utf16le').digest()
  return Uint32Array.of(
    (digest.readUInt32LE(0) | 1) >>> 0,
    digest.readUInt32LE(4),
    digest.readUInt32LE(8),
    digest.readUInt32LE(12)
  )
}
