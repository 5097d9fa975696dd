/** ao-audit as a library. */
export { audit } from './audit/audit.ts'
export { type AuditedEvaluations, auditEvaluations } from './audit/audit-evaluations.ts'
export type { AuditOptions, AuditStart, SourceOptions } from './audit/audit-options.ts'
export type { FinalEvaluation } from './audit/final-evaluations.ts'
export type { EvaluationListener, PassListener, Standing } from './audit/judge-pass.ts'
export { type OpenArchive, type OpenArchiveOptions, openArchive, type PlanChoices } from './audit/open-archive.ts'
export { type ArchiveOutput, pullArchive } from './audit/pull-archive.ts'
export type { ReplayProgress } from './audit/run-options.ts'
export type { StateHashChoice } from './audit/state-hashes.ts'
export type { Difference, EvaluationStatus, Tolerance, ToleranceKind, Verdict } from './compare/comparison.ts'
export type { FetchLimits } from './fetch/limits.ts'
export type { ComputeUnit, Run } from './inputs/run-record.ts'
export type { MemoryDifference, MemoryPlace, MemoryRange, ShownBytes } from './memory/difference.ts'
export type { KnownMemory } from './memory/fingerprint.ts'
export type { StartMemory } from './memory/start-memory.ts'
export type { AuditErrorArguments, UnitErrorCode } from './model/errors.ts'
export { AuditError, type AuditErrorCode, type AuditErrorOptions, type Unit } from './model/errors.ts'
export type { Attribution, Severity } from './model/findings.ts'
export { FINDING_CODES, type Finding, type FindingCode } from './model/findings.ts'
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
export type { PullProgress } from './pull/pull-options.ts'
export type { ScheduleSource } from './pull/schedule-sources.ts'
export type { DriveAnswer, DriveKind, DriveQuestion, DriveSource } from './replay/drive/source.ts'
export type { ReplayJob, ReplayStart } from './replay/job.ts'
export { planEvaluations } from './replay/plan/plan.ts'
export type { BlockKnowledge, OnChainItem, PlanInputs, PlannedEvaluation, Work } from './replay/plan/planned.ts'
export type { KnownBlockSets, NamedProfile, ProfileName } from './replay/profile.ts'
export { type ExecutionProfile, LEGACYNET, LOADER_0_0_49, namedProfile } from './replay/profile.ts'
export { parseProfile } from './replay/profile-file.ts'
export { replay } from './replay/replay.ts'
export type { InstanceState, ModuleSetup, SandboxLimits } from './replay/sandbox/protocol.ts'
export type { SpareChild } from './replay/sandbox/spare-child.ts'
export { TIME_ZONES } from './replay/time-zones.ts'
export { verifyReportDigest } from './report/digest.ts'
export { reportJson } from './report/json.ts'
export { renderMarkdown } from './report/markdown.ts'
export type * from './report/model.ts'
export { parseReport } from './report/parse.ts'
export type { TerminalOptions } from './report/terminal.ts'
export { type NextStep, renderTerminal } from './report/terminal.ts'
export type { CheckedMessage } from './verify/checked-schedule.ts'
export type { Checked, Signed, Unproven } from './verify/signed.ts'
export type { TrustRole, UnprovenInput } from './verify/trust.ts'
