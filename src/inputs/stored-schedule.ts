/** Stored messages of a schedule. Parsed by hand: there may be hundreds of thousands, and a schema takes twice as long as JSON. */
import { type AssignmentId, isArweaveId, type MessageId } from '../model/ids.ts'
import { type Owner, type ScheduledMessage, type Tag, tagValue, type WireItem } from '../model/records.ts'

const TAGS_MAX = 10_000
const SIGNATURE_MAX_CHARS = 8_000
const KEY_MAX_CHARS = 4_000
const ADDRESS_MAX_CHARS = 200

/** The highest nonce that is accepted: one more is still a safe integer, and a valid key. */
export const NONCE_MAX = Number.MAX_SAFE_INTEGER - 1

/** The members of a JSON object, whose names anybody may choose. */
export type Members = Readonly<Record<string, unknown>>

/** An object's own members, without inherited ones. */
export function membersOf(value: unknown): Members | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return Object.assign(Object.create(null) as Record<string, unknown>, value)
}

function textOf(value: unknown, maxChars = Number.POSITIVE_INFINITY): string | undefined {
  return typeof value === 'string' && value.length <= maxChars ? value : undefined
}

/** Text or null; undefined for anything else. */
function textOrNull(value: unknown): string | null | undefined {
  return value === null ? null : textOf(value)
}

function tagsOf(value: unknown): readonly Tag[] | undefined {
  if (!Array.isArray(value) || value.length > TAGS_MAX) return undefined
  const tags: Tag[] = []
  for (const one of value as readonly unknown[]) {
    if (typeof one !== 'object' || one === null || !Object.hasOwn(one, 'name') || !Object.hasOwn(one, 'value')) return undefined
    const { name, value: text } = one as { name: unknown; value: unknown }
    if (typeof name !== 'string' || typeof text !== 'string') return undefined
    tags.push({ name, value: text })
  }
  return tags
}

function ownerOf(value: unknown): Owner | undefined {
  const members = membersOf(value)
  const address = textOf(members?.['address'], ADDRESS_MAX_CHARS)
  const key = textOf(members?.['key'], KEY_MAX_CHARS)
  return address === undefined || key === undefined ? undefined : { address, key }
}

/** An item from its JSON, without its data. */
function itemOf(members: Members): Omit<WireItem, 'data'> | undefined {
  const id = textOf(members['id'])
  const owner = ownerOf(members['owner'])
  const tags = tagsOf(members['tags'])
  const signature = textOf(members['signature'], SIGNATURE_MAX_CHARS)
  const anchor = textOrNull(members['anchor'])
  const target = textOrNull(members['target'])
  if (id === undefined || !isArweaveId(id) || owner === undefined || tags === undefined) return undefined
  if (signature === undefined || anchor === undefined || target === undefined) return undefined
  return { id, owner, tags, signature, anchor, target }
}

function messageOf(value: unknown): WireItem | null | undefined {
  if (value === null) return null
  const members = membersOf(value)
  const item = members === undefined ? undefined : itemOf(members)
  const data = textOrNull(members?.['data'])
  return item === undefined || data === undefined ? undefined : { ...item, data }
}

function numberTag(tags: readonly Tag[], name: string): number | undefined {
  const text = tagValue(tags, name)
  const value = text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : undefined
  return value !== undefined && value <= NONCE_MAX ? value : undefined
}

/**
 * A message of a schedule, built from its two items as on the wire (protocol §1.4, §1.5): other fields of the record for nonce,
 * time and id are ignored.
 *
 * @returns undefined if the record is not valid
 */
export function readStoredMessage(value: unknown): ScheduledMessage | undefined {
  const members = membersOf(value)
  const inner = membersOf(members?.['assignment'])
  const assignment = inner === undefined ? undefined : itemOf(inner)
  const message = members === undefined ? undefined : messageOf(members['message'])
  if (members === undefined || assignment === undefined || message === undefined) return undefined
  const { tags } = assignment
  const [nonce, epoch, timestamp, blockHeight] = ['Nonce', 'Epoch', 'Timestamp', 'Block-Height'].map((name) =>
    numberTag(tags, name)
  )
  if (nonce === undefined || epoch === undefined || timestamp === undefined || blockHeight === undefined) return undefined
  const messageId = tagValue(tags, 'Message') ?? message?.id ?? ''
  if (!isArweaveId(messageId)) return undefined
  return {
    nonce,
    epoch,
    timestamp,
    blockHeight,
    hashChain: tagValue(tags, 'Hash-Chain') ?? '',
    assignment: { ...assignment, id: assignment.id as AssignmentId },
    message,
    messageId: messageId as MessageId,
    ...(members['unclear'] === true ? { unclear: true } : {})
  }
}
