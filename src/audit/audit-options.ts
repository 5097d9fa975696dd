/** What an audit takes. */
import type { FetchLimits } from '../fetch/limits.ts'
import type { PullProgress } from '../pull/pull-options.ts'
import type { ScheduleSource } from '../pull/schedule-sources.ts'
import type { ExecutionProfile, ProfileName } from '../replay/profile.ts'
import type { SandboxLimits } from '../replay/sandbox/protocol.ts'
import type { TrustRole } from '../verify/trust.ts'
import type { EvaluationListener, PassListener } from './judge-pass.ts'
import type { ReplayProgress } from './run-options.ts'
import type { StateHashChoice } from './state-hashes.ts'

/** Whom to ask, and where to keep what they say. */
export interface SourceOptions {
  /** The scheduler's base URL; looked up where it is not given. */
  readonly scheduler?: string
  /** Whose schedule is read: the scheduler's (the default), what lies on Arweave, or both, held against each other. */
  readonly schedule?: ScheduleSource
  /** Compute Units to audit, base URLs. */
  readonly computes?: readonly string[]
  /** Gateways in the order in which they are asked, base URLs. */
  readonly gateways?: readonly string[]
  /** GraphQL endpoints that replace the `/graphql` of the gateways: the first for the first gateway, and so on. */
  readonly graphqls?: readonly string[]
  /** Nonces to judge, both inclusive; from the first to the newest where not given. */
  readonly from?: number
  readonly to?: number
  readonly fetchLimits?: Partial<FetchLimits>
  /** Whether a record or a redirect may lead to a private address. */
  readonly allowPrivate?: boolean
  /** The store's folder; the user's cache folder where not given. */
  readonly store?: string
  readonly onPull?: (progress: PullProgress) => void
  /** Told about every request, for a log. */
  readonly onRequest?: (url: string) => void
  readonly signal?: AbortSignal
}

/** Where a replay begins, in place of the first message. */
export interface AuditStart {
  /** The id of a checkpoint: its memory is taken on trust, and only what follows it is judged. */
  readonly checkpoint: string
}

export interface AuditOptions extends SourceOptions {
  /** The process's id; not with an archive. */
  readonly process?: string
  /** An archive to audit in place of the network. */
  readonly archive?: string
  /** `auto` (the default), the name of a profile, or a profile of your own. */
  readonly profile?: 'auto' | ProfileName | ExecutionProfile
  /** Addresses whose checkpoints speak for the audited units, besides those that the units name. */
  readonly checkpointOwners?: readonly string[]
  /** Whether other instances and profiles are tried where a result differs; true where not given. */
  readonly search?: boolean
  /** Where the replay begins; at the first message where not given. */
  readonly start?: AuditStart
  /** Whose word is taken for inputs that prove themselves nowhere; nobody's where not given. The report counts what needed it. */
  readonly trustedRoles?: readonly TrustRole[]
  /** Of the evaluations that a unit can answer for, how many percent must be claimed for a match; 100 where not given. */
  readonly minCoverage?: number
  /** How many explanations (other instances, duplicates that were evaluated, orders of tags, …) a unit may need; 8 where not given. */
  readonly maxExplanations?: number
  /** Sandboxes at the same time, as far as they fit in memory; as many as there are cores where not given. */
  readonly jobs?: number
  /** Whether what is computed is kept in the store, so that a later audit goes on from there; true where not given. */
  readonly snapshots?: boolean
  /** The memories whose SHA-256 the report gives; none where not given. */
  readonly stateHashes?: StateHashChoice
  readonly sandboxLimits?: Partial<SandboxLimits>
  /** Told during the audit; {@link PassListener} says what no longer holds. `auditEvaluations` gives what stands in the end. */
  readonly onEvaluation?: EvaluationListener
  /** Called after each evaluation of a replay, also before the range. */
  readonly onReplayed?: (progress: ReplayProgress) => void
  readonly onPass?: PassListener
}
