/** The common context of one audit, once its inputs are read. */

import type { DriveSource } from '../replay/drive/source.ts'
import type { Checkpoints } from './checkpoints/judge-checkpoints.ts'
import type { UsableCheckpoint } from './checkpoints/trusted-start.ts'
import type { AuditRunOptions } from './run-options.ts'
import type { Checks } from './schedule-evidence.ts'
import type { Subject, SubjectPlan } from './subject.ts'

export interface AuditContext {
  readonly options: AuditRunOptions
  readonly subject: Subject
  readonly plan: SubjectPlan['plan']
  readonly mayFire: SubjectPlan['mayFire']
  readonly checks: Checks
  readonly checkpoints: Checkpoints
  /** The memory, taken on trust, that the replay begins with. */
  readonly start?: UsableCheckpoint
  readonly drive: DriveSource
}
