/** The typed records that fetch creates, verify judges, the store keeps, and replay, compare and report read. */
import type { Address, AssignmentId, MessageId, ModuleId, ProcessId, Sha256Hex, TransactionId } from './ids.ts'

export interface Tag {
  readonly name: string
  readonly value: string
}

export interface Owner {
  /** base64url(SHA-256(key)) for every key type, as schedulers and gateways show it. */
  readonly address: string
  /** base64url of the raw public key; empty if a gateway does not know it. */
  readonly key: string
}

/** A data item as the scheduler's JSON shows it (protocol §1.4). */
export interface WireItem {
  readonly id: TransactionId
  readonly owner: Owner
  readonly tags: readonly Tag[]
  readonly signature: string
  /** Text, base64url or null, by the scheduler's rules; see §1.4. */
  readonly anchor: string | null
  readonly target: string | null
  /** Text as the CU sees it: invalid UTF-8 is already replaced by U+FFFD. Assignments have none. */
  readonly data?: string | null
}

/** One edge of the schedule. */
export interface ScheduledMessage {
  readonly nonce: number
  readonly epoch: number
  /** The scheduler's clock, ms. */
  readonly timestamp: number
  readonly blockHeight: number
  readonly hashChain: string
  readonly assignment: WireItem & { readonly id: AssignmentId }
  /** null if an on-chain item was assigned; `messageId` names it (§1.8). */
  readonly message: WireItem | null
  /** The `Message` tag; the process id for a process's own assignment. */
  readonly messageId: MessageId
  /** Read from Arweave, which does not show here whether the item was sent or assigned from the chain (§1.8). */
  readonly unclear?: true
  /** Taken from Arweave because the scheduler does not serve it. */
  readonly unserved?: true
}

/** A process as the scheduler shows it; its times are the scheduler's word alone. An audit relies on a {@link ProcessItem}. */
export interface ProcessRecord extends Times {
  readonly id: ProcessId
  readonly owner: Owner
  readonly tags: readonly Tag[]
  readonly signature: string
  readonly anchor: string | null
  readonly target: string | null
  /** Text, or null if the scheduler could not show it as text. */
  readonly data: string | null
}

/** The times at which a scheduler accepted something. */
export interface Times {
  /** ms */
  readonly timestamp: number
  readonly blockHeight: number
}

/** A process, as its item states it. */
export interface ProcessItem {
  readonly id: ProcessId
  readonly owner: Owner
  readonly tags: readonly Tag[]
  readonly signature: string
  readonly anchor: string | null
  /** The `Module` tag. */
  readonly moduleId: ModuleId
  /** The `Scheduler` tag. */
  readonly scheduler: Address
}

/** An item on the chain, read from its bytes or its transaction header, in the form in which gateways describe items. */
export type ChainItem = Pick<TransactionRecord, 'id' | 'owner' | 'tags' | 'recipient' | 'anchor' | 'signature'>

/** A module, as its item states it. */
export interface ModuleItem extends Pick<ChainItem, 'id' | 'owner' | 'tags'> {
  readonly data: BlobRef
}

/** A transaction or data item as a gateway describes it; its data, if fetched, is a blob. */
export interface TransactionRecord {
  readonly id: TransactionId
  readonly owner: Owner
  readonly tags: readonly Tag[]
  readonly recipient: string
  /** Verbatim; its encoding differs by gateway (§2.4). */
  readonly anchor: string
  readonly signature: string
  readonly blockHeight: number | null
  /** The bundle that contains it, if the gateway says so. */
  readonly bundledIn?: TransactionId
  readonly data?: BlobRef
  /** The gateway that answered. */
  readonly gateway: string
  /** `/tx/<id>`, for a transaction directly on Arweave: its signature covers more than GraphQL shows. */
  readonly onChain?: TransactionHeader
}

/** A transaction of format 2 as a node's `/tx/<id>` returns it: byte fields and tags in base64url, amounts as decimal text. */
export interface TransactionHeader {
  readonly format: number
  readonly id: string
  readonly last_tx: string
  readonly owner: string
  readonly tags: readonly Tag[]
  readonly target: string
  readonly quantity: string
  readonly data_size: string
  readonly data_root: string
  readonly reward: string
  readonly signature: string
}

export interface BlobRef {
  readonly sha256: Sha256Hex
  readonly bytes: number
}

/** A block as the gateway describes it; `timestamp` in ms. */
export interface BlockRecord {
  readonly height: number
  readonly timestamp: number
  /** The gateway that answered, if known. */
  readonly gateway?: string
}

/**
 * Identifies an evaluation. A scheduled message's ordinate is its nonce; a cron message lies between two nonces: its ordinate is
 * the nonce before it, and `cron` is its name. Nothing is keyed by nonce alone.
 */
export interface EvaluationKey {
  readonly ordinate: number
  /** `<index>-<interval>` as the CU's cursors name it (§2.5). */
  readonly cron?: string
  /** ms */
  readonly timestamp: number
}

export type ResultField = 'Messages' | 'Spawns' | 'Assignments' | 'Output' | 'Error' | 'GasUsed'

/** A result as a CU returns it (§2.2), not yet in canonical form. */
export interface EvaluationResult {
  readonly Messages?: unknown
  readonly Spawns?: unknown
  readonly Assignments?: unknown
  readonly Output?: unknown
  readonly Error?: unknown
  readonly GasUsed?: unknown
}

/**
 * A fault in a claim's text: two readers could read it differently, or no honest unit writes it. `not-an-object`: the answer is no
 * JSON object; `key-twice`: an object repeats a key; `invalid-utf8`: a string holds invalid UTF-8; `unknown-field`: a field that a
 * result, an edge or a page does not have; `unwritten-value`: a field is null, or Output a number; `number-not-exact`: a number is not written as JSON writes the double it parses to;
 * `number-lossy`: that double also has another value; `byte-order-mark`: the text begins with one.
 */
export type ClaimFaultKind =
  | 'not-an-object'
  | 'key-twice'
  | 'invalid-utf8'
  | 'unknown-field'
  | 'unwritten-value'
  | 'number-not-exact'
  | 'number-lossy'
  | 'byte-order-mark'

export interface ClaimFault {
  readonly kind: ClaimFaultKind
  /** From the result's root: `Messages[0].Tags[3].value`; empty for the whole answer. */
  readonly path: string
  /** Short; may hold text from outside. */
  readonly detail: string
}

/** Whether readers disagree on the value: one may read the true value while another reads a lie. */
export function isAmbiguous({ kind }: ClaimFault): boolean {
  return kind === 'key-twice' || kind === 'invalid-utf8' || kind === 'number-lossy'
}

export type ClaimKind = 'result' | 'listed' | 'checkpoint'

/** A claimant's statement about one evaluation. */
export interface Claim {
  /** The CU's base URL; for a checkpoint its signer's address. */
  readonly claimant: string
  readonly kind: ClaimKind
  readonly key: EvaluationKey
  /** The message that was asked for, if the claim is keyed by a message id (`/result`). */
  readonly messageId?: MessageId
  /** Fields that the claim makes a statement about, by giving their value or by leaving them out. */
  readonly covers: readonly ResultField[]
  /** With the fault `not-an-object` it is no result but any JSON value. */
  readonly value: EvaluationResult
  /** Faults of its text, at most 16; absent if there are none. */
  readonly faults?: readonly ClaimFault[]
  /** The answer's body as received (`result`), or the edge as JSON (`listed`). */
  readonly raw: string
  /** ISO 8601. */
  readonly receivedAt: string
  /** Only if a signature covers the value. */
  readonly signedBy?: Address
}

/**
 * Why a listing was not read to its end, or what is wrong with all of it. `not-ascending`: its cursors go back, stand still or name
 * an evaluation twice; `too-many`, `too-large`: it lists more than the schedule can have; `beyond-schedule`: it lists a nonce that
 * the schedule does not have; `ambiguous`: two readers could read its pages differently; `unread`: a page could not be read.
 */
export interface ListingFault {
  readonly kind: 'not-ascending' | 'too-many' | 'too-large' | 'beyond-schedule' | 'ambiguous' | 'unread'
  readonly detail: string
}

/** Why a CU made no claim about a message. */
export type ClaimUnavailable = {
  readonly claimant: string
  readonly key: EvaluationKey
  readonly messageId: MessageId
  readonly detail: string
  readonly receivedAt: string
} & (
  | {
      /** The CU answered that it has none (404, 425); `detail` holds its own words, cut to 500 characters. */
      readonly status: number
      readonly unread?: undefined
    }
  | {
      /** The CU answered, but its answer could not be read; others may be able to, so this is not silence. `detail` says why. */
      readonly unread: true
      readonly status?: undefined
    }
)

/** The replay of one planned evaluation, in the order of the plan. */
export interface Evaluation {
  readonly key: EvaluationKey
  /** Absent for a cron message and for the process message that the boot loader injects. */
  readonly nonce?: number
  /** The last of a range of missing nonces; `nonce` is the first. */
  readonly through?: number
  readonly messageId?: MessageId
  /** A cron that the unit evaluated again: it keeps the first result, so no claim is about this one. */
  readonly repeated?: true
  readonly outcome: Outcome
  /** Host functions that the module called and whose answers depend on the profile, by import name. */
  readonly hostInputs?: readonly string[]
  /** Inputs that it read and the profile does not state: from the first one on, an honest unit may have another result. */
  readonly unstated?: readonly UnstatedInput[]
  /** It read a clock that had moved, so its reading depends on when the CU started its instance. */
  readonly dependsOnInstance?: true
  /** It read the C environment, in this evaluation or an earlier one, so the environment can change results. */
  readonly readsEnvironment?: true
  /** Its memory grew; a host without free memory would have refused. */
  readonly memoryGrew?: true
  /** Why a unit may have read another WeaveDrive file than the auditor did; from here on nobody may be blamed. */
  readonly assumed?: string
  /** Lowercase hex SHA-256 of the memory after it, if requested. */
  readonly stateHash?: string
  /** Why the memory after it was not hashed although that was requested. */
  readonly stateFailure?: string
}

/** An input from the host that a module read and no profile states. */
export interface UnstatedInput {
  readonly kind: 'time-zone' | 'real-time' | 'randomness' | 'files' | 'unknown-import'
  /** The import through which the module read it. */
  readonly name: string
}

/** Who caused that an evaluation is impossible. */
export type Fault = 'module' | 'process'

export type Outcome =
  /** Evaluated; `result` in the CU's form, `text` its JSON. `profile` is set only if it is not the audit's profile. */
  | { readonly kind: 'result'; readonly result: EvaluationResult; readonly text: string; readonly profile?: string }
  /** The CU's own rules skip it (§2.6). `of` is the nonce of the first occurrence. */
  | { readonly kind: 'skipped'; readonly reason: 'duplicate-assignment' | 'duplicate-push'; readonly of: number }
  /** The auditor could not evaluate it, or could not go on after it. */
  | {
      readonly kind: 'inconclusive'
      readonly reason: string
      /** The auditor's limit on time or memory ended it. */
      readonly limit?: true
      /** Nobody has an input that it needs. */
      readonly inputMissing?: true
      /** Who caused it, if no input is missing. */
      readonly fault?: Fault
    }

/** The text form of a key: unique and usable as a map's key, but its order means nothing. */
export function keyText(key: EvaluationKey): string {
  return `${key.ordinate}/${key.cron ?? ''}/${key.timestamp}`
}

/** The layout of a module's memory, as far as the module shows it. Addresses in bytes. */
export interface MemoryLayout {
  /** The stack grows down: `from` is its end, `to` its beginning. */
  readonly stack?: { readonly from: number; readonly to: number }
  readonly heapFrom?: number
}

/** Names the memory after an evaluation; the nonce alone identifies a scheduled message. */
export function memoryAfter({ ordinate, cron, timestamp }: EvaluationKey): string {
  return cron === undefined ? `${ordinate}` : `${ordinate}/${cron}/${timestamp}`
}

/** Whether a place, for example a checkpoint's, directly follows an evaluation. For a scheduled message only the nonce counts. */
export function isPlaceOf(
  place: EvaluationKey,
  { key, nonce, through = nonce }: { readonly key: EvaluationKey; readonly nonce?: number; readonly through?: number }
): boolean {
  if (place.cron !== undefined) return keyText(key) === keyText(place)
  return nonce !== undefined && through !== undefined && nonce <= place.ordinate && place.ordinate <= through
}

/** How many evaluations an entry stands for: a range of missing nonces is one entry. */
export function spanOf({ nonce = 0, through = nonce }: Pick<Evaluation, 'nonce' | 'through'>): number {
  return through - nonce + 1
}

/** The first value of a tag, undefined if there is none. */
export function tagValue(tags: readonly Tag[], name: string): string | undefined {
  return tags.find((tag) => tag.name === name)?.value
}

/** The kind of an attestation: that a message was assigned, or that an item is available to read. */
export type AttestationType = 'Attestation' | 'Available'
