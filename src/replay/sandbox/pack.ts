/** Packs memories as gzip, in a time that grows with what was used of them. */
import { gzipSync } from 'node:zlib'

const CHUNK_BYTES = 256 * 1024
const ZERO = Buffer.alloc(CHUNK_BYTES)
const PACKED_ZERO = gzipSync(ZERO)

/**
 * A memory as gzip, one member for each chunk (RFC 1952 §2.2). Most of a memory was never used, and packing its zeros takes six times
 * as long as finding them: they are packed once for all.
 */
export function* packedMemory(memory: Uint8Array): Generator<Buffer> {
  // An empty memory is a member, too.
  for (let at = 0; at === 0 || at < memory.byteLength; at += CHUNK_BYTES) {
    const chunk = memory.subarray(at, at + CHUNK_BYTES)
    yield ZERO.equals(chunk) ? PACKED_ZERO : gzipSync(chunk, { level: 1 })
  }
}
