/** ANS-104 data items: parsing, writing, verifying. Every malformed input gives a reason, none an exception. */
import { createHash } from 'node:crypto'
import type { TransactionId } from '../model/ids.ts'
import type { Tag } from '../model/records.ts'
import { decodeTags, READ_TAG_LIMITS, type TagLimits } from './avro-tags.ts'
import { ByteReader, decodeBase64url, EMPTY, equalBytes, type Parsed } from './bytes.ts'
import { deepHash, foldMembers, startList } from './deep-hash.ts'
import { SIGNATURE_TYPES, verifySignature } from './signature.ts'
import { invalid, type SignatureStatus } from './signature-status.ts'

/** The fields before an item's data. The byte fields are views into the parsed bytes. */
export interface ItemHeader {
  readonly signatureType: number
  readonly signature: Uint8Array
  readonly owner: Uint8Array
  /** 32 bytes or none. */
  readonly target: Uint8Array
  /** 32 bytes or none. */
  readonly anchor: Uint8Array
  /** The tags as signed. */
  readonly rawTags: Uint8Array
  readonly tags: readonly Tag[]
}

export interface DataItem extends ItemHeader {
  readonly data: Uint8Array
}

const FIELD_BYTES = 32

/** The id of an item with this signature: base64url(SHA-256(signature)). */
export function idOfSignature(signature: Uint8Array): TransactionId {
  return createHash('sha256').update(signature).digest('base64url') as TransactionId
}

/** base64url(SHA-256(key)): the address of a key as schedulers show it for every signature type (§1.4). */
export function addressOfKey(owner: Uint8Array): string {
  return createHash('sha256').update(owner).digest('base64url')
}

/** Parses the bytes of one item. It does not check the signature: see `verifyDataItem`. */
export function parseDataItem(bytes: Uint8Array, limits: TagLimits = READ_TAG_LIMITS): Parsed<DataItem> {
  const reader = new ByteReader(bytes)
  const header = readItemHeader(reader, limits)
  return header.ok ? { ok: true, value: { ...header.value, data: reader.rest() } } : header
}

/** Reads everything before the data, and leaves the reader at the data's first byte. */
export function readItemHeader(reader: ByteReader, limits: TagLimits): Parsed<ItemHeader> {
  const signatureType = reader.unsigned(2)
  const layout = SIGNATURE_TYPES.get(signatureType)
  if (layout === undefined) reader.fail(`unknown signature type ${signatureType}`)
  const signature = reader.take(layout?.signatureBytes ?? 0)
  const owner = reader.take(layout?.ownerBytes ?? 0)
  const target = readOptional(reader, 'target')
  const anchor = readOptional(reader, 'anchor')
  const tagCount = reader.unsigned(8)
  const tagBytes = reader.unsigned(8)
  if (tagBytes > limits.maxBytes) reader.fail(`${tagBytes} bytes of tags are too many`)
  const rawTags = reader.take(tagBytes)
  if (reader.failure !== undefined) return { ok: false, reason: reader.failure }
  const tags = decodeTags(rawTags, limits, tagCount)
  if (!tags.ok) return tags
  if (tags.value.length !== tagCount) return { ok: false, reason: `${tags.value.length} tags, but ${tagCount} are announced` }
  return { ok: true, value: { signatureType, signature, owner, target, anchor, rawTags, tags: tags.value } }
}

function readOptional(reader: ByteReader, name: string): Uint8Array {
  const present = reader.byte()
  if (present > 1) reader.fail(`the presence byte of the ${name} is ${present}`)
  return present === 1 ? reader.take(FIELD_BYTES) : EMPTY
}

/** The bytes of an item; the inverse of `parseDataItem`. */
export function encodeDataItem(item: DataItem): Uint8Array {
  const optional = (field: Uint8Array) => Buffer.concat([Buffer.from([field.length === 0 ? 0 : 1]), field])
  const counts = Buffer.alloc(16)
  counts.writeBigUInt64LE(BigInt(item.tags.length), 0)
  counts.writeBigUInt64LE(BigInt(item.rawTags.length), 8)
  return Buffer.concat([
    Buffer.from([item.signatureType & 0xff, item.signatureType >> 8]),
    item.signature,
    item.owner,
    optional(item.target),
    optional(item.anchor),
    counts,
    item.rawTags,
    item.data
  ])
}

/** The first two of the eight members are the same for all items. */
const BEGUN = foldMembers(startList(8), [Buffer.from('dataitem'), Buffer.from('1')].map(deepHash))

/**
 * The message that an item's signature covers (§5.1).
 *
 * @param dataHash the deep hash of its data, 48 bytes
 */
export function signedMessage(item: Omit<ItemHeader, 'tags' | 'signature'>, dataHash: Uint8Array): Uint8Array {
  const fields = [Buffer.from(String(item.signatureType)), item.owner, item.target, item.anchor, item.rawTags]
  return foldMembers(BEGUN, [...fields.map(deepHash), dataHash])
}

/** Whether an item's signature covers its fields. The id is the hash of the signature and needs no check here. */
export function verifyItem(item: DataItem): SignatureStatus {
  const { signatureType, owner, signature } = item
  return verifySignature(signatureType, owner, signedMessage(item, deepHash(item.data)), signature)
}

/**
 * Parses and verifies the bytes of one item.
 *
 * @param id the id under which the item was requested, if known: an item with another id is invalid
 */
export function verifyDataItem(bytes: Uint8Array, id?: TransactionId, limits: TagLimits = READ_TAG_LIMITS): SignatureStatus {
  const item = parseDataItem(bytes, limits)
  if (!item.ok) return invalid(item.reason)
  if (id !== undefined && !isIdOf(id, item.value.signature)) return invalid('the id does not match the signature')
  return verifyItem(item.value)
}

/** Whether `id` is the hash of this signature. */
export function isIdOf(id: string, signature: Uint8Array): boolean {
  const bytes = decodeBase64url(id)
  return bytes !== undefined && equalBytes(bytes, createHash('sha256').update(signature).digest())
}
