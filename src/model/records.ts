/** The typed records that fetch makes, verify judges, the store keeps, and replay, compare and report read. */
import type { Address, AssignmentId, MessageId, ModuleId, ProcessId, Sha256Hex, TransactionId } from './ids.ts'

export interface Tag {
  readonly name: string
  readonly value: string
}

export interface Owner {
  /** base64url(SHA-256(key)) for every key type, as schedulers and gateways give it. */
  readonly address: string
  /** base64url of the raw public key; empty where a gateway does not know it. */
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
  /** Text as the CU sees it: invalid UTF-8 is already U+FFFD. Assignments have none. */
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
  /** null: an on-chain item was assigned; `messageId` names it (§1.8). */
  readonly message: WireItem | null
  /** The `Message` tag; for a process's own assignment the process id. */
  readonly messageId: MessageId
  /** Read from Arweave, which does not tell here whether the item was sent or assigned from the chain (§1.8). */
  readonly unclear?: true
  /** Taken from Arweave in place of the scheduler's, which does not serve it. */
  readonly unserved?: true
}

/** A process as it is shown; its times are the scheduler's word alone. What an audit goes by is a {@link ProcessItem}. */
export interface ProcessRecord extends Times {
  readonly id: ProcessId
  readonly owner: Owner
  readonly tags: readonly Tag[]
  readonly signature: string
  readonly anchor: string | null
  readonly target: string | null
  /** Text, or null where the scheduler could not show it as text. */
  readonly data: string | null
}

/** When a scheduler took something. */
export interface Times {
  /** ms */
  readonly timestamp: number
  readonly blockHeight: number
}

/** A process, read off its item. */
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

/** An item on the chain, read off its bytes or its transaction header, in the form in which gateways describe items. */
export type ChainItem = Pick<TransactionRecord, 'id' | 'owner' | 'tags' | 'recipient' | 'anchor' | 'signature'>

/** A module, read off its item. */
export interface ModuleItem extends Pick<ChainItem, 'id' | 'owner' | 'tags'> {
  readonly data: BlobRef
}

/** A transaction or data item as a gateway describes it; its data, where fetched, is a blob. */
export interface TransactionRecord {
  readonly id: TransactionId
  readonly owner: Owner
  readonly tags: readonly Tag[]
  readonly recipient: string
  /** Verbatim; its encoding differs by gateway (§2.4). */
  readonly anchor: string
  readonly signature: string
  readonly blockHeight: number | null
  /** The bundle that it lies in, where the gateway says. */
  readonly bundledIn?: TransactionId
  readonly data?: BlobRef
  /** The gateway that answered. */
  readonly gateway: string
  /** `/tx/<id>`, for what lies directly on Arweave: its signature covers more than GraphQL shows. */
  readonly onChain?: TransactionHeader
}

/** A transaction of format 2 as a node's `/tx/<id>` gives it: byte fields and tags in base64url, amounts decimal text. */
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
  /** The gateway that answered, where it is known. */
  readonly gateway?: string
}

/**
 * What was evaluated. A scheduled message's ordinate is its nonce; a cron message lies between two nonces: its ordinate is
 * the nonce before it and `cron` its name. Nothing is keyed by nonce alone.
 */
export interface EvaluationKey {
  readonly ordinate: number
  /** `<index>-<interval>` as the CU's cursors name it (§2.5). */
  readonly cron?: string
  /** ms */
  readonly timestamp: number
}

export type ResultField = 'Messages' | 'Spawns' | 'Assignments' | 'Output' | 'Error' | 'GasUsed'

/** A result as a CU gives it (§2.2), before any canonical form. */
export interface EvaluationResult {
  readonly Messages?: unknown
  readonly Spawns?: unknown
  readonly Assignments?: unknown
  readonly Output?: unknown
  readonly Error?: unknown
  readonly GasUsed?: unknown
}

/**
 * What a claim's text says that two readers could take differently, or that no honest unit writes. `not-an-object`: the whole is
 * something else; `key-twice`: an object has a key again; `invalid-utf8`: bytes of a text are none; `unknown-field`: a field besides
 * those of a result, an edge or a page; `number-not-exact`: a number's text is another than that of the double it reads as;
 * `number-lossy`: so is its value; `byte-order-mark`: one stands before the whole.
 */
export type ClaimFaultKind =
  | 'not-an-object'
  | 'key-twice'
  | 'invalid-utf8'
  | 'unknown-field'
  | 'number-not-exact'
  | 'number-lossy'
  | 'byte-order-mark'

export interface ClaimFault {
  readonly kind: ClaimFaultKind
  /** From the result's root: `Messages[0].Tags[3].value`; empty for the whole. */
  readonly path: string
  /** Short; may hold text from outside. */
  readonly detail: string
}

/** Whether readers would take it differently: one that reads the true value may sit beside one that reads a lie. */
export function isAmbiguous({ kind }: ClaimFault): boolean {
  return kind === 'key-twice' || kind === 'invalid-utf8' || kind === 'number-lossy'
}

export type ClaimKind = 'result' | 'listed' | 'checkpoint'

/** Who says what about which evaluation. */
export interface Claim {
  /** The CU's base URL; for a checkpoint its signer's address. */
  readonly claimant: string
  readonly kind: ClaimKind
  readonly key: EvaluationKey
  /** The message asked for, where the claim is keyed by a message id (`/result`). */
  readonly messageId?: MessageId
  /** Fields that it speaks of, by saying what they are or by leaving them out. */
  readonly covers: readonly ResultField[]
  /** With the fault `not-an-object` it is no result but whatever JSON was answered. */
  readonly value: EvaluationResult
  /** What its text says besides `value`; absent where there is nothing, at most 16. */
  readonly faults?: readonly ClaimFault[]
  /** The answer's body as received (`result`), or the edge as JSON (`listed`). */
  readonly raw: string
  /** ISO 8601. */
  readonly receivedAt: string
  /** Only where a signature covers the value. */
  readonly signedBy?: Address
}

/**
 * Why the reading of a listing ended before its end, or what is wrong with it as a whole. `not-ascending`: its cursors go back or
 * stand still, or name one evaluation twice; `too-many`, `too-large`: it lists more than the schedule can have; `beyond-schedule`: it lists a nonce that the schedule does
 * not have; `ambiguous`: two readers could take its pages differently; `unread`: a page could not be read.
 */
export interface ListingFault {
  readonly kind: 'not-ascending' | 'too-many' | 'too-large' | 'beyond-schedule' | 'ambiguous' | 'unread'
  readonly detail: string
}

/** Why there is no claim of a CU about a message. */
export type ClaimUnavailable = {
  readonly claimant: string
  readonly key: EvaluationKey
  readonly messageId: MessageId
  readonly detail: string
  readonly receivedAt: string
} & (
  | {
      /** It has none and says so (404, 425): `detail` are its own words, cut to 500 characters. */
      readonly status: number
      readonly unread?: undefined
    }
  | {
      /** It answered, but what it said could not be read: others may, so this is not silence. `detail` says why. */
      readonly unread: true
      readonly status?: undefined
    }
)

/** What replay says of one planned evaluation, in the order of the plan. */
export interface Evaluation {
  readonly key: EvaluationKey
  /** Absent for a cron message and for the process message that the boot loader injects. */
  readonly nonce?: number
  /** Of nonces that are missing together the last one; `nonce` is the first. */
  readonly through?: number
  readonly messageId?: MessageId
  readonly outcome: Outcome
  /** Host functions that the module called and whose answer the profile decides, by import name. */
  readonly hostInputs?: readonly string[]
  /** What it read that the profile does not state: from the first of them on a unit may honestly have another result. */
  readonly unstated?: readonly UnstatedInput[]
  /** It read the clock where that had moved: what it read hangs on when the CU began its instance. */
  readonly dependsOnInstance?: true
  /** It read the C environment, then or before: what it is can change results. */
  readonly readsEnvironment?: true
  /** It was given more memory, which a host that has none refuses. */
  readonly memoryGrew?: true
  /** Why a unit may have read another WeaveDrive file than the auditor: from here on nobody may be blamed. */
  readonly assumed?: string
  /** Lowercase hex SHA-256 of the memory after it, where asked for. */
  readonly stateHash?: string
  /** Why the memory after it was not hashed although that was asked for. */
  readonly stateFailure?: string
}

/** Something of the host that a module read and no profile states. */
export interface UnstatedInput {
  readonly kind: 'time-zone' | 'real-time' | 'randomness' | 'files' | 'unknown-import'
  /** The import that it came through. */
  readonly name: string
}

/** Whose doing it is that an evaluation cannot be made. */
export type Fault = 'module' | 'process'

export type Outcome =
  /** Evaluated; `result` as the CU would put it, `text` its JSON. `profile` names another profile than the audit's, if one. */
  | { readonly kind: 'result'; readonly result: EvaluationResult; readonly text: string; readonly profile?: string }
  /** Not evaluated by the CU's own rules (§2.6). `of` is the nonce of the first. */
  | { readonly kind: 'skipped'; readonly reason: 'duplicate-assignment' | 'duplicate-push'; readonly of: number }
  /** The auditor could not evaluate it, or nothing after it. */
  | {
      readonly kind: 'inconclusive'
      readonly reason: string
      /** A limit of the auditor ended it, on time or memory. */
      readonly limit?: true
      /** Nobody has an input that it asks for. */
      readonly inputMissing?: true
      /** Whose doing it is, where it is nobody's input that is missing. */
      readonly fault?: Fault
    }

/** The text form of a key: unique, sortable by nothing, fit for a map. */
export function keyText(key: EvaluationKey): string {
  return `${key.ordinate}/${key.cron ?? ''}/${key.timestamp}`
}

/** Where things lie in a module's memory, as far as the module tells. Addresses in bytes. */
export interface MemoryLayout {
  /** From its end, the lower address, to its begin. */
  readonly stack?: { readonly from: number; readonly to: number }
  readonly heapFrom?: number
}

/** Names the memory after an evaluation; a scheduled message is known by its nonce alone. */
export function memoryAfter({ ordinate, cron, timestamp }: EvaluationKey): string {
  return cron === undefined ? `${ordinate}` : `${ordinate}/${cron}/${timestamp}`
}

/** Whether a place, a checkpoint's say, is right behind an evaluation. Of a scheduled message the nonce alone counts. */
export function isPlaceOf(
  place: EvaluationKey,
  { key, nonce, through = nonce }: { readonly key: EvaluationKey; readonly nonce?: number; readonly through?: number }
): boolean {
  if (place.cron !== undefined) return keyText(key) === keyText(place)
  return nonce !== undefined && through !== undefined && nonce <= place.ordinate && place.ordinate <= through
}

/** How many evaluations one stands for: nonces that are missing together are told as one. */
export function spanOf({ nonce = 0, through = nonce }: Pick<Evaluation, 'nonce' | 'through'>): number {
  return through - nonce + 1
}

/** The first value of a tag, undefined where there is none. */
export function tagValue(tags: readonly Tag[], name: string): string | undefined {
  return tags.find((tag) => tag.name === name)?.value
}

/** What is attested with which tag: an assignment of the message, or that the item is there to be read. */
export type AttestationType = 'Attestation' | 'Available'
