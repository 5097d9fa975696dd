/** Finding codes: a closed set. A code, once released, keeps its meaning. */
import type { EvaluationKey } from './records.ts'

export const FINDING_CODES = [
  'NONCE_GAP',
  'NONCE_TWICE',
  'SCHEDULE_OUT_OF_ORDER',
  'SCHEDULER_EQUIVOCATION',
  'HASH_CHAIN_BROKEN',
  'TIME_GOES_BACK',
  'ASSIGNMENT_SIGNATURE_INVALID',
  'ASSIGNMENT_SIGNER_NOT_SCHEDULER',
  'ASSIGNMENT_TAGS_DISAGREE',
  'MESSAGE_SIGNATURE_INVALID',
  'MESSAGE_DATA_LOSSY',
  'PROCESS_SIGNATURE_INVALID',
  'MODULE_SIGNATURE_INVALID',
  'SIGNATURE_NOT_CHECKED',
  'INPUT_MISSING',
  'MODULE_UNSUPPORTED',
  'GATEWAYS_DIFFER',
  'CHECKPOINT_SIGNATURE_INVALID',
  'CHECKPOINT_DATA_INVALID',
  'CHECKPOINT_NOT_READ',
  'CHECKPOINT_STATE_MISMATCH',
  'RESULT_MISMATCH',
  'RESULT_UNAVAILABLE',
  'ANSWER_NOT_READ',
  'CLAIM_UNMATCHED',
  'CLAIM_FAULTY',
  'CRONS_BEHIND_RANGE',
  'LISTING_ENDS_EARLY',
  'LISTING_FAULTY',
  'CLAIMANT_CONTRADICTS_ITSELF',
  'HOST_INPUT_READ',
  'PROFILE_DOES_NOT_FIT',
  'PROFILE_ASSUMED',
  'SEARCH_BOUND_REACHED',
  'TAG_ORDER_DIFFERS',
  'DUPLICATE_SKIPPED',
  'EVALUATION_LIMIT',
  'MODULE_UNUSABLE',
  'NOT_REPEATABLE',
  'STATE_NOT_HASHED',
  'UNIT_UNREACHABLE',
  'TRUST_LOWERED'
] as const

/** Findings that leave a unit's claims open: a unit with one of them was not fully checked, and so is no match. */
export const LEAVES_OPEN: ReadonlySet<FindingCode> = new Set(['ANSWER_NOT_READ', 'CLAIM_UNMATCHED', 'LISTING_FAULTY'])

export type FindingCode = (typeof FINDING_CODES)[number]
export type Severity = 'info' | 'warning' | 'error'
export type Attribution = 'compute-unit' | 'scheduler' | 'gateway' | 'process' | 'module' | 'checkpoint-signer' | 'auditor'

export interface Finding {
  readonly code: FindingCode
  readonly severity: Severity
  readonly attribution: Attribution
  readonly nonce?: number
  readonly key?: EvaluationKey
  /** Who it is about, if several are audited: a CU's URL, a signer's address. */
  readonly claimant?: string
  /** The number of occurrences, if a finding counts them instead of being repeated. */
  readonly count?: number
  /** One plain sentence. May hold text from outside: renderers escape it. */
  readonly detail: string
}
