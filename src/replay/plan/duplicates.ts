/** What the CU has evaluated already (ao-protocol §2.6; CU effects/ao-evaluation.js, doesMessageExist). */
import { createHash } from 'node:crypto'
import type { Tag } from '../../records.ts'

/** Evaluated messages by the key under which the CU looks for them, each with its first nonce. */
export interface Evaluated {
  /** The lower nonce under which the CU finds it; undefined where it is new. */
  find(key: string, nonce: number): number | undefined
  add(key: string, nonce: number): void
}

export function createEvaluated(): Evaluated {
  const first = new Map<string, number>()
  return {
    find(key, nonce) {
      const earlier = first.get(key)
      return earlier !== undefined && earlier < nonce ? earlier : undefined
    },
    add(key, nonce) {
      if (!first.has(key)) first.set(key, nonce)
    }
  }
}

/** Where the CU's library believes the owner to end, although none was written. */
const MISREAD_OWNER_BYTES = 512

/**
 * The CU's hash of a pushed message: a deep hash over a data item that its library parses wrongly. It expects an owner of 512
 * bytes where there is none, takes what follows for it, and so passes over up to 18 bytes around offset 512
 * (hydrateMessages.js, calcDataItemDeepHash).
 *
 * @returns undefined where target or anchor have a length that makes the CU's stream end
 */
export function pushedHash(message: { target: string; anchor: string; tags: readonly Tag[]; data: string }): string | undefined {
  const target = Buffer.from(message.target, 'base64url')
  const anchor = Buffer.from(message.anchor, 'utf8')
  if (![0, 32].includes(target.byteLength) || ![0, 32].includes(anchor.byteLength)) return undefined
  const tags = message.tags.length === 0 ? Buffer.alloc(0) : encodeTags(message.tags)
  const content = Buffer.concat([
    optional(target),
    optional(anchor),
    uint64(message.tags.length),
    uint64(tags.byteLength),
    tags,
    Buffer.from(message.data, 'utf8')
  ])
  return createHash('sha384').update(misread(content)).digest('base64')
}

function optional(bytes: Buffer): Buffer {
  return bytes.byteLength === 0 ? Buffer.from([0]) : Buffer.concat([Buffer.from([1]), bytes])
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

/** What the library hashes of the content, parts with their lengths: equal parts, equal hash. */
function misread(content: Buffer): Buffer {
  const owner = content.subarray(0, MISREAD_OWNER_BYTES)
  let at = MISREAD_OWNER_BYTES
  const field = (): Buffer => {
    const present = content[at] === 1
    const value = present ? content.subarray(at + 1, at + 33) : Buffer.alloc(0)
    at += present ? 33 : 1
    return value
  }
  const target = field()
  const anchor = field()
  const sizeAt = at + 8
  const tagBytes = content.byteLength >= sizeAt + 8 ? Number(content.readBigUInt64LE(sizeAt)) : 0
  const rest = content.subarray(at + 16)
  const tags = rest.subarray(0, tagBytes)
  const data = rest.subarray(tagBytes)
  return Buffer.concat([owner, target, anchor, tags, data].flatMap((part) => [uint64(part.byteLength), part]))
}

/** Avro, as ANS-104 has it (§5.1). */
function encodeTags(tags: readonly Tag[]): Buffer {
  const parts: Buffer[] = [long(tags.length)]
  for (const { name, value } of tags) for (const text of [Buffer.from(name), Buffer.from(value)]) parts.push(long(text.byteLength), text)
  return Buffer.concat([...parts, Buffer.from([0])])
}

function long(value: number): Buffer {
  const bytes: number[] = []
  let left = value * 2
  do {
    bytes.push((left % 128) + (left >= 128 ? 128 : 0))
    left = Math.floor(left / 128)
  } while (left > 0)
  return Buffer.from(bytes)
}
