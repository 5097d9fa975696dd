/** The data of comparison: what replay computed, how it differs, what that means for a claimant. */

import type { MessageId } from '../ids.ts'
import type { EvaluationKey, EvaluationResult } from '../records.ts'

/** `path` as a JSON path from the result's root: `Messages[0].Tags[3].value`. A side that has nothing there is undefined. */
export interface Difference {
  readonly path: string
  readonly claimed?: unknown
  readonly computed?: unknown
}

/** What replay says of one planned evaluation, in the order of the plan. */
export interface Evaluation {
  readonly key: EvaluationKey
  /** Absent for a cron message and for the process message that the boot loader injects. */
  readonly nonce?: number
  readonly messageId?: MessageId
  readonly outcome: Outcome
}

export type Outcome =
  /** Evaluated; `result` as the CU would put it, `text` its JSON. `profile` names another profile than the audit's, if one. */
  | { readonly kind: 'result'; readonly result: EvaluationResult; readonly text: string; readonly profile?: string }
  /** Not evaluated by the CU's own rules (§2.6). `of` is the nonce of the first. */
  | { readonly kind: 'skipped'; readonly reason: 'duplicate-assignment' | 'duplicate-push'; readonly of: number }
  /** The auditor could not evaluate it, or nothing after it. */
  | { readonly kind: 'inconclusive'; readonly reason: string }

export type Verdict = 'match' | 'mismatch' | 'inconclusive'
export type EvaluationStatus = 'match' | 'match-profile' | 'mismatch' | 'skipped' | 'unclaimed' | 'inconclusive'
