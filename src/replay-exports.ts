/** `ao-audit/replay`: plans of evaluations, and their replay in a sandbox. */
export { type OpenArchive, type OpenArchiveOptions, openArchive, type PlanChoices } from './audit/open-archive.ts'
export type { KnownMemory } from './memory/fingerprint.ts'
export type { StartMemory } from './memory/start-memory.ts'
export type { Attribution, Finding, FindingCode, Severity } from './model/findings.ts'
export type { Address, AssignmentId, MessageId, ModuleId, ProcessId, Sha256Hex, TransactionId } from './model/ids.ts'
export type {
  BlobRef,
  BlockRecord,
  ChainItem,
  Claim,
  ClaimFault,
  ClaimFaultKind,
  ClaimKind,
  Evaluation,
  EvaluationKey,
  EvaluationResult,
  Fault,
  MemoryLayout,
  ModuleItem,
  Outcome,
  Owner,
  ProcessItem,
  ResultField,
  ScheduledMessage,
  Tag,
  Times,
  TransactionHeader,
  TransactionRecord,
  UnstatedInput,
  WireItem
} from './model/records.ts'
export type { DriveAnswer, DriveKind, DriveQuestion, DriveSource } from './replay/drive/source.ts'
export type { ReplayJob, ReplayStart } from './replay/job.ts'
export { planEvaluations } from './replay/plan/plan.ts'
export type { BlockKnowledge, OnChainItem, PlanInputs, PlannedEvaluation, Work } from './replay/plan/planned.ts'
export {
  type ExecutionProfile,
  type KnownBlockSets,
  LEGACYNET,
  LOADER_0_0_49,
  type NamedProfile,
  namedProfile,
  type ProfileName
} from './replay/profile.ts'
export { parseProfile } from './replay/profile-file.ts'
export { replay } from './replay/replay.ts'
export type { InstanceState, ModuleSetup, SandboxLimits } from './replay/sandbox/protocol.ts'
export type { SpareChild } from './replay/sandbox/spare-child.ts'
export { TIME_ZONES } from './replay/time-zones.ts'
export type { CheckedMessage } from './verify/checked-schedule.ts'
export type { Checked, Signed, Unproven } from './verify/signed.ts'
export type { TrustRole, UnprovenInput } from './verify/trust.ts'
