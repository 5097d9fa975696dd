/** What is to be replayed, and how. */
import type { PlannedEvaluation } from './plan/types.ts'
import type { ExecutionProfile } from './profile.ts'
import type { ModuleSetup, SandboxLimits, StartMemory } from './sandbox/protocol.ts'

export interface ReplayJob {
  readonly setup: ModuleSetup
  readonly profile: ExecutionProfile
  /** The evaluations in order; asked for again where a part has to be run again. */
  plan(): AsyncIterable<PlannedEvaluation>
  readonly limits?: Partial<SandboxLimits>
  /** A memory to begin with, in place of the module's own. */
  readonly start?: StartMemory
  /** Whether the memory after this evaluation shall be hashed. */
  readonly hashAfter?: (planned: PlannedEvaluation) => boolean
  /**
   * Whether a result agrees with what is claimed of it; undefined where nothing is. Without it no other instance is tried
   * where an evaluation that reads the clock differs.
   */
  readonly agrees?: (planned: PlannedEvaluation, text: string) => Promise<boolean | undefined>
  /** Told about every evaluation that ran, with the time inside the module, µs. */
  readonly onRun?: (handleUs: number) => void
  readonly signal?: AbortSignal
}
