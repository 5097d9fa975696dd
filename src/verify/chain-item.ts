/** An on-chain item that was assigned (protocol §1.8), in the form that the module sees. */
import type { ChainItem, TransactionRecord } from '../model/records.ts'
import type { RawItem, RawProof } from './raw-item.ts'
import { sealSigned, sealUnproven } from './seal.ts'
import type { Checked } from './signed.ts'

export interface CheckedChainItem {
  readonly item: Checked<ChainItem>
  /** As the CU reads it: the text of `/raw/<id>`. */
  readonly dataText?: string
}

/** @param data undefined if nobody has it: then the item is unproven */
export function checkChainItem(
  record: TransactionRecord,
  data: Uint8Array | undefined,
  prove: (raw: RawItem) => RawProof
): CheckedChainItem {
  const proof = data === undefined ? undefined : prove({ record, data })
  const dataText = data === undefined ? {} : { dataText: new TextDecoder().decode(data) }
  if (proof?.facts !== undefined) {
    const { id, owner, tags, recipient, signature } = proof.facts
    return { item: sealSigned({ id, owner, tags, recipient, anchor: anchorOf(record, proof.facts), signature }), ...dataText }
  }
  const reason = proof === undefined || proof.verdict.status === 'valid' ? 'no gateway has its data' : proof.verdict.reason
  const { id, owner, tags, recipient, anchor, signature } = record
  const shown = { id, owner, tags, recipient, anchor, signature }
  return { item: sealUnproven(shown, { what: `the item ${id}`, reason, servedBy: ['gateway'] }), ...dataText }
}

/** Gateways show an anchor in base64url or as text, and a CU passes on its gateway's form (§2.4). Both match the signed bytes. */
function anchorOf({ anchor: shown }: TransactionRecord, { anchor }: ChainItem): string {
  return Buffer.from(shown).toString('base64url') === anchor ? shown : anchor
}

/** Whether a CU may have received the anchor in another form than this record shows. */
export function showsOddAnchor({ anchor }: TransactionRecord, facts: ChainItem): boolean {
  return anchor !== facts.anchor
}
