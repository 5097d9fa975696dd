/** The report: schema `ao-audit/report/v1`. Additive changes keep the version. */
import type { Difference, EvaluationStatus, Verdict } from '../compare/types.ts'
import type { Finding } from '../findings.ts'
import type { EvaluationKey } from '../records.ts'

/** Counts of evaluations. */
export interface Coverage {
  /** Nonces in range. */
  readonly scheduled: number
  /** Cron evaluations in range. */
  readonly cron: number
  /** Run by the auditor. */
  readonly evaluated: number
  /** Held against at least one claim. */
  readonly compared: number
  /** Duplicates that the CU's rules leave out. */
  readonly skipped: number
  /** Evaluated, but nobody claimed anything. */
  readonly unclaimed: number
  /** Over inputs whose signature was not checked. */
  readonly unverified: number
}

export interface ReportedEvaluation {
  readonly key: EvaluationKey
  readonly nonce?: number
  readonly message?: string
  readonly status: EvaluationStatus
  readonly claimant?: string
  readonly profile?: string
  readonly differences?: readonly Difference[]
  /** How many differences were left out of `differences`. */
  readonly differencesCut?: number
  /** Why, for `skipped` and `inconclusive`. */
  readonly reason?: string
}

export interface FirstDivergence {
  readonly key: EvaluationKey
  readonly nonce?: number
  readonly message?: string
  readonly claimant: string
  readonly differences: readonly Difference[]
}

export interface ClaimantReport {
  /** The CU's URL, or a checkpoint signer's address. */
  readonly id: string
  readonly kind: 'compute-unit' | 'checkpoint-signer'
  readonly audited: boolean
  /** The address the unit itself names. */
  readonly address?: string
  readonly verdict: Verdict
  readonly coverage: Coverage
  readonly firstDivergence: FirstDivergence | null
}

export interface CheckpointReport {
  readonly id: string
  readonly nonce: number
  readonly signer: string
  readonly claimedSha256: string
  readonly dataSha256: string | null
  readonly computedSha256: string | null
  readonly status: 'match' | 'mismatch' | 'unverified' | 'unread'
}

export interface ProfileReport {
  readonly name: string
  /** `NAME=value`, in order; empty where the environment is stubbed. */
  readonly environment: readonly string[]
  readonly clock: { readonly start: number; readonly step: number }
  readonly instances: 'one' | 'per-message'
  readonly loader: string
  /** Where it comes from: the default, the user, a checkpoint. */
  readonly source: string
  readonly tried: readonly string[]
}

export interface Timings {
  readonly fetchMs: number
  readonly verifyMs: number
  readonly replayMs: number
  readonly compareMs: number
  readonly messagesPerSecond: number
}

export interface Report {
  readonly schema: 'ao-audit/report/v1'
  readonly verdict: Verdict
  /** Why not a plain match, in words. */
  readonly reasons: readonly string[]
  readonly process: {
    readonly id: string
    readonly owner: string
    readonly scheduler: string
    readonly module: { readonly id: string; readonly sha256: string; readonly format: string }
  } | null
  readonly range: { readonly from: number; readonly to: number } | null
  readonly coverage: Coverage
  readonly claimants: readonly ClaimantReport[]
  /** All that are not a plain match, in order. */
  readonly evaluations: readonly ReportedEvaluation[]
  readonly firstDivergence: FirstDivergence | null
  readonly checkpoints: readonly CheckpointReport[]
  readonly findings: readonly Finding[]
  readonly profile: ProfileReport | null
  readonly stateHashes: Readonly<Record<string, string>>
  readonly tool: { readonly version: string; readonly node: string; readonly loader: string }
  readonly timings: Timings
}
