/** Joins assignments with the messages that they assign (protocol §1.7, §1.8). */

import { type BundleItem, parseBundle } from '../../ans104/bundle.ts'
import type { ProcessId, TransactionId } from '../../model/ids.ts'
import { type ScheduledMessage, type TransactionRecord, tagValue, type WireItem } from '../../model/records.ts'
import { wireOfItem } from '../../verify/as-signed.ts'
import { verifyMessage } from '../../verify/message-item.ts'
import { readScheduled } from '../../verify/scheduled-edge.ts'
import type { Assignment } from './assignments.ts'
import { type ArweaveItems, type KnownProcess, type ProvenItem, provenIn } from './items.ts'

export type KeepItem = (record: TransactionRecord, data: Uint8Array) => Promise<void>

export interface JoinOptions {
  readonly items: ArweaveItems
  readonly keep: KeepItem
  served?(process: ProcessId, nonce: number): Promise<ScheduledMessage | undefined>
}

/** Items that are in memory at the same time, each with up to 64 MiB of data. */
const ITEMS_AT_ONCE = 4

/** The messages of assignments, in the same order; an assignment that is not a valid edge is left out. */
export function createMessageJoin({ items, keep, served }: JoinOptions) {
  return async (process: KnownProcess, assignments: readonly Assignment[]): Promise<ScheduledMessage[]> => {
    const ofServed = await Promise.all(assignments.map((one) => sameAsServed(process, one)))
    const left = assignments.filter((_, place) => ofServed[place] === undefined)
    const described = await items.describe([...new Set(left.flatMap((one) => [assignedId(one, process), ...bundleOf(one)]))])
    const joined: ScheduledMessage[] = []
    for (let place = 0; place < assignments.length; place += ITEMS_AT_ONCE) {
      const part = assignments.slice(place, place + ITEMS_AT_ONCE)
      const made = part.map(async (one, within) => ofServed[place + within] ?? joinOne(process, one, described))
      for (const message of await Promise.all(made)) if (message !== undefined) joined.push(message)
    }
    return joined
  }

  /** The scheduler's message of the same assignment, if its signature is valid; it also shows whether the message was sent. */
  async function sameAsServed(process: KnownProcess, { nonce, wire }: Assignment): Promise<ScheduledMessage | undefined> {
    const shown = await served?.(process.id, nonce)
    if (shown?.assignment.id !== wire.id) return undefined
    const { message } = shown
    if (message !== null && verifyMessage(message).status !== 'valid') return undefined
    return scheduledOf(message, wire)
  }

  async function joinOne(
    process: KnownProcess,
    assignment: Assignment,
    described: ReadonlyMap<TransactionId, TransactionRecord>
  ): Promise<ScheduledMessage | undefined> {
    const { wire } = assignment
    const id = assignedId(assignment, process)
    if (id === process.id) return scheduledOf(await shownAs(process), wire)
    const inside = await ownBundle(assignment, described)
    const record = described.get(id)
    const proven =
      (inside === undefined ? undefined : provenIn(inside, id, assignment.record)) ??
      (record === undefined ? undefined : await items.prove(record))
    // A message that is unavailable now may be available later: until then its form is unclear.
    if (proven === undefined) return scheduledOf(null, wire, 'unclear')
    const { sent, clear } = formOf(process, assignment, proven, inside)
    return scheduledOf(sent ? await shownAs(proven) : null, wire, clear ? undefined : 'unclear')
  }

  /** The item's text; its bytes are kept if the signature cannot be verified from the text alone. */
  async function shownAs({ record, item }: ProvenItem): Promise<WireItem> {
    const wire = wireOfItem(item)
    if (verifyMessage(wire).status !== 'valid') await keep(record, item.data)
    return wire
  }

  /** The bundle that the scheduler made for this assignment alone. */
  async function ownBundle(
    { record: { bundledIn }, wire }: Assignment,
    described: ReadonlyMap<TransactionId, TransactionRecord>
  ): Promise<readonly BundleItem[] | undefined> {
    const outer = bundledIn === undefined ? undefined : described.get(bundledIn)
    if (outer === undefined || outer.owner.address !== wire.owner.address) return undefined
    const proven = await items.prove(outer)
    const inside = proven === undefined ? undefined : parseBundle(proven.item.data)
    return inside?.ok && inside.value[0]?.id === wire.id && inside.value.length <= 2 ? inside.value : undefined
  }
}

/**
 * Whether a message was sent, or an item on the chain was assigned: a module sees the two differently, and the assignment does not
 * tell. The scheduler bundles a sent message with its assignment, but not an assigned item (§1.7, §1.8). Some cases are clear
 * without that bundle; for the others this takes the likelier one.
 */
function formOf(
  process: KnownProcess,
  { wire }: Assignment,
  { item, record }: ProvenItem,
  inside: readonly BundleItem[] | undefined
): { readonly sent: boolean; readonly clear: boolean } {
  if (inside !== undefined) return { sent: inside.length === 2, clear: true }
  const excludes = wire.tags.some(({ name }) => name === 'Exclude')
  if (excludes || wireOfItem(item).target !== process.id) return { sent: false, clear: true }
  // A sent message reached the chain after it was scheduled.
  const scheduledAt = Number(tagValue(wire.tags, 'Block-Height'))
  return { sent: record.blockHeight === null || !(record.blockHeight < scheduledAt), clear: false }
}

function scheduledOf(message: WireItem | null, assignment: Assignment['wire'], form?: 'unclear'): ScheduledMessage | undefined {
  const scheduled = readScheduled({ message, assignment })
  return scheduled === undefined || form === undefined ? scheduled : { ...scheduled, unclear: true }
}

/** A process's own assignment names no message (§1.5). */
function assignedId({ wire }: Assignment, process: KnownProcess): TransactionId {
  return (tagValue(wire.tags, 'Message') ?? process.id) as TransactionId
}

function bundleOf({ record: { bundledIn } }: Assignment): readonly TransactionId[] {
  return bundledIn === undefined ? [] : [bundledIn]
}
