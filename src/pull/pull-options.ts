/** What a pull takes. */
import type { ComputeSource, GatewaySource, SchedulerSource } from '../fetch/unit-sources.ts'
import type { Inputs } from '../inputs/inputs.ts'
import type { ProcessId, TransactionId } from '../model/ids.ts'

export interface Units {
  /** Whose schedule is read. */
  readonly scheduler: SchedulerSource
  /** A second one, which the scheduler's is held against. */
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
  /** Addresses whose checkpoints speak for the audited units, besides those that the units name. */
  readonly checkpointOwners?: readonly string[]
  /** A checkpoint that is wanted whoever signed it. */
  readonly startAt?: TransactionId
  /** `new`: what a finished run was told is asked for anew; `add`: only what is missing. */
  readonly claims: 'new' | 'add'
  /** ISO 8601. */
  readonly now: () => string
  readonly onProgress?: (progress: PullProgress) => void
  readonly signal?: AbortSignal
}

export interface PullProgress {
  /** Messages of the schedule that are in the store, and how many there will be. */
  readonly scheduled: number
  /** Answers of all Compute Units that are in the store. */
  readonly answers: number
  readonly total: number
}
