/** Transactions of format 2, which are directly on Arweave and not in a bundle (`/tx/<id>`). */
import { createHash } from 'node:crypto'
import type { TransactionHeader } from '../model/records.ts'
import { decodeBase64url, equalBytes } from './bytes.ts'
import { isIdOf } from './data-item.ts'
import { type DeepHashInput, deepHash } from './deep-hash.ts'
import { verifyRsaPss } from './signature.ts'
import { invalid, type SignatureStatus, unverifiable, VALID } from './signature-status.ts'

const RSA_BYTES = 512
const MAX_TAGS_BYTES = 1 << 20
const AMOUNT = /^\d{1,30}$/

/**
 * Verifies a transaction of format 2: the id, the signature over its fields, and that `data` matches `data_root`.
 *
 * @param data all of its data, which the signature covers only through `data_root`; undefined: only the header is verified
 */
export function verifyTransaction(transaction: TransactionHeader, data?: Uint8Array): SignatureStatus {
  if (transaction.format !== 2) return unverifiable(['data'], `transactions of format ${transaction.format} are not verified`)
  const fields = decodeFields(transaction)
  if (fields === undefined) return invalid('a field of the transaction is malformed')
  if (fields.owner.length !== RSA_BYTES) return unverifiable(['key'], 'the transaction has no RSA key')
  if (!isIdOf(transaction.id, fields.signature)) return invalid('the id does not match the signature')
  const message = deepHash([
    Buffer.from('2'),
    fields.owner,
    fields.target,
    Buffer.from(transaction.quantity),
    Buffer.from(transaction.reward),
    fields.lastTx,
    fields.tags,
    Buffer.from(transaction.data_size),
    fields.dataRoot
  ])
  if (!verifyRsaPss(fields.owner, message, fields.signature)) return invalid('the signature does not match the signed content')
  return data === undefined || isDataOf(transaction.data_size, fields.dataRoot, data)
    ? VALID
    : invalid('the data is not the signed data')
}

interface Fields {
  readonly owner: Uint8Array
  readonly target: Uint8Array
  readonly lastTx: Uint8Array
  readonly dataRoot: Uint8Array
  readonly signature: Uint8Array
  readonly tags: DeepHashInput
}

function decodeFields(json: TransactionHeader): Fields | undefined {
  const owner = decodeBase64url(json.owner)
  const target = decodeBase64url(json.target)
  const lastTx = decodeBase64url(json.last_tx)
  const dataRoot = decodeBase64url(json.data_root)
  const signature = decodeBase64url(json.signature)
  const tags = decodeTagPairs(json.tags)
  if (owner === undefined || target === undefined || lastTx === undefined || tags === undefined) return undefined
  if (dataRoot === undefined || signature === undefined) return undefined
  const amounts = [json.quantity, json.reward, json.data_size]
  return amounts.every((amount) => AMOUNT.test(amount)) ? { owner, target, lastTx, dataRoot, signature, tags } : undefined
}

function decodeTagPairs(tags: TransactionHeader['tags']): Uint8Array[][] | undefined {
  const pairs: Uint8Array[][] = []
  let total = 0
  for (const { name, value } of tags) {
    const pair = [decodeBase64url(name), decodeBase64url(value)].filter((bytes) => bytes !== undefined)
    total += name.length + value.length
    if (pair.length !== 2 || total > MAX_TAGS_BYTES) return undefined
    pairs.push(pair)
  }
  return pairs
}

function isDataOf(size: string, root: Uint8Array, data: Uint8Array): boolean {
  if (size !== String(data.length)) return false
  if (data.length === 0) return root.length === 0
  return equalBytes(root, dataRoot(data)) || (data.length % CHUNK_BYTES === 0 && equalBytes(root, dataRoot(data, true)))
}

const CHUNK_BYTES = 256 * 1024
const MIN_CHUNK_BYTES = 32 * 1024

interface Node {
  readonly id: Uint8Array
  /** The end of its data, in bytes from the start. */
  readonly end: number
}

/**
 * The Merkle root of a transaction's data in chunks of 256 KiB; the last two share their bytes evenly if the last would be under
 * 32 KiB.
 *
 * @param emptyLast whether data of whole chunks ends with an empty leaf, as in arweave.js
 * @returns 32 bytes
 */
export function dataRoot(data: Uint8Array, emptyLast = false): Uint8Array {
  let layer = chunkEnds(data.length, emptyLast).map(([start, end]): Node => {
    const hash = sha256(data.subarray(start, end))
    return { id: sha256(sha256(hash), sha256(note(end))), end }
  })
  while (layer.length > 1) layer = joinPairs(layer)
  return layer[0]?.id ?? new Uint8Array(0)
}

function chunkEnds(length: number, emptyLast: boolean): (readonly [number, number])[] {
  const chunks: (readonly [number, number])[] = []
  let start = 0
  while (length - start > CHUNK_BYTES) {
    const left = length - start
    const end = start + (left - CHUNK_BYTES < MIN_CHUNK_BYTES ? Math.ceil(left / 2) : CHUNK_BYTES)
    chunks.push([start, end])
    start = end
  }
  chunks.push([start, length])
  if (emptyLast) chunks.push([length, length])
  return chunks
}

function joinPairs(layer: readonly Node[]): Node[] {
  const joined: Node[] = []
  for (let place = 0; place < layer.length; place += 2) {
    const [left, right] = [layer[place], layer[place + 1]]
    if (left === undefined) break
    joined.push(
      right === undefined ? left : { id: sha256(sha256(left.id), sha256(right.id), sha256(note(left.end))), end: right.end }
    )
  }
  return joined
}

/** An offset in the data as 32 bytes, big-endian. */
function note(end: number): Uint8Array {
  const bytes = Buffer.alloc(32)
  bytes.writeBigUInt64BE(BigInt(end), 24)
  return bytes
}

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
