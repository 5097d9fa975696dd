/** `ao-audit/verify`: whether AO's messages, assignments, schedules and checkpoints are what somebody signed. */
export type { HiddenPart, SignatureStatus } from './ans104/signature-status.ts'
export { type OpenArchive, type OpenArchiveOptions, openArchive, type PlanChoices } from './audit/open-archive.ts'
export type { MemoryDifference, MemoryPlace, MemoryRange, ShownBytes } from './memory/difference.ts'
export type { Unpacked } from './memory/worker.ts'
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
  EvaluationKey,
  EvaluationResult,
  MemoryLayout,
  ModuleItem,
  Owner,
  ProcessItem,
  ResultField,
  ScheduledMessage,
  Tag,
  Times,
  TransactionHeader,
  TransactionRecord,
  WireItem
} from './model/records.ts'
export type { BlockKnowledge, OnChainItem, PlanInputs } from './replay/plan/planned.ts'
export type { ModuleSetup } from './replay/sandbox/protocol.ts'
export type { CheckedMessage } from './verify/checked-schedule.ts'
export { verifyMessage } from './verify/message-item.ts'
export { type Checked, type Signed, type Unproven, unprovenInputsOf } from './verify/signed.ts'
export { createTrust, type Trust, type TrustRole, type UnprovenInput } from './verify/trust.ts'
export { createVerifier, type Verifier } from './verify/verification-threads.ts'
export type { ScheduleStep } from './verify/verify-schedule.ts'
export {
  createScheduleVerifier,
  isSignedBy,
  type ScheduleVerifier,
  type ScheduleVerifierOptions
} from './verify/verify-schedule.ts'
