/** A set of nonces that takes one bit for each nonce of a dense range. */

export interface NonceSet {
  add(nonce: number): void
  has(nonce: number): boolean
  readonly size: number
}

const CHUNK_NONCES = 512

/** A set of whole numbers: about 400 KB for a million consecutive ones. A single number takes at most one chunk, however high. */
export function createNonceSet(): NonceSet {
  const chunks = new Map<number, Uint8Array>()
  let size = 0
  const has = (nonce: number) => {
    const { chunk, byte, bit } = placeOf(nonce)
    return ((chunks.get(chunk)?.[byte] ?? 0) & bit) !== 0
  }
  return {
    add(nonce) {
      if (has(nonce)) return
      const { chunk, byte, bit } = placeOf(nonce)
      const bits = chunks.get(chunk) ?? new Uint8Array(CHUNK_NONCES / 8)
      bits[byte] = (bits[byte] ?? 0) | bit
      chunks.set(chunk, bits)
      size++
    },
    has,
    get size() {
      return size
    }
  }
}

function placeOf(nonce: number) {
  const chunk = Math.floor(nonce / CHUNK_NONCES)
  const within = nonce - chunk * CHUNK_NONCES
  return { chunk, byte: within >> 3, bit: 1 << (within & 7) }
}
