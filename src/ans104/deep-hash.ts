/** Arweave's deep hash, a tree of SHA-384 (protocol §5.1). Signatures of data items and of transactions of format 2 cover it. */
import { createHash } from 'node:crypto'

export type DeepHashInput = Uint8Array | readonly DeepHashInput[]

/**
 * The deep hash of bytes or of nested lists of bytes.
 *
 * @returns 48 bytes
 */
export function deepHash(input: DeepHashInput): Uint8Array {
  if (!(input instanceof Uint8Array)) return foldMembers(startList(input.length), input.map(deepHash))
  const hasher = createBlobHasher()
  hasher.update(input)
  return hasher.digest()
}

/** The hash of a list of `length` members before any member is folded in. */
export function startList(length: number): Uint8Array {
  return sha384(`list${length}`)
}

/**
 * Folds further members into the hash of a list, so that a beginning that many lists share is hashed only once.
 *
 * @param members their deep hashes, 48 bytes each
 */
export function foldMembers(begun: Uint8Array, members: readonly Uint8Array[]): Uint8Array {
  return members.reduce((folded, member) => sha384(folded, member), begun)
}

/** The deep hash of bytes that arrive in pieces. */
export interface BlobHasher {
  update(chunk: Uint8Array): void
  /** Ends the hash; call it once. */
  digest(): Uint8Array
}

/** A hasher for data that is too large for memory. */
export function createBlobHasher(): BlobHasher {
  const hash = createHash('sha384')
  let length = 0
  return {
    update(chunk) {
      hash.update(chunk)
      length += chunk.length
    },
    digest: () => sha384(lengthHash(length), hash.digest())
  }
}

/** Keys, targets and anchors have few different lengths, so the hashes of their lengths are cached. */
const lengthHashes = new Map<number, Uint8Array>()
const MAX_KEPT_LENGTH = 1024

function lengthHash(length: number): Uint8Array {
  const kept = lengthHashes.get(length)
  if (kept !== undefined) return kept
  const hash = sha384(`blob${length}`)
  if (length <= MAX_KEPT_LENGTH) lengthHashes.set(length, hash)
  return hash
}

function sha384(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  const hash = createHash('sha384')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
