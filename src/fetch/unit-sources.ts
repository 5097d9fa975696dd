/** What the units of the network are to the rest of the project: interfaces, so that tests and archives can stand in. */
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
  /** In the order served: verification wants to see it. */
  readonly messages: readonly ScheduledMessage[]
  readonly hasNextPage: boolean
}

export interface SchedulerSource {
  readonly url: string
  /** `/processes/<id>` (§1.1). */
  process(processId: ProcessId): Promise<ProcessRecord>
  /** The highest nonce now, by `/<id>/latest`. */
  latestNonce(processId: ProcessId): Promise<number>
  /** Messages with nonces above `afterNonce` (-1: from the start), at most `limit` (§1.3). */
  page(processId: ProcessId, afterNonce: number, limit: number): Promise<SchedulePage>
}

export interface TransactionQuery {
  readonly ids?: readonly TransactionId[]
  readonly owners?: readonly Address[]
  readonly tags?: readonly { readonly name: string; readonly values: readonly string[] }[]
  /** At most this many, over as many pages as it takes. */
  readonly limit: number
  readonly sort?: 'HEIGHT_ASC' | 'HEIGHT_DESC'
}

export interface Served {
  readonly bytes: Uint8Array
  /** The gateway that answered. */
  readonly gateway: string
}

/** One or several gateways behind one face: each question goes to them in turn until one answers. */
export interface GatewaySource {
  readonly urls: readonly string[]
  /** The gateways apart, in their order: what one answers is its own word. */
  each(): readonly GatewaySource[]
  /**
   * Why a gateway was not heard so far, one failure of each: it is away, or it failed at a question that no other answered either. Then
   * that nobody has something cannot be said.
   */
  unheard(): readonly AuditError[]
  transactions(query: TransactionQuery): Promise<readonly TransactionRecord[]>
  /** `/raw/<id>`: data only (§5.3). undefined where no gateway has it. */
  raw(id: TransactionId, maxBytes: number): Promise<Served | undefined>
  /** `/tx/<id>`, of what lies directly on Arweave; undefined where no gateway has it there. */
  header(id: TransactionId): Promise<TransactionHeader | undefined>
  /** `/tx/<id>` as it is served, of what lies directly on Arweave; undefined where no gateway has it. */
  headerBytes(id: TransactionId, maxBytes: number): Promise<Served | undefined>
  /** `/block/height/<height>` as it is served; undefined where no gateway has it. */
  blockBytes(height: string, maxBytes: number): Promise<Served | undefined>
  /** Blocks of these heights, both inclusive, ascending. */
  blocks(fromHeight: number, toHeight: number): Promise<readonly BlockRecord[]>
}

/** What a CU says of one message: a claim's value, or why there is none, or that it said what cannot be read. */
export type ResultAnswer =
  | { readonly kind: 'claim'; readonly body: ReceivedJson }
  | { readonly kind: 'unread'; readonly detail: string }
  | { readonly kind: 'unavailable'; readonly status: number; readonly detail: string }

/** JSON as it came, and as it reads. */
export interface ReceivedJson {
  readonly bytes: Uint8Array
  /** U+FFFD stands for what is no UTF-8. */
  readonly text: string
  readonly value: unknown
}

export interface ListedPage {
  /** In the order served. `cursor` is the text that the key was read of. */
  readonly edges: readonly { readonly key: EvaluationKey; readonly cursor: string; readonly value: unknown }[]
  /** The page as a whole, which has the edges at `edges[n].node`. */
  readonly body: ReceivedJson
  /** The cursor to go on from; undefined at the end. */
  readonly next: string | undefined
}

export interface ComputeSource {
  readonly url: string
  /** The address that its `GET /` names; undefined where it names none. */
  address(): Promise<Address | undefined>
  /** `/result/<message>` (§2.1). 202 is asked again until the unit's patience ends. */
  result(processId: ProcessId, messageId: MessageId): Promise<ResultAnswer>
  /** `/results/<process>`, one page. */
  results(processId: ProcessId, cursor: string | undefined): Promise<ListedPage>
  /** `/cron/<process>`, one page. */
  cron(processId: ProcessId, cursor: string | undefined): Promise<ListedPage>
}
