/** Ids are branded: a process id cannot be passed as a module id, and unchecked text cannot become an id. */

type Branded<Name extends string> = string & { readonly __brand: Name }

/** Any Arweave id: base64url of 32 bytes, 43 characters. */
export type TransactionId = Branded<'transaction'>
export type ProcessId = TransactionId & { readonly __process: true }
export type ModuleId = TransactionId & { readonly __module: true }
export type MessageId = TransactionId & { readonly __message: true }
export type AssignmentId = TransactionId & { readonly __assignment: true }
/** A wallet's address: 43 characters of base64url, or `0x…` in EIP-55 for an Ethereum key. */
export type Address = Branded<'address'>
/** Lowercase hex SHA-256. */
export type Sha256Hex = Branded<'sha256'>

const ARWEAVE_ID = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/
const ETHEREUM_ADDRESS = /^0x[0-9a-fA-F]{40}$/
const SHA256_HEX = /^[0-9a-f]{64}$/

/** Whether `text` is the base64url form of exactly 32 bytes. */
export function isArweaveId(text: string): text is TransactionId {
  return ARWEAVE_ID.test(text)
}

/** Whether `text` can be an address of AO: an Arweave or an Ethereum one. */
export function isAddress(text: string): text is Address {
  return ARWEAVE_ID.test(text) || ETHEREUM_ADDRESS.test(text)
}

/** Whether `text` is a lowercase hex SHA-256. */
export function isSha256Hex(text: string): text is Sha256Hex {
  return SHA256_HEX.test(text)
}
