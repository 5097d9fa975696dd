/** Packs memories as gzip, in a time that grows with their used part. */
import { gzipSync } from 'node:zlib'

const CHUNK_BYTES = 256 * 1024
const ZERO = Buffer.alloc(CHUNK_BYTES)
const PACKED_ZERO = gzipSync(ZERO)

/**
 * Packs a memory as gzip, one member for each chunk (RFC 1952 §2.2). Most of a memory was never used, and packing its zeros takes
 * six times as long as finding them, so a chunk of zeros is packed only once.
 */
export function* packedMemory(memory: Uint8Array): Generator<Buffer> {
  // An empty memory also needs one member.
  for (let at = 0; at === 0 || at < memory.byteLength; at += CHUNK_BYTES) {
    const chunk = memory.subarray(at, at + CHUNK_BYTES)
    yield ZERO.equals(chunk) ? PACKED_ZERO : gzipSync(chunk, { level: 1 })
  }
}
