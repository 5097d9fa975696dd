/** The tags of a data item in Avro's binary form (ANS-104; protocol §5.1): an array of records of two strings. */
import type { Tag } from '../model/records.ts'
import { ByteReader, EMPTY, type Parsed } from './bytes.ts'

/** Limits on the tags that are read. */
export interface TagLimits {
  readonly maxTags: number
  /** All tags together, encoded. */
  readonly maxBytes: number
  readonly maxNameBytes: number
  readonly maxValueBytes: number
}

/** A tag to be encoded. Bytes are for names and values that are not UTF-8. */
export interface EncodableTag {
  readonly name: string | Uint8Array
  readonly value: string | Uint8Array
}

/** The limits of ANS-104. Neither the scheduler nor gateways enforce them. */
export const ANS104_TAG_LIMITS: TagLimits = { maxTags: 128, maxBytes: 4096, maxNameBytes: 1024, maxValueBytes: 3072 }

/** The default limits: they admit any item that somebody plausibly signed, but no item that only serves to fill memory. */
export const READ_TAG_LIMITS: TagLimits = { maxTags: 16_384, maxBytes: 1 << 20, maxNameBytes: 1 << 20, maxValueBytes: 1 << 20 }

/** 2^53 - 1 in groups of seven bits. */
const LONG_MAX_BYTES = 8

/**
 * Decodes tags. A block with a negative count carries its size in bytes, as Avro allows. Bytes after the closing zero are ignored,
 * as by the scheduler and arbundles: they are signed, but nobody sees them. The closing zero may be missing once all announced tags
 * are read: such items exist on Arweave, and their signature covers the section as it is.
 *
 * @param bytes the tag section without its two counts; empty: no tags
 * @param announced the number of tags in the item's header; if absent, the closing zero is required
 * @returns the tags in order, duplicates kept; invalid UTF-8 becomes U+FFFD
 */
export function decodeTags(bytes: Uint8Array, limits: TagLimits = READ_TAG_LIMITS, announced?: number): Parsed<readonly Tag[]> {
  const tags: Tag[] = []
  if (bytes.length === 0) return { ok: true, value: tags }
  if (bytes.length > limits.maxBytes) return { ok: false, reason: `${bytes.length} bytes of tags are too many` }
  const reader = new ByteReader(bytes)
  const ended = () => reader.remaining === 0 && tags.length > 0 && tags.length === announced
  for (let count = readCount(reader); count > 0; count = ended() ? 0 : readCount(reader)) {
    if (tags.length + count > limits.maxTags) reader.fail(`more than ${limits.maxTags} tags`)
    for (let left = count; left > 0 && reader.failure === undefined; left--) {
      const name = readText(reader, limits.maxNameBytes)
      tags.push({ name, value: readText(reader, limits.maxValueBytes) })
    }
  }
  return reader.failure === undefined ? { ok: true, value: tags } : { ok: false, reason: `tags: ${reader.failure}` }
}

/** How many tags the next block has; 0 at the end and after a failure. */
function readCount(reader: ByteReader): number {
  const count = readLong(reader)
  if (count >= 0) return count
  const blockBytes = readLong(reader)
  if (blockBytes < 0 || blockBytes > reader.remaining) reader.fail(`a block of ${blockBytes} bytes cannot be read`)
  return reader.failure === undefined ? -count : 0
}

function readText(reader: ByteReader, maxBytes: number): string {
  const length = readLong(reader)
  if (length < 0 || length > maxBytes) reader.fail(`a string of ${length} bytes cannot be read`)
  const bytes = reader.take(length)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

/** A zig-zag number in groups of seven bits, low groups first. */
function readLong(reader: ByteReader): number {
  let encoded = 0
  for (let group = 0; group < LONG_MAX_BYTES; group++) {
    const byte = reader.byte()
    encoded += (byte & 0x7f) * 2 ** (7 * group)
    if (encoded > Number.MAX_SAFE_INTEGER) break
    if (byte < 0x80) return encoded % 2 === 0 ? encoded / 2 : -(encoded + 1) / 2
  }
  reader.fail('a number is too large')
  return 0
}

/**
 * Encodes tags as arbundles and the scheduler do: one block with its count, and no bytes if there are no tags.
 *
 * @example
 * ```ts
 * encodeTags([{ name: 'a', value: 'b' }]) // 02 02 61 02 62 00
 * ```
 */
export function encodeTags(tags: readonly EncodableTag[]): Uint8Array {
  if (tags.length === 0) return EMPTY
  return Buffer.concat([encodeLong(tags.length), encodeRecords(tags), encodeLong(0)])
}

/** Encodes tags in the other form of Avro, which some writers use: a negative count, then the block's size. */
export function encodeTagsSized(tags: readonly Tag[]): Uint8Array {
  if (tags.length === 0) return encodeLong(0)
  const records = encodeRecords(tags)
  return Buffer.concat([encodeLong(-tags.length), encodeLong(records.length), records, encodeLong(0)])
}

/** As `encodeTags`, without the closing zero: some writers omit it, and items that they signed are on Arweave. */
export function encodeTagsOpen(tags: readonly Tag[]): Uint8Array {
  return Buffer.concat([encodeLong(tags.length), encodeRecords(tags)])
}

function encodeRecords(tags: readonly EncodableTag[]): Uint8Array {
  const texts = tags
    .flatMap(({ name, value }) => [name, value])
    .map((text) => (typeof text === 'string' ? Buffer.from(text) : text))
  return Buffer.concat(texts.flatMap((text) => [encodeLong(text.length), text]))
}

function encodeLong(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value >= 0 ? value * 2 : -value * 2 - 1
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  bytes.push(rest)
  return Uint8Array.from(bytes)
}
