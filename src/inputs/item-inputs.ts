/** Items by id, with their data: process, module, messages, checkpoints; and the gateways that served other versions. */
import { ARWEAVE } from '../fetch/arweave-schedule/schedule.ts'
import type { ProcessId, TransactionId } from '../model/ids.ts'
import type { ProcessRecord, TransactionRecord } from '../model/records.ts'
import type { RecordKey, Store } from '../store/store.ts'
import { collect } from './record-lists.ts'
import type { Door } from './stored-records.ts'

/** A gateway served one version of an item, while another gateway served the one with the valid signature. */
export interface GatewayAnomaly {
  readonly id: TransactionId
  readonly gateway: string
  /** The gateway that served the valid item. */
  readonly proves: string
}

export interface ItemInputs {
  /** @param scheduler the source of the record: a URL, or `arweave` */
  process(id: ProcessId, scheduler?: string): Promise<ProcessRecord | undefined>
  putProcess(record: ProcessRecord, scheduler?: string): Promise<void>
  transaction(id: TransactionId): Promise<TransactionRecord | undefined>
  /** Of all processes. */
  transactionIds(): Promise<ReadonlySet<TransactionId>>
  putTransaction(record: TransactionRecord, data?: Uint8Array): Promise<TransactionRecord>
  data(record: TransactionRecord): Promise<Uint8Array | undefined>
  /** The gateways that were asked for an item, if none has one with a valid signature; an archive does not hold this. */
  unproven(id: TransactionId): Promise<readonly string[] | undefined>
  putUnproven(id: TransactionId, gateways: readonly string[] | undefined): Promise<void>
  /** By id, then by gateway. */
  gatewayAnomalies(process: ProcessId): Promise<readonly GatewayAnomaly[]>
  putGatewayAnomalies(process: ProcessId, anomalies: readonly GatewayAnomaly[]): Promise<void>
}

export function createItemInputs(store: Store, door: Door): ItemInputs {
  return {
    process: (id, scheduler) => door.get(processKey(id, scheduler)),
    putProcess: (record, scheduler) => store.put([[processKey(record.id, scheduler), record]]),
    transaction: (id) => door.get(transactionKey(id)),
    async transactionIds() {
      const ids = new Set<TransactionId>()
      for await (const [, { id }] of door.list<TransactionRecord>(['transaction'])) ids.add(id)
      return ids
    },
    async putTransaction(record, data) {
      const kept = data === undefined ? record : { ...record, data: await store.putBlob(data) }
      await store.put([[transactionKey(record.id), kept]])
      return kept
    },
    data: async (record) => (record.data === undefined ? undefined : store.getBlob(record.data)),
    unproven: (id) => door.get(['unproven', id]),
    putUnproven: (id, gateways) => store.put([[['unproven', id], gateways]]),
    gatewayAnomalies: (process) => collect(door, ['gateway-anomaly', process]),
    putGatewayAnomalies: (process, anomalies) =>
      store.put(anomalies.map((one) => [['gateway-anomaly', process, one.id, one.gateway], one] as const))
  }
}

/** The scheduler's record of a process is stored apart from Arweave's. */
export function processKey(id: ProcessId, scheduler: string | undefined): RecordKey {
  return [scheduler === ARWEAVE ? 'process-on-arweave' : 'process', id]
}

export function transactionKey(id: TransactionId): RecordKey {
  return ['transaction', id]
}
