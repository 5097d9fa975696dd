/** What is to be evaluated, in order, before anything is. */
import type { AssignmentId, MessageId, TransactionId } from '../../model/ids.ts'
import type { BlockRecord, ChainItem, EvaluationKey, ProcessItem, ScheduledMessage, Times } from '../../model/records.ts'
import type { Checked } from '../../verify/signed.ts'

export interface PlannedEvaluation {
  readonly key: EvaluationKey
  /** Absent for a cron message and for the process message that the boot loader injects. */
  readonly nonce?: number
  /** Of nonces that are missing together the last one; `nonce` is the first. */
  readonly through?: number
  readonly messageId?: MessageId
  readonly assignmentId?: AssignmentId
  /** The CU stores no result for the boot message it injects. */
  readonly saved: boolean
  /** Right behind a cron or the boot message, at which no request for a message ends: the CU evaluates both in one stream. */
  readonly midStream?: true
  /** A cron message: that it fires, and its `Block-Height`, hang on the blocks that the CU knew. */
  readonly readsBlocks?: true
  readonly work: Work
}

export type Work =
  | { readonly kind: 'run'; readonly message: Readonly<Record<string, unknown>> }
  /** Left out by the CU's own rules (§2.6). */
  | { readonly kind: 'skip'; readonly reason: 'duplicate-assignment' | 'duplicate-push'; readonly of: number }
  /** The CU's own stream ends here. */
  | { readonly kind: 'stop'; readonly reason: string }
  /** An input that nobody has, or more crons than the bound. */
  | { readonly kind: 'missing'; readonly reason: string }

/** An item on the chain; its data as the CU reads it, text. */
export interface OnChainItem {
  readonly item: Checked<ChainItem>
  readonly dataText?: string
}

/**
 * Which blocks the CU knew when it made cron messages (profiles §1.9).
 *
 * - `all`: every block there is.
 * - `stepwise`: it was asked for each message, one after another, and kept its cache of blocks.
 * - `asked`: it was asked for these times, ms, ascending; a message's own time asks for that message. One that comes twice
 *   (`/result`, then `/state`) is two streams. Behind the last it goes on stepwise. One stream: the last message's time alone.
 * - `unknown`: every block but those of these heights.
 * - `known`: the blocks of these heights.
 */
export type BlockKnowledge =
  | 'all'
  | 'stepwise'
  | { readonly asked: readonly number[] }
  | { readonly unknown: ReadonlySet<number> }
  | { readonly known: ReadonlySet<number> }

export interface PlanInputs {
  readonly process: Checked<ProcessItem>
  /** Ascending, each nonce once, without a gap, from the first nonce on. */
  readonly schedule: AsyncIterable<Checked<ScheduledMessage>>
  /**
   * When the scheduler took the process: asked for once, where crons or a boot message hang on it.
   *
   * @param first the first message of the schedule
   */
  taken(first: Checked<ScheduledMessage> | undefined): Promise<Checked<Times>>
  chainItem(id: TransactionId): Promise<OnChainItem | undefined>
  /** The text of `/raw/<process>`, for the boot message of old processes. */
  processData(): Promise<string | undefined>
  /** Blocks of these heights, both inclusive, ascending; those that there are. Asked for processes with crons only. */
  blocks(fromHeight: number, toHeight: number): Promise<readonly BlockRecord[]>
  /** `all` where not given. */
  readonly knownBlocks?: BlockKnowledge
  /** Nonces of duplicates that are planned to run all the same: what a unit skips depends on its version and its past (§2.6). */
  readonly evaluates?: ReadonlySet<number>
}
