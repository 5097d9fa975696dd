/** Hashes of memories of any size. */
import { createHash } from 'node:crypto'

/** Node cannot hash 2 GiB at once. */
const CHUNK_BYTES = 256 * 1024 * 1024

/** Returns the hash as lowercase hex. */
export function sha256Of(memory: Uint8Array): string {
  const hash = createHash('sha256')
  for (let at = 0; at < memory.byteLength; at += CHUNK_BYTES) hash.update(memory.subarray(at, at + CHUNK_BYTES))
  return hash.digest('hex')
}
