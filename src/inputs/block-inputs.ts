/** Blocks, on which crons by blocks and by time depend, and the differences between gateways about them. */
import type { ProcessId } from '../model/ids.ts'
import type { BlockRecord } from '../model/records.ts'
import type { Store } from '../store/store.ts'
import { collect } from './record-lists.ts'
import type { Door } from './stored-records.ts'

/** Two gateways' versions of one block; blocks are unsigned, so nobody can tell which is right. */
export interface BlockDifference {
  readonly kept: BlockRecord
  readonly other: BlockRecord & { readonly gateway: string }
}

export interface BlockInputs {
  /** Ascending, both heights inclusive. */
  between(process: ProcessId, from: number, to: number): Promise<readonly BlockRecord[]>
  put(process: ProcessId, blocks: readonly BlockRecord[], differences?: readonly BlockDifference[]): Promise<void>
  /** By height, then by gateway. */
  differences(process: ProcessId): Promise<readonly BlockDifference[]>
  /** The last block that was read from this gateway. */
  readTo(process: ProcessId, gateway: string): Promise<BlockRecord | undefined>
  putReadTo(process: ProcessId, gateway: string, last: BlockRecord): Promise<void>
}

export function createBlockInputs(store: Store, door: Door): BlockInputs {
  return {
    between: (process, from, to) => collect(door, ['block', process], { from, to }),
    put: (process, blocks, differences = []) =>
      store.put([
        ...blocks.map((block) => [['block', process, block.height], block] as const),
        ...differences.map((one) => [['block-difference', process, one.other.height, one.other.gateway], one] as const)
      ]),
    differences: (process) => collect(door, ['block-difference', process]),
    readTo: (process, gateway) => door.get(['blocks-read', process, gateway]),
    putReadTo: (process, gateway, last) => store.put([[['blocks-read', process, gateway], last]])
  }
}
