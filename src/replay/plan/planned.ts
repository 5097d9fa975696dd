/** Planned evaluations: the messages that should run, in order, before anything runs. */
import type { AssignmentId, MessageId, TransactionId } from '../../model/ids.ts'
import type { BlockRecord, ChainItem, EvaluationKey, ProcessItem, ScheduledMessage, Times } from '../../model/records.ts'
import type { Checked } from '../../verify/signed.ts'

export interface PlannedEvaluation {
  readonly key: EvaluationKey
  /** Absent for a cron message and for the process message that the boot loader injects. */
  readonly nonce?: number
  /** The last of several nonces that are missing together; `nonce` is the first. */
  readonly through?: number
  readonly messageId?: MessageId
  readonly assignmentId?: AssignmentId
  /** Whether the CU stores a result; it stores none for the boot message that it injects, and none for a cron that fires again. */
  readonly saved: boolean
  /** It comes right after a cron or the boot message, where no request for a message ends: the CU evaluates both in one stream. */
  readonly midStream?: true
  /** A cron that fires again, because a stream ended among the crons of its second: no claim is about this evaluation. */
  readonly repeated?: true
  /** A cron message: its firing and its `Block-Height` depend on the blocks that the CU knew. */
  readonly readsBlocks?: true
  readonly work: Work
}

export type Work =
  | { readonly kind: 'run'; readonly message: Readonly<Record<string, unknown>> }
  /** Skipped by the CU's own rules (§2.6). */
  | { readonly kind: 'skip'; readonly reason: 'duplicate-assignment' | 'duplicate-push'; readonly of: number }
  /** The CU's own stream ends here. */
  | { readonly kind: 'stop'; readonly reason: string }
  /** Nobody has an input, or there are more crons than the limit. */
  | { readonly kind: 'missing'; readonly reason: string }

/** An item on the chain, with its data as text, as the CU reads it. */
export interface OnChainItem {
  readonly item: Checked<ChainItem>
  readonly dataText?: string
}

/**
 * The blocks that the CU knew when it made cron messages (profiles §1.9).
 *
 * - `all`: every block that exists.
 * - `stepwise`: somebody asked it for each message, one after another, and it kept its cache of blocks.
 * - `asked`: somebody asked it for these times, ms, ascending; a message's own time asks for that message. A time that occurs twice
 *   (`/result`, then `/state`) makes two streams. After the last time the CU continues stepwise. A single time, that of the last
 *   message, makes one stream.
 * - `unknown`: every block except those of these heights.
 * - `known`: only the blocks of these heights.
 *
 * The last two evaluate in one stream, unless `ends` names times, ms, ascending, at which a request ended one.
 */
export type BlockKnowledge =
  | 'all'
  | 'stepwise'
  | { readonly asked: readonly number[] }
  | { readonly unknown: ReadonlySet<number>; readonly ends?: readonly number[] }
  | { readonly known: ReadonlySet<number>; readonly ends?: readonly number[] }

export interface PlanInputs {
  readonly process: Checked<ProcessItem>
  /** The schedule from the first nonce on: ascending, each nonce once, without gaps. */
  readonly schedule: AsyncIterable<Checked<ScheduledMessage>>
  /**
   * Returns the time at which the scheduler took the process. Called once, and only if crons or a boot message depend on it.
   *
   * @param first the first message of the schedule
   */
  taken(first: Checked<ScheduledMessage> | undefined): Promise<Checked<Times>>
  chainItem(id: TransactionId): Promise<OnChainItem | undefined>
  /** Returns the text of `/raw/<process>`, for the boot message of old processes. */
  processData(): Promise<string | undefined>
  /** Returns the existing blocks of these heights, both inclusive, ascending. Called only for processes with crons. */
  blocks(fromHeight: number, toHeight: number): Promise<readonly BlockRecord[]>
  /** Default: `all`. */
  readonly knownBlocks?: BlockKnowledge
  /** Nonces of duplicates that run all the same: which of them a unit skips depends on its version and its past (§2.6). */
  readonly evaluates?: ReadonlySet<number>
}
