/** What a gateway has of an item, and whether it proves itself: a data item, or a transaction directly on Arweave. */
import type { TransactionRecord } from '../records.ts'
import { addressOfKey } from '../verify/data-item.ts'
import { type Proof, proveRawItem } from '../verify/message-item.ts'
import { verifyTransaction } from '../verify/transaction.ts'

export interface RawItem {
  readonly record: TransactionRecord
  readonly data: Uint8Array
}

/** Whether record and data are what was signed under the id. */
export function proveItem({ record, data }: RawItem): Proof {
  const proof = proveRawItem(record, data)
  if (proof.verdict.status === 'valid' || record.onChain === undefined) return proof
  const verdict = verifyTransaction(record.onChain, data)
  if (verdict.status !== 'valid' || describesSame(record)) return { verdict }
  return { verdict: { status: 'invalid', reason: 'GraphQL shows the transaction otherwise than it was signed' } }
}

/** GraphQL's fields, which the module is shown, are those of the signed header. */
function describesSame({ id, owner, tags, recipient, onChain }: TransactionRecord): boolean {
  if (onChain === undefined) return false
  const decode = (text: string) => Buffer.from(text, 'base64url').toString()
  const signed = onChain.tags.map(({ name, value }) => ({ name: decode(name), value: decode(value) }))
  return (
    onChain.id === id &&
    addressOfKey(Buffer.from(onChain.owner, 'base64url')) === owner.address &&
    onChain.target === recipient &&
    JSON.stringify(signed) === JSON.stringify(tags.map(({ name, value }) => ({ name, value })))
  )
}
