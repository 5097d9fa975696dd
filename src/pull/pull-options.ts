/** The options of a pull. */
import type { ComputeSource, GatewaySource, SchedulerSource } from '../fetch/unit-sources.ts'
import type { Inputs } from '../inputs/inputs.ts'
import type { ProcessId, TransactionId } from '../model/ids.ts'

export interface Units {
  /** The source of the schedule. */
  readonly scheduler: SchedulerSource
  /** A second source, with which the scheduler's schedule is compared. */
  readonly arweave?: SchedulerSource
  readonly gateway: GatewaySource
  readonly computes: readonly ComputeSource[]
}

export interface PullOptions {
  readonly process: ProcessId
  readonly units: Units
  readonly inputs: Inputs
  readonly from?: number
  readonly to?: number
  /** Addresses whose checkpoints count for the audited units, in addition to those that the units name. */
  readonly checkpointOwners?: readonly string[]
  /** A checkpoint to fetch, whoever signed it. */
  readonly startAt?: TransactionId
  /** `new`: asks for all claims of a finished run again; `add`: asks only for missing ones. */
  readonly claims: 'new' | 'add'
  /** ISO 8601. */
  readonly now: () => string
  readonly onProgress?: (progress: PullProgress) => void
  readonly signal?: AbortSignal
}

export interface PullProgress {
  /** Messages that the schedule of the run has. */
  readonly scheduled: number
  /** Stored answers of all Compute Units, of `total`. */
  readonly answers: number
  readonly total: number
}
