/** The CU's deep hash of a pushed message (protocol §2.6; CU domain/lib/hydrateMessages.js, calcDataItemDeepHash). */

import { encodeTags } from '../../ans104/avro-tags.ts'
import { deepHash } from '../../ans104/deep-hash.ts'
import type { Tag } from '../../model/records.ts'

/** The end of the owner as the CU's library reads it, although the item has no owner. */
const MISREAD_OWNER_BYTES = 512
/** The size of the library's buffer for tags; larger tags end the CU's stream. */
const TAGS_MAX_BYTES = 4096

export interface PushedContent {
  /** 32 bytes, base64url. */
  readonly target: string
  /** Text; empty or null if there is no anchor. */
  readonly anchor: string | null
  /** The tags as they were sent, including `From` and `Owner`. */
  readonly tags: readonly Tag[]
  readonly data: string
}

export type PushedHash = { readonly hash: string } | { readonly fault: string }

/**
 * Hashes a pushed message as the CU does: as a data item without an owner, which its library then reads as if it began with an
 * owner of 512 bytes. The library takes the bytes from offset 512 on for flags and lengths. It does not hash up to 18 bytes
 * there, so two messages that differ only in these bytes have the same hash.
 *
 * @returns the hash in base64, or why it ends the CU's stream
 */
export function pushedHash({ target, anchor, tags, data }: PushedContent): PushedHash {
  const targetBytes = Buffer.from(target, 'base64url')
  const anchorBytes = Buffer.from(anchor ?? '')
  const tagBytes = encodeTags(tags)
  if (targetBytes.byteLength !== 32 && target !== '') return { fault: 'the target of a push is not 32 bytes long' }
  if (![0, 32].includes(anchorBytes.byteLength)) return { fault: 'the anchor of a push is not 32 bytes long' }
  if (tagBytes.byteLength > TAGS_MAX_BYTES) return { fault: `the tags of a push have more than ${TAGS_MAX_BYTES} bytes` }
  const counts = Buffer.alloc(16)
  counts.writeBigUInt64LE(BigInt(tags.length), 0)
  counts.writeBigUInt64LE(BigInt(tagBytes.byteLength), 8)
  const content = Buffer.concat([optional(targetBytes), optional(anchorBytes), counts, tagBytes, Buffer.from(data)])
  const parts = ['dataitem', '1', '1'].map((text) => Buffer.from(text))
  return { hash: Buffer.from(deepHash([...parts, ...misread(content)])).toString('base64') }
}

function optional(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === 0 ? Uint8Array.of(0) : Buffer.concat([Uint8Array.of(1), bytes])
}

/** Returns owner, target, anchor, tags and data as the library finds them in the content. */
function misread(content: Buffer): Uint8Array[] {
  let at = MISREAD_OWNER_BYTES
  const field = (): Uint8Array => {
    const start = at + 1
    at += content[at] === 1 ? 33 : 1
    return content.subarray(start, at)
  }
  const target = field()
  const anchor = field()
  // Content that ends here has no size field, and no bytes that a size could divide.
  const tagBytes = content.byteLength >= at + 16 ? Number(content.readBigUInt64LE(at + 8)) : 0
  const rest = content.subarray(at + 16)
  return [content.subarray(0, MISREAD_OWNER_BYTES), target, anchor, rest.subarray(0, tagBytes), rest.subarray(tagBytes)]
}
