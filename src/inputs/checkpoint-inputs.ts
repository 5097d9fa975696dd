/** The checkpoints that gateways list, and those that were left out. */
import type { ProcessId, TransactionId } from '../model/ids.ts'
import type { Store } from '../store/store.ts'
import { collect } from './record-lists.ts'
import type { Run } from './run-record.ts'
import type { Door } from './stored-records.ts'

/** The checkpoints of a gateway's list that were left out. */
export interface UnreadCheckpoints {
  /** Those whose tags do not name a place or a memory, by reason. */
  readonly faults: readonly { readonly reason: string; readonly count: number }[]
  /** The number of those that did not fit the limits. */
  readonly cut: number
}

/** The signers whose checkpoints were requested first, and the checkpoints that were left out. */
export interface AskedCheckpoints {
  readonly signers: readonly string[]
  readonly unread: UnreadCheckpoints
}

export interface CheckpointInputs {
  /** Ids of checkpoints that a gateway listed, whoever signed them. */
  ids(process: ProcessId): Promise<readonly TransactionId[]>
  /** Whether this gateway was asked for checkpoints up to the end of this run, with those of these signers first. */
  wereRead(run: Run, gateway: string, signers?: readonly string[]): Promise<boolean>
  put(run: Run, gateway: string, ids: readonly TransactionId[], asked?: AskedCheckpoints): Promise<void>
  /** The checkpoints that were left out, by gateway. */
  unread(process: ProcessId): Promise<readonly UnreadCheckpoints[]>
}

export function createCheckpointInputs(store: Store, door: Door): CheckpointInputs {
  return {
    ids: (process) => collect(door, ['checkpoint', process]),
    async wereRead(run, gateway, signers = []) {
      const read = await door.get<unknown>(['checkpoints-read', run.process, gateway])
      return JSON.stringify(read) === JSON.stringify({ to: run.to, signers })
    },
    put: (run, gateway, ids, { signers, unread } = { signers: [], unread: { faults: [], cut: 0 } }) =>
      store.put([
        ...ids.map((id) => [['checkpoint', run.process, id], id] as const),
        [['checkpoints-unread', run.process, gateway], unread.faults.length + unread.cut > 0 ? unread : undefined],
        [['checkpoints-read', run.process, gateway], { to: run.to, signers }]
      ]),
    unread: (process) => collect(door, ['checkpoints-unread', process])
  }
}
