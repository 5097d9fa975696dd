/** The description of one replay: its plan, its limits and its callbacks. */

import type { KnownMemory } from '../memory/fingerprint.ts'
import type { StartMemory } from '../memory/start-memory.ts'
import type { EvaluationKey, MemoryLayout } from '../model/records.ts'
import type { DriveSource } from './drive/source.ts'
import type { PlannedEvaluation } from './plan/planned.ts'
import type { ExecutionProfile } from './profile.ts'
import type { InstanceState, ModuleSetup, SandboxLimits } from './sandbox/protocol.ts'
import type { SpareChild } from './sandbox/spare-child.ts'

/** A stored memory from which a replay starts. */
export interface ReplayStart {
  /** The evaluation that produced the memory. */
  readonly after: EvaluationKey
  readonly memory: StartMemory
}

export interface ReplayJob {
  readonly setup: ModuleSetup
  readonly profile: ExecutionProfile
  /** Yields the evaluations in order; called again if a segment has to run again. */
  plan(): AsyncIterable<PlannedEvaluation>
  readonly limits?: Partial<SandboxLimits>
  /** A sandbox child that already runs; the first sandbox that opens takes it. */
  readonly spare?: SpareChild
  /** Where to start: the replay skips the plan up to there. */
  readonly start?: ReplayStart
  /** The last evaluation to run. */
  readonly end?: EvaluationKey
  /** Serves the WeaveDrive files that the module opens. */
  readonly drive?: DriveSource
  /** Whether to hash the memory after this evaluation. */
  readonly hashAfter?: (planned: PlannedEvaluation) => boolean
  /** Memories that the hashed memory probably equals: they make hashing cheaper and change no hash. */
  readonly likely?: (planned: PlannedEvaluation) => readonly KnownMemory[]
  /** The file to write the gzipped memory to after this evaluation; the memory is then hashed, too. */
  readonly exportAfter?: (planned: PlannedEvaluation) => string | undefined
  /** Receives the state of the instance after each hash, and the file it was written to, before the evaluation is yielded. */
  readonly onState?: (planned: PlannedEvaluation, state: InstanceState, exportedTo?: string) => void
  /** Whether the CU started an instance right before this evaluation; undefined to follow the profile. */
  readonly begins?: (planned: PlannedEvaluation) => boolean | undefined
  /**
   * Whether a result agrees with the claim; undefined if nobody claims a result. Without this function the replay tries no other
   * instance if an evaluation that reads the clock differs.
   */
  readonly agrees?: (planned: PlannedEvaluation, text: string) => Promise<boolean | undefined>
  /** Whether somebody claims that the evaluation failed: a hint that makes the rollback cheaper and changes no result. */
  readonly claimedError?: (planned: PlannedEvaluation) => Promise<boolean>
  /** Called whenever the sandbox has enough work, so that the caller can do its own. */
  readonly onBusy?: () => void
  /** Receives the places of stack and heap before anything runs. */
  readonly onLayout?: (layout: MemoryLayout) => void
  /** Called for every evaluation that ran, with the time spent inside the module, µs. */
  readonly onRun?: (handleUs: number) => void
  readonly signal?: AbortSignal
}
