/** Interfaces of the network's units, so that tests and archives can stand in for them. */
import type { AuditError } from '../model/errors.ts'
import type { Address, MessageId, ProcessId, TransactionId } from '../model/ids.ts'
import type {
  BlockRecord,
  EvaluationKey,
  ProcessRecord,
  ScheduledMessage,
  TransactionHeader,
  TransactionRecord
} from '../model/records.ts'

export interface SchedulePage {
  /** In the order served, which verification needs. */
  readonly messages: readonly ScheduledMessage[]
  readonly hasNextPage: boolean
}

export interface SchedulerSource {
  readonly url: string
  /** `/processes/<id>` (§1.1). */
  process(processId: ProcessId): Promise<ProcessRecord>
  /** The highest nonce at present, from `/<id>/latest`. */
  latestNonce(processId: ProcessId): Promise<number>
  /** Messages with nonces above `afterNonce` (-1: from the start), at most `limit` (§1.3). */
  page(processId: ProcessId, afterNonce: number, limit: number): Promise<SchedulePage>
}

export interface TransactionQuery {
  readonly ids?: readonly TransactionId[]
  readonly owners?: readonly Address[]
  readonly tags?: readonly { readonly name: string; readonly values: readonly string[] }[]
  /** The highest number of records, over as many pages as needed. */
  readonly limit: number
  readonly sort?: 'HEIGHT_ASC' | 'HEIGHT_DESC'
}

export interface Served {
  readonly bytes: Uint8Array
  /** The gateway that answered. */
  readonly gateway: string
}

/** One or several gateways behind one interface: each question goes to them in turn until one answers. */
export interface GatewaySource {
  readonly urls: readonly string[]
  /** Who answers the GraphQL questions of each: its own URL, or the endpoint that the user named for it. */
  readonly listedBy: readonly string[]
  /** Each gateway as a source of its own, in order. */
  each(): readonly GatewaySource[]
  /**
   * Why gateways were not heard so far, one failure for each: it is away, or it failed at a question that no other gateway answered
   * either. Then nobody can say that no gateway has something.
   */
  unheard(): readonly AuditError[]
  transactions(query: TransactionQuery): Promise<readonly TransactionRecord[]>
  /** `/raw/<id>`: data only (§5.3); undefined if no gateway has it. */
  raw(id: TransactionId, maxBytes: number): Promise<Served | undefined>
  /** `/tx/<id>`, for a transaction directly on Arweave; undefined if no gateway has one. */
  header(id: TransactionId): Promise<TransactionHeader | undefined>
  /** `/tx/<id>` as it is served, for a transaction directly on Arweave; undefined if no gateway has one. */
  headerBytes(id: TransactionId, maxBytes: number): Promise<Served | undefined>
  /** `/block/height/<height>` as it is served; undefined if no gateway has it. */
  blockBytes(height: string, maxBytes: number): Promise<Served | undefined>
  /** Blocks of these heights, both inclusive, ascending. */
  blocks(fromHeight: number, toHeight: number): Promise<readonly BlockRecord[]>
}

/** A CU's answer about one message: a claim's value, the reason why there is none, or an answer that cannot be read. */
export type ResultAnswer =
  | { readonly kind: 'claim'; readonly body: ReceivedJson }
  | { readonly kind: 'unread'; readonly detail: string }
  | { readonly kind: 'unavailable'; readonly status: number; readonly detail: string }

/** JSON as it was received, and its parsed value. */
export interface ReceivedJson {
  readonly bytes: Uint8Array
  /** U+FFFD replaces bytes that are not UTF-8. */
  readonly text: string
  readonly value: unknown
}

export interface ListedPage {
  /** In the order served. `cursor` is the text from which the key was read. */
  readonly edges: readonly { readonly key: EvaluationKey; readonly cursor: string; readonly value: unknown }[]
  /** The whole page, with the nodes at `edges[n].node`. */
  readonly body: ReceivedJson
  /** The cursor of the next page; undefined at the end. */
  readonly next: string | undefined
}

export interface ComputeSource {
  readonly url: string
  /** The address that its `GET /` names; undefined if it names none. */
  address(): Promise<Address | undefined>
  /** `/result/<message>` (§2.1). After a 202 it asks again until its patience with the unit ends. */
  result(processId: ProcessId, messageId: MessageId): Promise<ResultAnswer>
  /** `/results/<process>`, one page. */
  results(processId: ProcessId, cursor: string | undefined): Promise<ListedPage>
  /** `/cron/<process>`, one page. */
  cron(processId: ProcessId, cursor: string | undefined): Promise<ListedPage>
}
