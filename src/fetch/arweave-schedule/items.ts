/** Items on Arweave, each proven by a gateway's record with `/raw/<id>`, or by the bundle that holds it (§5.3). */

import { type BundleItem, parseBundle } from '../../ans104/bundle.ts'
import { encodeBase64url } from '../../ans104/bytes.ts'
import { addressOfKey, type DataItem, idOfSignature, verifyItem } from '../../ans104/data-item.ts'
import { AuditError } from '../../model/errors.ts'
import type { Address, ProcessId, TransactionId } from '../../model/ids.ts'
import type { TransactionRecord } from '../../model/records.ts'
import { proveRawItem } from '../../verify/message-item.ts'
import type { GatewaySource } from '../unit-sources.ts'

export interface ProvenItem {
  readonly record: TransactionRecord
  readonly item: DataItem
}

/** A process, and the scheduler that signs its assignments. */
export interface KnownProcess extends ProvenItem {
  readonly id: ProcessId
  readonly scheduler: Address
}

export interface ArweaveItems {
  /** The gateways' records of these ids. If the first gateway does not know an id, the next is asked. */
  describe(ids: readonly TransactionId[]): Promise<ReadonlyMap<TransactionId, TransactionRecord>>
  /** The item that a record describes; undefined if its data is unavailable or does not match its signature. */
  prove(record: TransactionRecord): Promise<ProvenItem | undefined>
  /** All items of a bundle; undefined if it is unavailable or cannot be read. */
  bundle(id: TransactionId): Promise<readonly BundleItem[] | undefined>
}

const ITEM_MAX_BYTES = 64 * 1024 * 1024
const IDS_OF_A_QUESTION = 100
/** Bundles that stay in memory: neighbours in a schedule often share one. */
const BUNDLES_KEPT = 2

export function createArweaveItems(gateway: GatewaySource): ArweaveItems {
  const bundles = new Map<TransactionId, Promise<readonly BundleItem[] | undefined>>()

  /** Data that is too large to read counts as absent; a gateway that is away does not. */
  async function raw(id: TransactionId) {
    try {
      return await gateway.raw(id, ITEM_MAX_BYTES)
    } catch (error) {
      if (error instanceof AuditError && error.code === 'ANSWER_TOO_LARGE') return undefined
      throw error
    }
  }

  async function readBundle(id: TransactionId): Promise<readonly BundleItem[] | undefined> {
    const found = await raw(id)
    const parsed = found === undefined ? undefined : parseBundle(found.bytes)
    return parsed?.ok ? parsed.value : undefined
  }

  return {
    async describe(ids) {
      const found = new Map<TransactionId, TransactionRecord>()
      for (let place = 0; place < ids.length; place += IDS_OF_A_QUESTION) {
        const part = ids.slice(place, place + IDS_OF_A_QUESTION)
        for (const record of await askAgain(
          gateway,
          part,
          ({ id }) => id,
          (left) => ({ ids: left, limit: left.length })
        ))
          found.set(record.id, record)
      }
      return found
    },

    async prove(record) {
      const found = await raw(record.id)
      const item = found === undefined ? undefined : proveRawItem(record, found.bytes).item
      return item === undefined ? undefined : { record, item }
    },

    bundle(id) {
      const asked = bundles.get(id) ?? readBundle(id)
      bundles.delete(id)
      bundles.set(id, asked)
      for (const oldest of bundles.keys()) if (bundles.size > BUNDLES_KEPT) bundles.delete(oldest)
      return asked
    }
  }
}

/**
 * Asks for several records; if there is more than one gateway, asks again for the missing ones, which another may have.
 *
 * @param nameOf the member of `wanted` that a record answers
 */
export async function askAgain<T>(
  gateway: GatewaySource,
  wanted: readonly T[],
  nameOf: (record: TransactionRecord) => T | undefined,
  question: (left: readonly T[]) => Parameters<GatewaySource['transactions']>[0]
): Promise<TransactionRecord[]> {
  const found: TransactionRecord[] = []
  let left = wanted
  for (let turn = 0; turn < gateway.urls.length && left.length > 0; turn++) {
    const came = await gateway.transactions(question(left))
    found.push(...came)
    const names = new Set(came.map(nameOf))
    const still = left.filter((one) => !names.has(one))
    if (still.length === left.length) break
    left = still
  }
  return found
}

/** The verified item of this id in a bundle; undefined if it is absent or its signature is not valid. */
export function provenIn(
  items: readonly BundleItem[],
  id: TransactionId,
  { blockHeight, gateway }: Pick<TransactionRecord, 'blockHeight' | 'gateway'>
): ProvenItem | undefined {
  const found = items.find((one) => one.id === id)?.item
  if (found?.ok !== true || verifyItem(found.value).status !== 'valid') return undefined
  const item = found.value
  const record: TransactionRecord = {
    id: idOfSignature(item.signature),
    owner: { address: addressOfKey(item.owner), key: encodeBase64url(item.owner) },
    tags: item.tags,
    recipient: encodeBase64url(item.target),
    anchor: encodeBase64url(item.anchor),
    signature: encodeBase64url(item.signature),
    blockHeight,
    gateway
  }
  return { record, item }
}
