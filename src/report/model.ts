/** The report: schema `ao-audit/report/v1`. Additive changes keep the version. */

import type { Difference, EvaluationStatus, Tolerance, Verdict } from '../compare/comparison.ts'
import type { MemoryDifference } from '../memory/difference.ts'
import type { AuditErrorCode } from '../model/errors.ts'
import type { Finding } from '../model/findings.ts'
import type { EvaluationKey } from '../model/records.ts'

/** Counts of evaluations. If several CUs are audited, each count of the report itself is the worst of theirs. */
export interface Coverage {
  /** Nonces in the range. */
  readonly scheduled: number
  /** Evaluations of crons in the range. */
  readonly cron: number
  /** Executed by the auditor. */
  readonly evaluated: number
  /** Compared with at least one claim. */
  readonly compared: number
  /** Duplicates that a CU skips by its rules. */
  readonly skipped: number
  /** Evaluated, but nobody claimed anything. */
  readonly unclaimed: number
  /** For these a CU gave an answer that could not be read, even if it made other claims about them. */
  readonly unread: number
  /** Based on inputs without a checked signature. */
  readonly unverified: number
}

/**
 * A difference as reported. With `cut`, both values are the text of their JSON, shortened around the first character that
 * differs.
 */
export interface ReportedDifference extends Difference {
  readonly cut?: true
}

export interface ReportedEvaluation {
  readonly key: EvaluationKey
  readonly nonce?: number
  /** The last of several missing nonces; `nonce` is the first. */
  readonly through?: number
  readonly message?: string
  readonly status: EvaluationStatus
  readonly claimant?: string
  readonly profile?: string
  readonly differences?: readonly ReportedDifference[]
  /** How many differences were left out of `differences`. */
  readonly differencesCut?: number
  /** The reason for `skipped` or `inconclusive`. */
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
  /** The address that the unit gives as its own. */
  readonly address?: string
  readonly verdict: Verdict
  /** Everything that keeps this from being a plain match, in words. */
  readonly reasons: readonly string[]
  /** Those of the reasons that do not decide the verdict. */
  readonly remarks: readonly string[]
  readonly coverage: Coverage
  readonly firstDivergence: FirstDivergence | null
  /**
   * All rules of accusation if this unit is audited and its verdict is `mismatch`, because all of them hold; otherwise empty.
   */
  readonly rules: readonly string[]
  /** Differences that were accepted in its favour. Each is room for a lie, and is counted. */
  readonly tolerances: readonly Tolerance[]
  /** The profile under which it was judged. The signer of a checkpoint has none. */
  readonly profile?: ProfileReport
}

/** A unit that did not answer in time, or from which something could not be fetched for another reason. */
export interface UnreachableUnit {
  readonly unit: 'scheduler' | 'gateway' | 'compute-unit'
  readonly url: string
  /** Whether it did not answer, refused, was not asked, or gave an unusable answer. */
  readonly code: AuditErrorCode
  /** What was tried and how it failed, in words. */
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
  /**
   * The differences in memory: `a` is the checkpoint's side, `b` the computed one. Only the first checkpoints that differ have
   * it.
   */
  readonly memory?: MemoryDifference
}

export interface ProfileReport {
  readonly name: string
  /** `NAME=value`, in order; empty if the loader stubs the environment. */
  readonly environment: readonly string[]
  readonly clock: { readonly start: number; readonly step: number }
  readonly instances: 'one' | 'per-message' | readonly number[]
  /**
   * For processes with crons, the blocks that the unit is assumed to have known: a named case, requested times (ms), or heights.
   * `ends` are times (ms) at which a request ended an evaluation stream.
   */
  readonly blocks?:
    | 'all'
    | 'stepwise'
    | 'one-stream'
    | readonly number[]
    | { readonly unknown: readonly number[]; readonly ends?: readonly number[] }
    | { readonly known: readonly number[]; readonly ends?: readonly number[] }
  /** The time zone of the unit's host. If it is missing, modules receive UTC. */
  readonly timeZone?: string
  readonly loader: string
  /** The source of the profile: the default, the user, a checkpoint, or the unit's claims. */
  readonly source: string
  /** Whether a replay under it reached the memory of a checkpoint that the unit signed. */
  readonly proven: boolean
  readonly tried: readonly string[]
  /** Replays in the search for an explanation. */
  readonly instancesTried: number
}

export interface Timings {
  /** The time until the last input arrived. The replay begins earlier if it can. */
  readonly fetchMs: number
  readonly verifyMs: number
  readonly replayMs: number
  /** The time of the replay inside the module, added up over all segments. */
  readonly moduleMs: number
  readonly compareMs: number
  /** Messages per second inside the module, without waiting and without results of an earlier audit. */
  readonly messagesPerSecond: number
  /** The nonce up to which results of an earlier audit were taken from the store; null if everything was computed now. */
  readonly resumedAfter: number | null
  /** How many sandboxes were allowed at the same time. */
  readonly jobs: number
  /** How many segments began with a checkpoint's memory before the replay had reached it, and how many of them were proven. */
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
  /** Everything that keeps this from being a plain match, in words. */
  readonly reasons: readonly string[]
  /** Those of the reasons that do not decide the verdict, but that a reader should know. For a match these are all reasons. */
  readonly remarks: readonly string[]
  /** Requirements that the user relaxed, in words. The verdict is only as reliable as these. */
  readonly trusted: readonly string[]
  /** Units from which something could not be fetched. */
  readonly unreachable: readonly UnreachableUnit[]
  /** The process that the user named, even if nothing was found out about it. */
  readonly processId: string
  readonly process: {
    readonly id: string
    readonly owner: string
    readonly scheduler: string
    readonly module: { readonly id: string; readonly sha256: string; readonly format: string }
  } | null
  readonly range: { readonly from: number; readonly to: number } | null
  /** The checkpoint whose memory the replay began with, on trust; null if it began with the module's own memory. */
  readonly start: { readonly checkpoint: string; readonly nonce: number; readonly signer: string } | null
  readonly coverage: Coverage
  /** Everything that the verdict does not cover, in words. */
  readonly notChecked: readonly string[]
  readonly claimants: readonly ClaimantReport[]
  /** All evaluations that are not a plain match, in order. */
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
