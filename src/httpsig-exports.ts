/** `ao-audit/httpsig`: signed HTTP messages of HyperBEAM, and what their signatures cover. Pure functions over headers and bytes. */
export type { Parsed } from './ans104/bytes.ts'
export type { DataItem, ItemHeader } from './ans104/data-item.ts'
export type {
  Checksum,
  Commitment,
  CommitmentClaim,
  CoveredValues,
  FieldSignature,
  ItemSignature,
  LinkedMessage,
  RefusedCommitment,
  SignedContent,
  SignedForm,
  UnsupportedCommitment
} from './httpsig/commitment.ts'
export type { Covered } from './httpsig/covered.ts'
export { type CoveredName, coveredName } from './httpsig/field-names.ts'
export type { RawHeaders } from './httpsig/header-view.ts'
export { HTTPSIG_LIMITS, type HttpsigLimits } from './httpsig/httpsig-limits.ts'
export { createMessageIds, type MessageIds, sumOfIds, valueId } from './httpsig/message-id.ts'
export type { MessageNode } from './httpsig/message-node.ts'
export { type BaseLine, signatureBase } from './httpsig/signature-base.ts'
export type { SignatureParameter } from './httpsig/structured-fields.ts'
export { type JudgedMessage, type NestedMessage, verifyHttpMessage } from './httpsig/verify-http-message.ts'
export type { Tag } from './model/records.ts'
