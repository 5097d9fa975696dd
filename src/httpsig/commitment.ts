/** What comes of a commitment: who vouches for which values of a message, or why nobody does. */
import type { DataItem } from '../ans104/data-item.ts'
import type { Covered } from './covered.ts'

/** The values of a message that a commitment covers. Names are text with a character for each byte. */
export interface CoveredValues {
  readonly fields: ReadonlyMap<string, Uint8Array>
  /** Nested messages by name, each covered through its id. */
  readonly messages: ReadonlyMap<string, LinkedMessage>
}

/** The values of a message that are signed. */
export type SignedContent = Covered<CoveredValues>

/** A nested message whose id is signed. */
export type LinkedMessage =
  /** The message was not sent, or what was sent has another id. */
  | { readonly kind: 'absent'; readonly id: string }
  /** The id is that of all its fields: they are signed with it. */
  | { readonly kind: 'whole'; readonly id: string; readonly content: SignedContent }
  /** The id is that of its signatures: of its fields those are proven that the valid ones cover. */
  | { readonly kind: 'signed'; readonly id: string; readonly commitments: readonly Commitment[] }

/** What a commitment says of itself, whether it holds or not. */
export interface CommitmentClaim {
  /** The id under which the commitment is known; of a signature its hash. */
  readonly id: string
  /** As it is named: `rsa-pss-sha512`, `hmac-sha256`, `ans104@1.0/rsa-pss-sha256`. */
  readonly algorithm: string
  /** The names that it says it covers, in its order. */
  readonly names: readonly string[]
}

/** A valid signature over fields. */
export interface FieldSignature extends CommitmentClaim {
  readonly kind: 'signature'
  /** base64url(SHA-256(key)). */
  readonly signer: string
  readonly content: SignedContent
  /** The hashpath that is signed with the fields: what was asked. */
  readonly tag?: string
  /** The bytes that are signed. */
  readonly base: Uint8Array
  readonly form: SignedForm
}

/** How the signed form was come to. */
export type SignedForm =
  /** Each value is a header of the message as it came. */
  | 'as sent'
  /** Nested messages came with it; their ids were computed. */
  | 'ids computed'
  /** As `ids computed`, and the type of `status`, which the node added after signing, was left out of `ao-types`. */
  | 'ids computed, type of status left out'

/** A valid signature over an ANS-104 item, which the message shows as fields. */
export interface ItemSignature extends CommitmentClaim {
  readonly kind: 'item'
  readonly signer: string
  /** The item as it is signed. */
  readonly item: Covered<DataItem>
  /** The fields of the message that are the item's. */
  readonly content: SignedContent
  /** Names it says it covers, whose value in the message is none of the item's: altered, or of a form that is not known. */
  readonly differing: readonly string[]
}

/** An HMAC with a public key that fits. Anybody can make one: it shows that a message is whole, and proves no sender. */
export interface Checksum extends CommitmentClaim {
  readonly kind: 'checksum'
  /** The bytes that are hashed. */
  readonly base: Uint8Array
  readonly form: SignedForm
}

/** A commitment that does not hold for the message as it came. */
export interface RefusedCommitment extends CommitmentClaim {
  readonly kind: 'refused'
  readonly reason: string
}

/** A commitment of a kind that is not verified here. */
export interface UnsupportedCommitment extends CommitmentClaim {
  readonly kind: 'unsupported'
  readonly reason: string
}

export type Commitment = FieldSignature | ItemSignature | Checksum | RefusedCommitment | UnsupportedCommitment
