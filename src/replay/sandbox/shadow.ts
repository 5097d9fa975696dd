/** A sparse copy of a memory: what is equal is never written, so pages that were never used cost nothing. */

const BLOCK_BYTES = 256 * 1024
const PAGE_BYTES = 4096

export interface Shadow {
  readonly bytes: number
  /** Makes the shadow equal to the memory. */
  sync(memory: Uint8Array): void
  /** Makes the memory's first `bytes` equal to the shadow. */
  restore(memory: Uint8Array): void
}

/**
 * Copies every page of `from` that differs into `to`. Comparing 110 MB of sparse memory takes 3 ms where copying it takes 9,
 * and pages that are zero on both sides stay unmapped (replay-recipes, "Time").
 */
export function copyDifferences(from: Uint8Array, to: Uint8Array): void {
  const length = Math.min(from.byteLength, to.byteLength)
  for (let block = 0; block < length; block += BLOCK_BYTES) {
    const size = Math.min(BLOCK_BYTES, length - block)
    const source = Buffer.from(from.buffer, from.byteOffset + block, size)
    const target = Buffer.from(to.buffer, to.byteOffset + block, size)
    if (source.equals(target)) continue
    for (let page = 0; page < size; page += PAGE_BYTES) {
      const end = Math.min(page + PAGE_BYTES, size)
      if (source.compare(target, page, end, page, end) !== 0) source.copy(target, page, page, end)
    }
  }
}

/** An empty shadow. */
export function createShadow(): Shadow {
  let copy = new Uint8Array(0)
  return {
    get bytes() {
      return copy.byteLength
    },
    sync(memory) {
      if (copy.byteLength !== memory.byteLength) {
        const resized = new Uint8Array(memory.byteLength)
        copyDifferences(copy, resized)
        copy = resized
      }
      copyDifferences(memory, copy)
    },
    restore(memory) {
      copyDifferences(copy, memory)
    }
  }
}
