/** Compares a scheduler's JSON with the signed item and corrects what differs (protocol §1.4). */

import { encodeBase64url } from '../ans104/bytes.ts'
import { addressOfKey, type DataItem, idOfSignature } from '../ans104/data-item.ts'
import type { Tag, WireItem } from '../model/records.ts'
import { defined } from '../util/defined.ts'

export interface AsSigned {
  /** The scheduler's JSON, with every field corrected that contradicts the item. */
  readonly wire: WireItem
  /** The corrected fields; empty if the JSON shows the item correctly. */
  readonly changed: readonly ('owner' | 'tags' | 'target' | 'anchor' | 'data')[]
}

/**
 * Compares a scheduler's JSON with the signed item. Schedulers show data that is not valid UTF-8 lossily or, if they are older, as
 * null, and a message's anchor that is not valid UTF-8 as null. Those are the rules, and the CU sees the same, so neither is a
 * contradiction.
 *
 * @param wire a message or an assignment of the schedule; not `/processes/<id>`, whose data an older process hides
 * @param item the proven item of the same id
 */
export function asSigned(wire: WireItem, item: DataItem): AsSigned {
  const truth = wireOfItem(item)
  const changed: AsSigned['changed'][number][] = []
  if (wire.owner.key !== truth.owner.key || wire.owner.address !== truth.owner.address) changed.push('owner')
  if (!sameTags(wire.tags, truth.tags)) changed.push('tags')
  if ((wire.target ?? '') !== truth.target) changed.push('target')
  if (!showsAnchor(wire, truth.anchor, item)) changed.push('anchor')
  if ((wire.data === undefined ? '' : wire.data) !== truth.data && !(wire.data === null && !isText(item.data)))
    changed.push('data')
  const corrected = Object.fromEntries(changed.map((field) => [field, truth[field]]))
  return { wire: { ...wire, id: truth.id, signature: truth.signature, ...corrected }, changed }
}

/** An item as an honest scheduler shows it; also the form of a message that only Arweave has. */
export function wireOfItem(item: DataItem): WireItem {
  return {
    id: idOfSignature(item.signature),
    owner: { address: addressOfKey(item.owner), key: encodeBase64url(item.owner) },
    tags: item.tags,
    signature: encodeBase64url(item.signature),
    anchor: item.anchor.length > 0 && isText(item.anchor) ? text(item.anchor) : null,
    target: encodeBase64url(item.target),
    data: text(item.data)
  }
}

/**
 * The canonical form of an item whose JSON is `valid` to `verifyMessage`: a field that JSON may show in two ways, as an empty
 * string or null, has only one here, and the address is derived from the key.
 *
 * @param wire a verified item
 */
export function signedWire({ id, owner, tags, signature, anchor, target, data }: WireItem): WireItem {
  const address = addressOfKey(Buffer.from(owner.key, 'base64url'))
  return {
    id,
    owner: { address, key: owner.key },
    tags: tags.map(({ name, value }) => ({ name, value })),
    signature,
    anchor: anchor === '' ? null : anchor,
    target: target ?? '',
    ...defined({ data })
  }
}

/** An assignment's anchor is base64url with `show-anchor`, and hidden without it. */
function showsAnchor({ anchor, data }: WireItem, truth: string | null, item: DataItem): boolean {
  const shown = anchor === '' ? null : anchor
  return shown === truth || (data === undefined && (shown === null || shown === encodeBase64url(item.anchor)))
}

function sameTags(shown: readonly Tag[], truth: readonly Tag[]): boolean {
  return (
    shown.length === truth.length &&
    truth.every((tag, place) => shown[place]?.name === tag.name && shown[place].value === tag.value)
  )
}

/** Invalid UTF-8 becomes U+FFFD and a byte order mark stays, as in Rust's lossy decoding, which schedulers use. */
function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

function isText(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}
