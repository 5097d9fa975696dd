/** Nonces, at one bit for each up to the highest. */

export interface NonceSet {
  add(nonce: number): void
  has(nonce: number): boolean
  readonly size: number
}

/** A set of nonces that come one after another: 125 KB for a million. */
export function createNonceSet(): NonceSet {
  let bits = new Uint8Array(1024)
  let size = 0
  const has = (nonce: number) => ((bits[Math.floor(nonce / 8)] ?? 0) & (1 << (nonce % 8))) !== 0
  return {
    add(nonce) {
      if (has(nonce)) return
      const at = Math.floor(nonce / 8)
      if (at >= bits.length) {
        const larger = new Uint8Array(Math.max(at + 1, bits.length * 2))
        larger.set(bits)
        bits = larger
      }
      bits[at] = (bits[at] ?? 0) | (1 << (nonce % 8))
      size++
    },
    has,
    get size() {
      return size
    }
  }
}
