/** Blocks, of which crons by blocks and by time hang, and what gateways say of one in two ways. */
import type { ProcessId } from '../model/ids.ts'
import type { BlockRecord } from '../model/records.ts'
import type { Store } from '../store/store.ts'
import { collect } from './record-lists.ts'
import type { Door } from './stored-records.ts'

/** Two gateways' words of one block; which of them is right nobody can tell, for blocks are unsigned. */
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
  /** The last block that this gateway was asked for. */
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
