/** A gateway's copy of an item, and its proof: the item may be a data item, or a transaction directly on Arweave. */

import { encodeBase64url } from '../ans104/bytes.ts'
import { addressOfKey, type DataItem, idOfSignature } from '../ans104/data-item.ts'
import { verifyTransaction } from '../ans104/transaction.ts'
import type { TransactionId } from '../model/ids.ts'
import type { ChainItem, TransactionHeader, TransactionRecord } from '../model/records.ts'
import { type Proof, proveRawItem } from './message-item.ts'
import { sealSigned } from './seal.ts'
import type { Signed } from './signed.ts'

export interface RawItem {
  readonly record: TransactionRecord
  readonly data: Uint8Array
}

/** A proof, with the signed fields if it succeeds. */
export interface RawProof extends Proof {
  /** The fields that a module sees; present if the verdict is valid. */
  readonly facts?: Signed<ChainItem>
}

/** Whether record and data match the item that was signed under the id. */
export function proveItem({ record, data }: RawItem): RawProof {
  const proof = proveRawItem(record, data)
  if (proof.item !== undefined) return { ...proof, facts: sealSigned(factsOfItem(proof.item)) }
  if (record.onChain === undefined) return proof
  const verdict = verifyTransaction(record.onChain, data)
  if (verdict.status !== 'valid') return { verdict }
  const facts = factsOfHeader(record.onChain)
  if (describesSame(record, facts)) return { verdict, facts: sealSigned(facts) }
  return { verdict: { status: 'invalid', reason: 'the transaction in GraphQL differs from the signed one' } }
}

function factsOfItem(item: DataItem): ChainItem {
  return {
    id: idOfSignature(item.signature),
    owner: { address: addressOfKey(item.owner), key: encodeBase64url(item.owner) },
    tags: item.tags.map(({ name, value }) => ({ name, value })),
    recipient: encodeBase64url(item.target),
    anchor: encodeBase64url(item.anchor),
    signature: encodeBase64url(item.signature)
  }
}

function factsOfHeader({ id, owner, tags, target, last_tx, signature }: TransactionHeader): ChainItem {
  const decode = (text: string) => Buffer.from(text, 'base64url').toString()
  return {
    id: id as TransactionId,
    owner: { address: addressOfKey(Buffer.from(owner, 'base64url')), key: owner },
    tags: tags.map(({ name, value }) => ({ name: decode(name), value: decode(value) })),
    recipient: target,
    anchor: last_tx,
    signature
  }
}

/** Whether GraphQL's fields equal those of the signed header. */
function describesSame({ id, owner, tags, recipient }: TransactionRecord, facts: ChainItem): boolean {
  return (
    facts.id === id &&
    facts.owner.address === owner.address &&
    facts.recipient === recipient &&
    JSON.stringify(facts.tags) === JSON.stringify(tags.map(({ name, value }) => ({ name, value })))
  )
}
