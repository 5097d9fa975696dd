/** Blocks from several gateways. They are unsigned, so if two gateways differ, nobody can be blamed because of either version. */
import type { BlockDifference } from '../inputs/block-inputs.ts'
import type { Inputs } from '../inputs/inputs.ts'
import type { Run } from '../inputs/run-record.ts'
import type { BlockRecord, EvaluationKey, ProcessRecord, ScheduledMessage } from '../model/records.ts'

/** A block is mined every two minutes; over no span are blocks twice as fast. */
const FASTEST_BLOCK_MS = 60_000
/** Additional blocks: the scheduler may have lagged behind, and some blocks are fast. */
const BLOCKS_SLACK = 1_000
/** About ten years of blocks, whatever a scheduler signs. */
const BLOCKS_MAX = 3_000_000

/** The highest block that can matter to a schedule, from its own heights and times: no gateway is asked for a higher one. */
export function highestBlock(
  process: Pick<ProcessRecord, 'blockHeight' | 'timestamp'>,
  last: Pick<ScheduledMessage, 'blockHeight' | 'timestamp'>
): number {
  const bySpan = Math.ceil((last.timestamp - process.timestamp) / FASTEST_BLOCK_MS)
  const blocks = Math.max(0, last.blockHeight - process.blockHeight, bySpan) + BLOCKS_SLACK
  return process.blockHeight + Math.min(blocks, BLOCKS_MAX)
}

/** Sorts one gateway's blocks: new ones, and those for which another gateway gave another time. */
export function holdBlocks(
  kept: readonly BlockRecord[],
  served: readonly BlockRecord[],
  gateway: string
): { readonly fresh: readonly BlockRecord[]; readonly differences: readonly BlockDifference[] } {
  const known = new Map(kept.map((block) => [block.height, block]))
  const fresh: BlockRecord[] = []
  const differences: BlockDifference[] = []
  for (const block of served) {
    const other = { ...block, gateway }
    const before = known.get(block.height)
    if (before === undefined) fresh.push(other)
    else if (before.timestamp !== block.timestamp && before.gateway !== gateway) differences.push({ kept: before, other })
  }
  return { fresh, differences }
}

/** The evaluations for which nobody may be blamed. */
export interface BlockDisputes {
  disputeAt(key: EvaluationKey): string | undefined
  /** For the memory after this nonce and the crons that follow it. */
  disputeAfter(nonce: number): string | undefined
}

/** Crons, and so all evaluations after them, depend on block times: doubt begins at the earliest disputed time. */
export async function readBlockDisputes(inputs: Inputs, run: Run): Promise<BlockDisputes> {
  let from = Number.POSITIVE_INFINITY
  let reason = ''
  for (const { kept, other } of await inputs.blocks.differences(run.process)) {
    const earliest = Math.min(kept.timestamp, other.timestamp)
    if (earliest >= from) continue
    from = earliest
    reason = `gateways disagree about the time of block ${kept.height}, which decides when crons fire`
  }
  const nonce = from === Number.POSITIVE_INFINITY ? from : await firstNonceAt(inputs, run, from)
  return {
    disputeAt: ({ ordinate, timestamp }) => (ordinate >= nonce || timestamp >= from ? reason : undefined),
    disputeAfter: (after) => (after + 1 >= nonce ? reason : undefined)
  }
}

async function firstNonceAt(inputs: Inputs, run: Run, timeMs: number): Promise<number> {
  for await (const { nonce, timestamp } of inputs.schedule.messages(run, 0, run.to)) if (timestamp >= timeMs) return nonce
  return run.to + 1
}
