/** Verdicts on items as schedulers and gateways show them. */

import { EMPTY } from '../ans104/bytes.ts'
import { type DataItem, signedMessage } from '../ans104/data-item.ts'
import { deepHash } from '../ans104/deep-hash.ts'
import { rebuildFromWire, type ShownItem } from '../ans104/rebuild-item.ts'
import { verifySignature } from '../ans104/signature.ts'
import { type HiddenPart, type SignatureStatus, unverifiable } from '../ans104/signature-status.ts'
import type { TransactionRecord, WireItem } from '../model/records.ts'

/**
 * Verifies a message, an assignment or a process from the scheduler's JSON alone.
 *
 * - `valid`: id, address and signature match, and the shown text is the signed text.
 * - `unverifiable`: the signature does not match the item as shown, and `hidden` names the parts that may differ from the signed
 *   ones: data that is null or contains U+FFFD (`data`: binary data, §1.4), a missing anchor (`anchor`). Fetch the raw item before
 *   any other conclusion.
 * - `invalid`: all signed parts are shown and do not match.
 *
 * @param wire a message, an assignment as shown with `show-anchor`, or a process record
 */
export function verifyMessage(wire: WireItem): SignatureStatus {
  return prove(wire).verdict
}

/** A gateway's description of an item. */
export type GatewayItem = Pick<TransactionRecord, 'id' | 'owner' | 'tags' | 'recipient' | 'anchor' | 'signature'>

export interface Proof {
  readonly verdict: SignatureStatus
  /** The item as signed, if the verdict is valid. */
  readonly item?: DataItem
}

/**
 * Verifies a data item from a gateway's description (GraphQL, headers) and its data (`/raw/<id>`): a module, a checkpoint, an
 * on-chain item, the signed form of a message. An item directly on Arweave is a transaction and never valid here: see
 * `verifyTransaction`.
 *
 * @param data all of its data as signed
 */
export function verifyRawItem(record: GatewayItem, data: Uint8Array): SignatureStatus {
  return proveRawItem(record, data).verdict
}

/** As `verifyRawItem`, and returns the item, with which `asSigned` compares a scheduler's JSON. */
export function proveRawItem(record: GatewayItem, data: Uint8Array): Proof {
  const { id, owner, tags, recipient, signature } = record
  const anchor = record.anchor === '' ? EMPTY : record.anchor
  return prove({ id, owner, tags, target: recipient, anchor, signature, data })
}

function prove(shown: ShownItem): Proof {
  const rebuilt = rebuildFromWire(shown)
  if (!rebuilt.ok) return rebuilt
  const { readings, hidden } = rebuilt
  const dataHash = deepHash(readings[0]?.data ?? EMPTY)
  const failed: SignatureStatus[] = []
  for (const item of readings) {
    const { signatureType, owner, signature } = item
    const verdict = verifySignature(signatureType, owner, signedMessage(item, dataHash), signature)
    if (verdict.status === 'valid') return { verdict, item }
    failed.push(verdict)
  }
  return { verdict: whyNot(failed, hidden) }
}

/** An item is invalid only if all its signed parts are shown and could be judged. */
function whyNot(failed: readonly SignatureStatus[], hidden: readonly HiddenPart[]): SignatureStatus {
  const [first] = failed
  const undecided = failed.find(({ status }) => status === 'unverifiable')
  if (undecided !== undefined) return undecided
  if (first !== undefined && (hidden.length === 0 || failed.every(({ status }) => status === 'unsupported'))) return first
  return unverifiable(hidden, `the signature does not match the item as shown; its signed ${hidden.join(' and ')} may differ`)
}
