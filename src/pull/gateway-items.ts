/** Items from gateways: stores the first answer with a valid signature, and remembers which gateways served something else. */

import { equalBytes } from '../ans104/bytes.ts'
import type { GatewaySource } from '../fetch/unit-sources.ts'
import type { GatewayAnomaly } from '../inputs/item-inputs.ts'
import { AuditError } from '../model/errors.ts'
import type { TransactionId } from '../model/ids.ts'
import type { TransactionRecord } from '../model/records.ts'
import { proveRawItem } from '../verify/message-item.ts'
import { proveItem, type RawItem } from '../verify/raw-item.ts'
import type { PullOptions } from './pull-options.ts'

/**
 * Fetches an item with its data, once for all callers; undefined if no gateway knows it.
 *
 * @throws AuditError if no gateway could be asked; `GatewaySource.unheard` names the gateways that failed
 */
export type FetchItem = (id: TransactionId, maxBytes: number) => Promise<TransactionRecord | undefined>

/** An answer under an id, and the gateway that served it. */
interface ServedItem extends RawItem {
  /** undefined if the record and the data are from different gateways. */
  readonly gateway?: string
  readonly proven: boolean
}

export function createFetchItem({ inputs, units, process }: PullOptions): FetchItem {
  const { gateway } = units
  const underWay = new Map<TransactionId, Promise<TransactionRecord | undefined>>()

  async function fetchOnce(id: TransactionId, maxBytes: number): Promise<TransactionRecord | undefined> {
    const kept = await inputs.items.transaction(id)
    const keptData = kept === undefined ? undefined : await inputs.items.data(kept)
    const unprovenBy = await inputs.items.unproven(id)
    const asked = unprovenBy === undefined || gateway.urls.every((url) => unprovenBy.includes(url))
    if (keptData !== undefined && asked) return kept
    const record = kept ?? (await gateway.transactions({ ids: [id], limit: 1 }))[0]
    if (record === undefined) return undefined
    if (kept === undefined) await inputs.items.putTransaction(record)
    const served = keptData === undefined ? await gateway.raw(id, maxBytes) : { bytes: keptData, gateway: undefined }
    if (served === undefined) return record
    const first = await answerOf(gateway, record, served.bytes, served.gateway)
    if (first.proven) return inputs.items.putTransaction(first.record, first.data)
    const { found, unproven, otherwise } = await askEach(first, id, maxBytes)
    await inputs.items.putUnproven(id, found === undefined ? unproven : undefined)
    await inputs.items.putGatewayAnomalies(process, otherwise)
    return inputs.items.putTransaction((found ?? first).record, (found ?? first).data)
  }

  /** Asks one gateway after another for the whole item, until an answer has a valid signature. */
  async function askEach(first: ServedItem, id: TransactionId, maxBytes: number) {
    const unproven: ServedItem[] = []
    for (const one of gateway.each()) {
      const answer = one.urls[0] === first.gateway ? first : await unlessAbsent(() => wholeOf(one, id, maxBytes))
      if (answer === undefined) continue
      if (answer.proven) return { found: answer, unproven: [], otherwise: anomalies(unproven, answer) }
      unproven.push(answer)
    }
    return { found: undefined, unproven: unproven.flatMap(({ gateway: url = [] }) => url), otherwise: [] }
  }

  return (id, maxBytes) => {
    const asked = underWay.get(id) ?? fetchOnce(id, maxBytes)
    underWay.set(id, asked)
    return asked
  }
}

async function wholeOf(one: GatewaySource, id: TransactionId, maxBytes: number): Promise<ServedItem | undefined> {
  const [record] = await one.transactions({ ids: [id], limit: 1 })
  const raw = record === undefined ? undefined : await one.raw(id, maxBytes)
  return record === undefined || raw === undefined ? undefined : answerOf(one, record, raw.bytes, raw.gateway)
}

async function answerOf(
  asked: GatewaySource,
  record: TransactionRecord,
  data: Uint8Array,
  gateway: string | undefined
): Promise<ServedItem> {
  const own = gateway !== undefined && gateway === record.gateway ? { gateway } : {}
  if (proveRawItem(record, data).verdict.status === 'valid') return { record, data, ...own, proven: true }
  // It may not be a data item, but a transaction directly on Arweave.
  const onChain = await unlessAbsent(() => asked.header(record.id))
  const whole = onChain === undefined ? record : { ...record, onChain }
  return { record: whole, data, ...own, proven: proveItem({ record: whole, data }).verdict.status === 'valid' }
}

/** If a unit fails, its answer counts as absent: others may have it, and the rest is judged without it. */
export async function unlessAbsent<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof AuditError) || error.unit === undefined) throw error
    return undefined
  }
}

function anomalies(unproven: readonly ServedItem[], proven: ServedItem): GatewayAnomaly[] {
  const { id, gateway: proves } = proven.record
  return unproven.flatMap((answer) =>
    answer.gateway !== undefined && saysOtherwise(answer, proven) ? { id, gateway: answer.gateway, proves } : []
  )
}

/** Whether an answer contradicts the signed item; one that only leaves out a field or a header does not. */
function saysOtherwise(answer: RawItem, proven: RawItem): boolean {
  const { record } = answer
  const signed = proven.record
  const differs = (left: string, right: string) => left !== '' && left !== right
  if (
    !equalBytes(answer.data, proven.data) ||
    JSON.stringify(pairs(record)) !== JSON.stringify(pairs(signed)) ||
    record.owner.address !== signed.owner.address ||
    differs(record.owner.key, signed.owner.key) ||
    differs(record.signature, signed.signature) ||
    differs(record.recipient, signed.recipient) ||
    (record.onChain !== undefined && JSON.stringify(record.onChain) !== JSON.stringify(signed.onChain))
  )
    return true
  // Gateways encode anchors differently, but a shown anchor would verify if everything else is as it was signed.
  const whole = [record.anchor, record.owner.key, record.signature].every((field) => field !== '')
  return whole && record.recipient === signed.recipient && signed.onChain === undefined
}

function pairs({ tags }: TransactionRecord): string[][] {
  return tags.map(({ name, value }) => [name, value])
}
