/** What one audit over a store takes. */

import type { GatewaySource } from '../fetch/unit-sources.ts'
import type { Inputs } from '../inputs/inputs.ts'
import type { Run } from '../inputs/run-record.ts'
import type { AuditError } from '../model/errors.ts'
import type { ExecutionProfile } from '../replay/profile.ts'
import type { SandboxLimits } from '../replay/sandbox/protocol.ts'
import type { SpareChild } from '../replay/sandbox/spare-child.ts'
import type { Store } from '../store/store.ts'
import type { TrustRole } from '../verify/trust.ts'
import type { EvaluationListener } from './judge-pass.ts'
import type { StateHashes } from './state-hashes.ts'

export interface Fetched {
  /** Units that stayed away while the inputs were read. */
  readonly absences: readonly AuditError[]
  /** Gateways that were not heard, though the audit could go on with others. */
  readonly unheard: readonly AuditError[]
  /** How long the inputs took to read, ms. */
  readonly fetchMs: number
}

export interface AuditRunOptions {
  readonly store: Store
  readonly inputs: Inputs
  readonly run: Run
  /** Nonces that were asked for and are not there, in words: they keep the audit from a match. */
  readonly absentNonces?: readonly string[]
  /** The first nonce about which the units were asked; the range may begin later. */
  readonly claimsFrom: number
  /** Asked for WeaveDrive files that the store does not hold; which they are shows as the module opens them. */
  readonly gateway?: GatewaySource
  /** Resolves when all inputs are there: what is read before waits for what has not come yet. Rejects as the pull. */
  readonly fetched: () => Promise<Fetched>
  readonly profile: ExecutionProfile | 'auto'
  /** Whether other instances are tried where a result differs. */
  readonly search: boolean
  /** Addresses whose checkpoints speak for the audited units, besides those that the units name. */
  readonly checkpointOwners: readonly string[]
  readonly stateHashes?: StateHashes
  /** The id of a checkpoint whose memory the replay begins with, taken on trust. */
  readonly start?: string
  /** Whose word is taken for inputs that prove themselves nowhere. */
  readonly trust?: readonly TrustRole[]
  /** Of the evaluations that a unit can answer for, how many percent must be claimed for a match. */
  readonly minCoveragePercent: number
  /** How many explanations a unit may need. */
  readonly maxExplanations: number
  /** Sandboxes at the same time, as far as they fit in `freeBytes`. */
  readonly jobs: number
  readonly freeBytes: number
  /** Whether what is computed is kept, and a later audit goes on from it. */
  readonly snapshots: boolean
  /** A part that begins with a checkpoint's memory has at least so many messages: each costs the start of a sandbox. */
  readonly partMessages: number
  readonly limits?: Partial<SandboxLimits>
  /** A sandbox's child that runs already. */
  readonly spare?: SpareChild
  /** A steady clock, ms. */
  readonly clock: () => number
  readonly onEvaluation?: EvaluationListener
  /** Told whenever a replay leaves time for what can wait. */
  readonly onBusy?: () => void
  /** Told when a replay begins; what was told of an earlier one no longer holds. */
  readonly onPass?: () => void
  readonly signal?: AbortSignal
}
