/** What is to be replayed, and how. */

import type { KnownMemory } from '../memory/fingerprint.ts'
import type { StartMemory } from '../memory/start-memory.ts'
import type { EvaluationKey, MemoryLayout } from '../model/records.ts'
import type { DriveSource } from './drive/source.ts'
import type { PlannedEvaluation } from './plan/planned.ts'
import type { ExecutionProfile } from './profile.ts'
import type { InstanceState, ModuleSetup, SandboxLimits } from './sandbox/protocol.ts'
import type { SpareChild } from './sandbox/spare-child.ts'

/** A memory that is had already. */
export interface ReplayStart {
  /** The evaluation that it lies behind. */
  readonly after: EvaluationKey
  readonly memory: StartMemory
}

export interface ReplayJob {
  readonly setup: ModuleSetup
  readonly profile: ExecutionProfile
  /** The evaluations in order; asked for again where a part has to be run again. */
  plan(): AsyncIterable<PlannedEvaluation>
  readonly limits?: Partial<SandboxLimits>
  /** A sandbox's child that runs already: taken by the first sandbox that opens. */
  readonly spare?: SpareChild
  /** Where to begin: what is planned up to there is left out. */
  readonly start?: ReplayStart
  /** The last evaluation: nothing behind it is planned. */
  readonly end?: EvaluationKey
  /** Serves the WeaveDrive files that the module opens. */
  readonly drive?: DriveSource
  /** Whether the memory after this evaluation shall be hashed. */
  readonly hashAfter?: (planned: PlannedEvaluation) => boolean
  /** Memories that it may well be, where it is hashed: changes no hash, and makes it cheaper. */
  readonly likely?: (planned: PlannedEvaluation) => readonly KnownMemory[]
  /** The file to write the memory to, gzip'd, after this evaluation; it is hashed then too. */
  readonly exportAfter?: (planned: PlannedEvaluation) => string | undefined
  /** Told what the instance holds wherever it was hashed, and the file that it was written to, before the evaluation is handed on. */
  readonly onState?: (planned: PlannedEvaluation, state: InstanceState, exportedTo?: string) => void
  /** Whether the CU began an instance right before this evaluation; undefined where that is for the profile to say. */
  readonly begins?: (planned: PlannedEvaluation) => boolean | undefined
  /**
   * Whether a result agrees with what is claimed of it; undefined where nothing is. Without it no other instance is tried
   * where an evaluation that reads the clock differs.
   */
  readonly agrees?: (planned: PlannedEvaluation, text: string) => Promise<boolean | undefined>
  /** Whether somebody says that it failed; a hint that makes taking it back cheaper, and changes no result. */
  readonly claimedError?: (planned: PlannedEvaluation) => Promise<boolean>
  /** Told whenever the sandbox has enough to do: time for what can wait. */
  readonly onBusy?: () => void
  /** Told where stack and heap lie, before anything runs. */
  readonly onLayout?: (layout: MemoryLayout) => void
  /** Told about every evaluation that ran, with the time inside the module, µs. */
  readonly onRun?: (handleUs: number) => void
  readonly signal?: AbortSignal
}
