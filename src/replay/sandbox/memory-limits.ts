/**
 * Reads a module's declared memory limits. The loader does not report them, and only they distinguish a module's limit from the
 * host's.
 */

export interface MemoryLimits {
  readonly initialPages: number
  /** Infinity if the module declares none. */
  readonly maximumPages: number
}

const SECTION_MEMORY = 5
const FLAG_HAS_MAXIMUM = 1

/**
 * Reads the limits of the first memory of a WASM binary, in pages of 64 KiB.
 *
 * @returns undefined for a binary without a memory section of its own
 */
export function declaredMemory(wasm: Uint8Array): MemoryLimits | undefined {
  let at = 8
  const unsigned = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = wasm[at++]
      if (byte === undefined || scale > 2 ** 63) return Number.NaN
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }
  while (at < wasm.byteLength) {
    const id = wasm[at++]
    const size = unsigned()
    if (!Number.isSafeInteger(size)) return undefined
    if (id !== SECTION_MEMORY) {
      at += size
      continue
    }
    if (unsigned() < 1) return undefined
    const flags = unsigned()
    const initialPages = unsigned()
    const maximumPages = (flags & FLAG_HAS_MAXIMUM) === 0 ? Number.POSITIVE_INFINITY : unsigned()
    return Number.isNaN(initialPages) || Number.isNaN(maximumPages) ? undefined : { initialPages, maximumPages }
  }
  return undefined
}
