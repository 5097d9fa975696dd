/** The message JSON that a module receives, key by key in the CU's order (protocol §2.4; CU domain/model.js, messageSchema). */

import type { ProcessItem, ScheduledMessage, Tag, Times } from '../../model/records.ts'
import { defined } from '../../util/defined.ts'
import type { Checked } from '../../verify/signed.ts'
import type { CronFiring } from './cron-firings.ts'
import { ownerAddress, senderOf } from './owner.ts'
import type { OnChainItem } from './planned.ts'

export type Message = Readonly<Record<string, unknown>>

/** Tags that would contradict the fields of the same name (CU domain/lib/evaluate.js, removeInvalidTags). */
const STRIPPED = new Set(['From', 'Owner'])

function plainTags(tags: readonly Tag[]): Tag[] {
  return tags.filter(({ name }) => !STRIPPED.has(name)).map(({ name, value }) => ({ name, value }))
}

/** The fields that the assignment adds to every scheduled message. */
function assigned({ epoch, nonce, timestamp, blockHeight, hashChain }: Checked<ScheduledMessage>) {
  return {
    Epoch: epoch,
    Nonce: nonce,
    Timestamp: timestamp,
    'Block-Height': blockHeight,
    ...(hashChain === '' ? {} : { 'Hash-Chain': hashChain }),
    Cron: false,
    'Read-Only': false
  }
}

/**
 * Builds an ordinary or pushed message, or a process's own assignment.
 *
 * @param target the `Process` tag of the assignment, not the message's own target
 */
export function ordinaryMessage(
  scheduled: Checked<ScheduledMessage>,
  item: NonNullable<ScheduledMessage['message']>,
  target: string
): Message {
  const owner = ownerAddress(item.owner)
  const { from, forwardedBy } = senderOf(item.tags, owner)
  return {
    Id: item.id,
    Signature: item.signature,
    ...defined({ Data: item.data }),
    Owner: owner,
    Target: target,
    Anchor: item.anchor,
    From: from,
    ...(forwardedBy === undefined ? {} : { 'Forwarded-By': forwardedBy }),
    Tags: plainTags(item.tags),
    ...assigned(scheduled)
  }
}

/**
 * Builds the message of an assigned item on the chain (§1.8; CU domain/lib/hydrateMessages.js, loadFromChainWith). Its fields come
 * from the gateway, and it is never a push, whatever its tags are.
 *
 * @param excluded fields that the assignment excludes: the CU then does not request `Signature`, `Anchor`, `Tags` or `Data`.
 *   Excluded tags are an empty list, and the owner is the sender (CU domain/dal.js, loadTransactionMetaSchema). Other fields
 *   always stay.
 */
export function onChainMessage(
  scheduled: Checked<ScheduledMessage>,
  { item, dataText }: OnChainItem,
  excluded: ReadonlySet<string>
): Message {
  const owner = ownerAddress(item.owner)
  const tags = excluded.has('Tags') ? [] : item.tags
  return {
    Id: item.id,
    ...(excluded.has('Signature') ? {} : { Signature: item.signature }),
    ...(excluded.has('Data') || dataText === undefined ? {} : { Data: dataText }),
    Owner: owner,
    Target: item.recipient,
    ...(excluded.has('Anchor') ? {} : { Anchor: item.anchor }),
    From: senderOf(tags, owner).from,
    Tags: plainTags(tags),
    ...assigned(scheduled)
  }
}

/** Builds the process message that the CU makes itself if the schedule does not begin with one (CU domain/lib/loadMessages.js). */
export function bootMessage(process: Checked<ProcessItem>, taken: Checked<Times>, data: string): Message {
  const owner = ownerAddress(process.owner)
  return {
    Id: process.id,
    Signature: process.signature,
    Data: data,
    Owner: owner,
    Target: process.id,
    Anchor: process.anchor,
    From: senderOf(process.tags, owner).from,
    Tags: plainTags(process.tags),
    Timestamp: taken.timestamp,
    'Block-Height': taken.blockHeight,
    Cron: false,
    'Read-Only': false
  }
}

/** Builds a cron message, which the process sends to itself (CU domain/lib/loadMessages.js, cronMessagesBetweenWith). */
export function cronMessage(process: Checked<ProcessItem>, { timestamp, blockHeight, tags }: CronFiring): Message {
  const owner = ownerAddress(process.owner)
  return {
    Owner: owner,
    Target: process.id,
    From: owner,
    Tags: plainTags(tags),
    Timestamp: timestamp,
    'Block-Height': blockHeight,
    Cron: true,
    'Read-Only': false
  }
}
