/** What is to be evaluated, in order, before anything is. */
import type { AssignmentId, MessageId, TransactionId } from '../../ids.ts'
import type { BlockRecord, EvaluationKey, ProcessRecord, ScheduledMessage, TransactionRecord } from '../../records.ts'

export interface PlannedEvaluation {
  readonly key: EvaluationKey
  /** Absent for a cron message and for the process message that the boot loader injects. */
  readonly nonce?: number
  readonly messageId?: MessageId
  readonly assignmentId?: AssignmentId
  /** The CU stores no result for the boot message it injects. */
  readonly saved: boolean
  readonly work: Work
}

export type Work =
  | { readonly kind: 'run'; readonly message: Readonly<Record<string, unknown>> }
  /** Left out by the CU's own rules (§2.6). */
  | { readonly kind: 'skip'; readonly reason: 'duplicate-assignment' | 'duplicate-push'; readonly of: number }
  /** The CU's own stream ends here. */
  | { readonly kind: 'stop'; readonly reason: string }
  /** An input that nobody has. */
  | { readonly kind: 'missing'; readonly reason: string }

/** An item on the chain; its data as the CU reads it, text. */
export interface OnChainItem {
  readonly record: TransactionRecord
  readonly dataText?: string
}

export interface PlanInputs {
  readonly process: ProcessRecord
  /** Ascending, each nonce once, without a gap. */
  readonly schedule: AsyncIterable<ScheduledMessage>
  transaction(id: TransactionId): Promise<OnChainItem | undefined>
  /** The text of `/raw/<process>`, for the boot message of old processes. */
  processData(): Promise<string | undefined>
  /** Blocks of these heights, both inclusive, ascending. */
  blocks(fromHeight: number, toHeight: number): Promise<readonly BlockRecord[]>
}
