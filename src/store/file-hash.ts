/** The SHA-256 of a file, computed in little memory. */
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'

const CHUNK_BYTES = 256 * 1024

/**
 * Hashes a file through one buffer: the chunks of a stream would pile up faster than they are collected, up to the file's size.
 *
 * @param startByte the offset at which hashing begins
 * @throws errors of the file system as they are
 *
 * @example
 * ```ts
 * (await sha256OfFile('module.wasm')).toString('hex')
 * ```
 */
export async function sha256OfFile(file: string, startByte = 0): Promise<Buffer> {
  const hash = createHash('sha256')
  const buffer = Buffer.alloc(CHUNK_BYTES)
  const handle = await open(file)
  try {
    for (let at = startByte; ; ) {
      const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, at)
      if (bytesRead === 0) return hash.digest()
      hash.update(buffer.subarray(0, bytesRead))
      at += bytesRead
    }
  } finally {
    await handle.close()
  }
}
