/** Identifies memories by the part in use: most of a memory is zeros, which SHA-256 hashes no faster than other bytes. */
import { createHash } from 'node:crypto'

/** A memory whose hash is known. */
export interface KnownMemory {
  readonly fingerprint: string
  /** Lowercase hex. */
  readonly sha256: string
}

export interface FingerprintMaker {
  /** Adds the next bytes of the memory. */
  update(bytes: Uint8Array): void
  /** Lowercase hex. */
  digest(): string
}

const BLOCK_BYTES = 64 * 1024
const ZERO = Buffer.alloc(BLOCK_BYTES)

/**
 * The fingerprint of a memory that arrives in parts of any size: SHA-256 over each block of 64 KiB that is not zero, preceded by
 * its index, and the memory's size at the end. Two memories with the same fingerprint are equal, or SHA-256 is broken.
 */
export function createFingerprint(): FingerprintMaker {
  const hash = createHash('sha256')
  const number = Buffer.alloc(8)
  const open = Buffer.alloc(BLOCK_BYTES)
  let openBytes = 0
  let blocks = 0

  function putNumber(value: number): void {
    number.writeBigUInt64BE(BigInt(value))
    hash.update(number)
  }

  function putBlock(from: Buffer, start: number, end: number): void {
    if (from.compare(ZERO, 0, end - start, start, end) !== 0) {
      putNumber(blocks)
      hash.update(from.subarray(start, end))
    }
    blocks++
  }

  return {
    update(bytes) {
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      let at = 0
      while (at < buffer.byteLength) {
        if (openBytes === 0 && buffer.byteLength - at >= BLOCK_BYTES) {
          putBlock(buffer, at, at + BLOCK_BYTES)
          at += BLOCK_BYTES
          continue
        }
        const taken = buffer.copy(open, openBytes, at, at + BLOCK_BYTES - openBytes)
        at += taken
        openBytes += taken
        if (openBytes < BLOCK_BYTES) return
        putBlock(open, 0, BLOCK_BYTES)
        openBytes = 0
      }
    },
    digest() {
      const bytes = blocks * BLOCK_BYTES + openBytes
      if (openBytes > 0) putBlock(open, 0, openBytes)
      putNumber(bytes)
      return hash.digest('hex')
    }
  }
}

/** The entry of `likely` that equals a memory; undefined if none does. */
export function knownAs(memory: Uint8Array, likely: readonly KnownMemory[]): KnownMemory | undefined {
  if (likely.length === 0) return undefined
  const made = createFingerprint()
  made.update(memory)
  const fingerprint = made.digest()
  return likely.find((one) => one.fingerprint === fingerprint)
}
