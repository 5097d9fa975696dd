/** The report: schema `ao-audit/report/v1`. Additive changes keep the version. */

import type { Difference, EvaluationStatus, Tolerance, Verdict } from '../compare/comparison.ts'
import type { MemoryDifference } from '../memory/difference.ts'
import type { AuditErrorCode } from '../model/errors.ts'
import type { Finding } from '../model/findings.ts'
import type { EvaluationKey } from '../model/records.ts'

/** Counts of evaluations. The report's own, where several CUs are audited, is in each count the worst of theirs. */
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
  /** Answered by a CU with what could not be read, whatever else is claimed of them. */
  readonly unread: number
  /** Over inputs whose signature was not checked. */
  readonly unverified: number
}

/** A difference as reported. `cut`: both values are the text of their JSON, shortened around the first character that differs. */
export interface ReportedDifference extends Difference {
  readonly cut?: true
}

export interface ReportedEvaluation {
  readonly key: EvaluationKey
  readonly nonce?: number
  /** Of nonces that are missing together the last one; `nonce` is the first. */
  readonly through?: number
  readonly message?: string
  readonly status: EvaluationStatus
  readonly claimant?: string
  readonly profile?: string
  readonly differences?: readonly ReportedDifference[]
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
  readonly differences: readonly ReportedDifference[]
  /** How many differences were left out of `differences`. */
  readonly differencesCut?: number
}

export interface ClaimantReport {
  /** The CU's URL, or a checkpoint signer's address. */
  readonly id: string
  readonly kind: 'compute-unit' | 'checkpoint-signer'
  readonly audited: boolean
  /** The address the unit itself names. */
  readonly address?: string
  readonly verdict: Verdict
  /** Why not a plain match, in words. */
  readonly reasons: readonly string[]
  /** Those of the reasons that do not make the verdict what it is. */
  readonly remarks: readonly string[]
  readonly coverage: Coverage
  readonly firstDivergence: FirstDivergence | null
  /** The rules of accusation, all of which hold where the verdict of an audited unit is `mismatch`; else empty. */
  readonly rules: readonly string[]
  /** What was let pass in its favour: room for a lie, counted. */
  readonly tolerances: readonly Tolerance[]
  /** Under which it was judged; a checkpoint's signer has none. */
  readonly profile?: ProfileReport
}

/** A unit that did not answer within its patience, or from which nothing could be had for another reason. */
export interface UnreachableUnit {
  readonly unit: 'scheduler' | 'gateway' | 'compute-unit'
  readonly url: string
  /** Whether it was away, refused, was not asked at all, or answered what cannot be used. */
  readonly code: AuditErrorCode
  /** What was tried and what came of it, in words. */
  readonly detail: string
  /** What the user can do about it. */
  readonly hint?: string
}

export interface CheckpointReport {
  readonly id: string
  readonly nonce: number
  readonly signer: string
  readonly claimedSha256: string
  readonly dataSha256: string | null
  readonly computedSha256: string | null
  readonly status: 'match' | 'mismatch' | 'unverified' | 'unread'
  /** Where the memory differs: `a` is the checkpoint's, `b` the computed one. For the first checkpoints that differ. */
  readonly memory?: MemoryDifference
}

export interface ProfileReport {
  readonly name: string
  /** `NAME=value`, in order; empty where the environment is stubbed. */
  readonly environment: readonly string[]
  readonly clock: { readonly start: number; readonly step: number }
  readonly instances: 'one' | 'per-message' | readonly number[]
  /**
   * Which blocks the unit is thought to have known, for processes with crons: a case by name, times asked for (ms), or heights.
   * `ends` are times (ms) at which a request ended an evaluation stream.
   */
  readonly blocks?:
    | 'all'
    | 'stepwise'
    | 'one-stream'
    | readonly number[]
    | { readonly unknown: readonly number[]; readonly ends?: readonly number[] }
    | { readonly known: readonly number[]; readonly ends?: readonly number[] }
  /** Of the unit's host; UTC is shown to modules where it is not stated. */
  readonly timeZone?: string
  readonly loader: string
  /** Where it comes from: the default, the user, a checkpoint, the unit's claims. */
  readonly source: string
  /** A replay under it reached the memory of a checkpoint that the unit signed. */
  readonly proven: boolean
  readonly tried: readonly string[]
  /** Replays in the search for an explanation. */
  readonly instancesTried: number
}

export interface Timings {
  /** Until the last input came. The replay begins before, where it can. */
  readonly fetchMs: number
  readonly verifyMs: number
  readonly replayMs: number
  /** Of the replay, within the module; of parts side by side, of all of them. */
  readonly moduleMs: number
  readonly compareMs: number
  /** Measured inside the module: waiting and results of an earlier audit do not count. */
  readonly messagesPerSecond: number
  /** The nonce up to which an earlier audit's results were taken from the store; null: all was computed now. */
  readonly resumedAfter: number | null
  /** Sandboxes that were allowed at the same time. */
  readonly jobs: number
  /** Parts that began with a checkpoint's memory before the part before them had come to it, and those of them that were proven. */
  readonly partsAhead: { readonly begun: number; readonly proven: number }
}

export interface Report {
  readonly schema: 'ao-audit/report/v1'
  /** When the audit ended, ISO 8601 in UTC. */
  readonly date: string
  /** SHA-256, in lowercase hex, of the canonical JSON (RFC 8785) of all other fields. */
  readonly digest: string
  /** SHA-256, in lowercase hex, of everything that the audit read (docs/report.md); null if nothing was judged. */
  readonly inputsDigest: string | null
  readonly verdict: Verdict
  /** Why not a plain match, in words. */
  readonly reasons: readonly string[]
  /** Those of the reasons that do not make the verdict what it is, but are to be known: all of a match's. */
  readonly remarks: readonly string[]
  /** Gates that the user lowered, in words: the verdict holds only as far as these are trusted. */
  readonly trusted: readonly string[]
  /** Who did not answer. */
  readonly unreachable: readonly UnreachableUnit[]
  /** The process that was asked about, also where nothing was learnt of it. */
  readonly processId: string
  readonly process: {
    readonly id: string
    readonly owner: string
    readonly scheduler: string
    readonly module: { readonly id: string; readonly sha256: string; readonly format: string }
  } | null
  readonly range: { readonly from: number; readonly to: number } | null
  /** The checkpoint whose memory the replay began with, taken on trust; null: the module's own memory. */
  readonly start: { readonly checkpoint: string; readonly nonce: number; readonly signer: string } | null
  readonly coverage: Coverage
  /** All that the verdict does not speak of, in words. */
  readonly notChecked: readonly string[]
  readonly claimants: readonly ClaimantReport[]
  /** All that are not a plain match, in order. */
  readonly evaluations: readonly ReportedEvaluation[]
  /** How many were left out of `evaluations`. */
  readonly evaluationsCut: number
  readonly firstDivergence: FirstDivergence | null
  readonly checkpoints: readonly CheckpointReport[]
  /** By severity (errors first), then nonce. */
  readonly findings: readonly Finding[]
  /** How many were left out of `findings`. */
  readonly findingsCut: number
  readonly profile: ProfileReport | null
  readonly stateHashes: Readonly<Record<string, string>>
  readonly tool: { readonly version: string; readonly node: string; readonly loader: string }
  readonly timings: Timings
}
