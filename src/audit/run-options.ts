/** The options of one audit over a store. */

import type { GatewaySource } from '../fetch/unit-sources.ts'
import type { Inputs } from '../inputs/inputs.ts'
import type { Run } from '../inputs/run-record.ts'
import type { AuditError } from '../model/errors.ts'
import type { ExecutionProfile } from '../replay/profile.ts'
import type { SandboxLimits } from '../replay/sandbox/protocol.ts'
import type { SpareChild } from '../replay/sandbox/spare-child.ts'
import type { Store } from '../store/store.ts'
import type { TrustRole } from '../verify/trust.ts'
import type { EvaluationListener, PassListener } from './judge-pass.ts'
import type { StateHashes } from './state-hashes.ts'

export interface Fetched {
  /** Units that did not answer while the inputs were read. */
  readonly absences: readonly AuditError[]
  /** Gateways that did not answer, although the audit could continue with others. */
  readonly unheard: readonly AuditError[]
  /** The time it took to read the inputs, ms. */
  readonly fetchMs: number
}

/** How far a replay is. */
export interface ReplayProgress {
  /** The ordinate of the last evaluation. */
  readonly nonce: number
  /** The last nonce of the range. */
  readonly to: number
  /** How many messages the module has run in this replay, without results that an earlier audit computed. */
  readonly runs: number
}

export interface AuditRunOptions {
  readonly store: Store
  readonly inputs: Inputs
  readonly run: Run
  /** Requested nonces that are missing, in words: they keep the audit from a match. */
  readonly absentNonces?: readonly string[]
  /** The first nonce about which the units were asked; the range may begin later. */
  readonly claimsFrom: number
  /** Serves WeaveDrive files that the store does not hold; only the module's run shows which it needs. */
  readonly gateway?: GatewaySource
  /** Resolves when all inputs are there; earlier reads wait for inputs that have not arrived yet. Rejects if the pull does. */
  readonly fetched: () => Promise<Fetched>
  readonly profile: ExecutionProfile | 'auto'
  /** Whether other instances are tried if a result differs. */
  readonly search: boolean
  /** Addresses whose checkpoints count as the audited units' own, besides those that the units name. */
  readonly checkpointOwners: readonly string[]
  readonly stateHashes?: StateHashes
  /** The id of a checkpoint whose memory the replay begins with, taken on trust. */
  readonly start?: string
  /** Roles that are trusted for inputs without proof. */
  readonly trustedRoles?: readonly TrustRole[]
  /** The percentage of answerable evaluations that must be claimed for a match. */
  readonly minCoveragePercent: number
  /** How many explanations a unit may need. */
  readonly maxExplanations: number
  /** How many sandboxes may run at the same time, if they fit in `freeBytes`. */
  readonly jobs: number
  readonly freeBytes: number
  /** Whether results are kept, so that a later audit continues from them. */
  readonly snapshots: boolean
  /** The least number of messages in a part that begins with a checkpoint's memory: each part costs the start of a sandbox. */
  readonly partMessages: number
  readonly limits?: Partial<SandboxLimits>
  /** A sandbox's child that is already running. */
  readonly spare?: SpareChild
  /** A steady clock, ms. */
  readonly clock: () => number
  /** Returns the time, ISO 8601 in UTC, for the report's date. */
  readonly now: () => string
  readonly onEvaluation?: EvaluationListener
  /** Called whenever a replay leaves time for less urgent work. */
  readonly onBusy?: () => void
  /** Called after each evaluation of a replay, also before the range. */
  readonly onReplayed?: (progress: ReplayProgress) => void
  readonly onPass?: PassListener
  readonly signal?: AbortSignal
}
