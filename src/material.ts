/** What an audit works with, once its inputs are read. */
import type { Checkpoints } from './checkpoints.ts'
import type { DriveSource } from './replay/drive/source.ts'
import type { AuditRunOptions } from './run-options.ts'
import type { UsableCheckpoint } from './starts.ts'
import type { Subject, SubjectPlan } from './subject.ts'
import type { Checks } from './verification/checks.ts'

export interface Material {
  readonly options: AuditRunOptions
  readonly subject: Subject
  readonly plan: SubjectPlan['plan']
  readonly checks: Checks
  readonly checkpoints: Checkpoints
  /** The memory that the replay begins with, taken on trust. */
  readonly start?: UsableCheckpoint
  readonly drive: DriveSource
}
