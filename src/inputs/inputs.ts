/** What an audit reads and keeps, as typed records in the store: the only place that knows under which keys they lie. */
import { ARWEAVE } from '../fetch/arweave-schedule/schedule.ts'
import type { ScheduleAnomaly } from '../fetch/schedule-pages.ts'
import type { ProcessId, TransactionId } from '../model/ids.ts'
import {
  type AttestationType,
  type BlobRef,
  type BlockRecord,
  type Claim,
  type ClaimFault,
  type ClaimUnavailable,
  type Evaluation,
  type EvaluationKey,
  type EvaluationResult,
  keyText,
  type ListingFault,
  type ProcessRecord,
  type ScheduledMessage,
  type TransactionRecord
} from '../model/records.ts'
import type { RecordKey, Store } from '../store/store.ts'
import type { EdgeVerdicts } from '../verify/checked-schedule.ts'
import { createClaimedErrors, saysError } from './claimed-errors.ts'
import { claimRecord, contentOf } from './stored-claims.ts'
import { DERIVED, openDoor } from './stored-records.ts'

/** One reading of a process and of what is claimed about it; it fixes the range, so that it can go on after a kill. */
export interface Run {
  readonly id: string
  readonly process: ProcessId
  /** Whose schedule it is: the scheduler's URL, or `arweave`. */
  readonly scheduler: string
  /** The scheduler's schedule is held against Arweave's, which fills its gaps. */
  readonly schedule?: 'both'
  /** Nonces that Arweave has and the scheduler, asked again, did not serve; both inclusive. */
  readonly unserved?: { readonly from: number; readonly to: number }
  readonly computes: readonly ComputeUnit[]
  /** Nonces that are judged, both inclusive; the schedule is read from its first nonce on. */
  readonly from: number
  readonly to: number
  readonly state: 'running' | 'finished'
  /** Gateways that were not heard, and why: of what is missing it cannot be said that nobody has it. */
  readonly unheard?: readonly { readonly url: string; readonly detail: string }[]
}

/** What nobody could be asked for; without it nobody may be blamed. */
export type Shortfall = 'blocks' | 'checkpoints'

/** Checkpoints that a gateway lists and that are left out. */
export interface UnreadCheckpoints {
  /** Those whose tags say no place or no memory, by reason. */
  readonly faults: readonly { readonly reason: string; readonly count: number }[]
  /** Those for which there is no room. */
  readonly cut: number
}

export interface ComputeUnit {
  readonly url: string
  /** What its `GET /` says. */
  readonly address?: string
}

/** How far the listing of a unit was read. */
export interface ListingProgress {
  readonly cursor?: string
  /** The run's last nonce when it was read. */
  readonly to?: number
  readonly done: boolean
  /** The last evaluation that it listed: a listing may end before the range does. */
  readonly last?: EvaluationKey
  /** What was read of it so far: evaluations, and bytes of their texts. */
  readonly listed?: number
  readonly bytes?: number
  /** Claims that were not kept: the third of one evaluation, and what is too large. */
  readonly dropped?: number
  /** What no unit writes on its pages, and changes nothing of what is read; at most 16. */
  readonly odd?: readonly ClaimFault[]
  /** What ended the reading, or the first that makes it doubtful. */
  readonly fault?: ListingFault
}

export type Listing = 'results' | 'cron'

/** What a gateway served as the WeaveDrive file `/<kind>/<id>`. The data of an item is that of its transaction. */
export type DriveFile =
  | { readonly kind: 'data'; readonly id: TransactionId }
  | { readonly kind: 'tx' | 'block'; readonly id: string; readonly content: BlobRef; readonly gateway: string }

/** What one gateway had under an id, while another had what proves itself. */
export interface GatewayAnomaly {
  readonly id: TransactionId
  readonly gateway: string
  /** The gateway of which it was taken. */
  readonly proves: string
}

/** Two gateways' words of one block; which of them is right nobody can tell, for blocks are unsigned. */
export interface BlockDifference {
  readonly kept: BlockRecord
  readonly other: BlockRecord & { readonly gateway: string }
}

/** The first block with an item that lets a process read the file of an id. */
export interface DriveAttestation {
  readonly type: AttestationType
  /** The file. */
  readonly id: TransactionId
  /** What attests it. */
  readonly item: TransactionId
  readonly blockHeight: number
  readonly gateway: string
}

/** Everything below these belongs to one run: what an archive holds. */
export function runPrefixes(run: Run): RecordKey[] {
  return [
    ...sourcesOf(run).map((source) => ['anomaly', source, run.process]),
    ['block', run.process],
    ['block-difference', run.process],
    ['checkpoint', run.process],
    ['checkpoints-unread', run.process],
    ['shortfall', run.id],
    ['claim', run.id],
    ['drive', run.process],
    ['gateway-anomaly', run.process],
    ['listing', run.id],
    processKey(run.process, run.scheduler),
    ['run', run.process, run.id],
    ...sourcesOf(run).map((source) => ['schedule', source, run.process]),
    ['unavailable', run.id]
  ]
}

/** Under which names the schedules of a run lie. */
export function sourcesOf({ scheduler, schedule }: Run): readonly string[] {
  return schedule === 'both' ? [scheduler, ARWEAVE] : [scheduler]
}

/** What the scheduler says of a process is kept apart from what Arweave does. */
function processKey(id: ProcessId, scheduler: string | undefined): RecordKey {
  return [scheduler === ARWEAVE ? 'process-on-arweave' : 'process', id]
}

export function transactionKey(id: TransactionId): RecordKey {
  return ['transaction', id]
}

/** Typed access to a store. */
export interface Inputs {
  run(process: ProcessId, id: string): Promise<Run | undefined>
  runs(process: ProcessId): Promise<readonly Run[]>
  putRun(run: Run): Promise<void>
  /** Removes what was claimed in an earlier run of the same id. */
  forgetClaims(id: string): Promise<void>

  /** @param scheduler whose word it is: a URL, or `arweave` */
  process(id: ProcessId, scheduler?: string): Promise<ProcessRecord | undefined>
  putProcess(record: ProcessRecord, scheduler?: string): Promise<void>

  /** In nonce order, both ends inclusive; of a run over both sources, Arweave's where the scheduler's is missing. */
  schedule(run: Run, from: number, to: number): AsyncIterable<ScheduledMessage>
  /** The last nonce of the unbroken part that begins with the first one stored; -1 where nothing is. */
  scheduledUpTo(scheduler: string, process: ProcessId): Promise<number>
  putSchedule(
    scheduler: string,
    process: ProcessId,
    messages: readonly ScheduledMessage[],
    anomalies: readonly ScheduleAnomaly[]
  ): Promise<void>
  /** Up to which nonce the schedule and what is wrong with it are there; more may come behind it. */
  scheduleCameTo(): number
  /** What one source has of one nonce. */
  scheduled(source: string, process: ProcessId, nonce: number): Promise<ScheduledMessage | undefined>
  /**
   * In nonce order.
   *
   * @param source the run's own where not given
   * @param range of nonces, both inclusive; all where not given
   */
  anomalies(run: Run, source?: string, range?: { from?: number; to?: number }): AsyncIterable<ScheduleAnomaly>
  /** What the signatures of edges said when they were read from the network, by nonce; an archive has none. */
  verdicts(run: Run, from: number, to: number): Promise<ReadonlyMap<number, EdgeVerdicts>>
  putVerdicts(run: Run, verdicts: readonly (readonly [number, EdgeVerdicts])[]): Promise<void>

  transaction(id: TransactionId): Promise<TransactionRecord | undefined>
  putTransaction(record: TransactionRecord, data?: Uint8Array): Promise<TransactionRecord>
  data(record: TransactionRecord): Promise<Uint8Array | undefined>
  /** The gateways that were asked for an item, where none has what proves itself; an archive does not say. */
  unproven(id: TransactionId): Promise<readonly string[] | undefined>
  putUnproven(id: TransactionId, gateways: readonly string[] | undefined): Promise<void>
  /** By id, then by gateway. */
  gatewayAnomalies(process: ProcessId): Promise<readonly GatewayAnomaly[]>
  putGatewayAnomalies(process: ProcessId, anomalies: readonly GatewayAnomaly[]): Promise<void>

  /** Ids of checkpoints that a gateway named, whoever signed them. */
  checkpoints(process: ProcessId): Promise<readonly TransactionId[]>
  /** Whether this gateway was asked for them up to the end of this run, and for those of these signers before all others. */
  checkpointsRead(run: Run, gateway: string, signers?: readonly string[]): Promise<boolean>
  putCheckpoints(run: Run, gateway: string, ids: readonly TransactionId[], asked?: AskedCheckpoints): Promise<void>
  /** What gateways list besides, by gateway. */
  unreadCheckpoints(process: ProcessId): Promise<readonly UnreadCheckpoints[]>
  /** What no gateway could be asked for in this run, by what; the reason in words. */
  shortfalls(run: Run): Promise<ReadonlyMap<Shortfall, string>>
  /** @param reason undefined where it could be asked for after all */
  putShortfall(run: Run, what: Shortfall, reason: string | undefined): Promise<void>

  blocks(process: ProcessId, from: number, to: number): Promise<readonly BlockRecord[]>
  putBlocks(process: ProcessId, blocks: readonly BlockRecord[], differences?: readonly BlockDifference[]): Promise<void>
  /** By height, then by gateway. */
  blockDifferences(process: ProcessId): Promise<readonly BlockDifference[]>
  /** The last block that this gateway was asked for. */
  blocksRead(process: ProcessId, gateway: string): Promise<BlockRecord | undefined>
  putBlocksRead(process: ProcessId, gateway: string, last: BlockRecord): Promise<void>

  /** All that was ever served to the process. */
  driveFiles(process: ProcessId): Promise<readonly DriveFile[]>
  driveFile(process: ProcessId, kind: DriveFile['kind'], id: string): Promise<DriveFile | undefined>
  putDriveFile(process: ProcessId, file: DriveFile): Promise<void>
  attestation(process: ProcessId, type: AttestationType, id: string): Promise<DriveAttestation | undefined>
  putAttestation(process: ProcessId, attestation: DriveAttestation): Promise<void>

  /** Resolves when all that a unit claims of an ordinate is there, to the last ordinate of which that holds. */
  answersCameTo(run: Run, unit: string, ordinate: number): Promise<number>
  /** Claims of one unit about the run's range, in the order of ordinates. */
  claims(run: Run, unit: string): AsyncIterable<Claim>
  /** Those about one ordinate: a scheduled message and the crons after it. */
  claimsAt(run: Run, unit: string, ordinate: number): Promise<readonly Claim[]>
  /** Whether a unit claims that an evaluation failed, by what came so far: nobody waits. A hint, which no verdict rests on. */
  claimsAnError(run: Run, unit: string, key: EvaluationKey): Promise<boolean>
  /** Puts another text in a claim's place. */
  replaceClaim(run: Run, claim: Claim, by: Claim): Promise<void>
  unavailable(run: Run, unit: string): AsyncIterable<ClaimUnavailable>
  putAnswers(run: Run, answers: readonly (Claim | ClaimUnavailable)[], listing?: ListingUpdate): Promise<void>
  listing(run: Run, unit: string, listing: Listing): Promise<ListingProgress | undefined>

  /** @param setup a digest of all that results depend on besides what is planned */
  snapshot(process: ProcessId, setup: string): Promise<Snapshot | undefined>
  putSnapshot(process: ProcessId, setup: string, snapshot: Snapshot | undefined): Promise<void>
  /** The first `count` evaluations that led to a snapshot, in the order of the plan. */
  computed(process: ProcessId, setup: string, count: number): AsyncGenerator<Evaluation>
  /** Keeps evaluations from a position of the plan on. */
  putComputed(process: ProcessId, setup: string, position: number, evaluations: readonly Evaluation[]): Promise<void>
}

/** Whose checkpoints were asked for first, and what was left out. */
export interface AskedCheckpoints {
  readonly signers: readonly string[]
  readonly unread: UnreadCheckpoints
}

/** A memory that the auditor came to itself. */
export interface Snapshot {
  /** The scheduled message that it lies behind. */
  readonly nonce: number
  readonly key: EvaluationKey
  /** Evaluations up to it. */
  readonly position: number
  /** Of all that was planned up to it. */
  readonly planDigest: string
  readonly blob: BlobRef
  readonly memoryBytes: number
  /** Where the module's clock stood, ms. */
  readonly clock: number
  /** Memories that were hashed on the way, by place. */
  readonly hashes: Readonly<Record<string, string>>
}

export interface ListingUpdate {
  readonly unit: string
  readonly listing: Listing
  readonly progress: ListingProgress
}

const FORGET_BATCH = 1000

/** @param store where it all lies */
export function createInputs(store: Store): Inputs {
  const door = openDoor(store)
  const claimedErrors = createClaimedErrors()
  const collect = async <T>(prefix: RecordKey, range?: { from?: number; to?: number }): Promise<T[]> => {
    const found: T[] = []
    for await (const [, value] of door.list<T>(prefix, range)) found.push(value)
    return found
  }
  async function* values<T>(prefix: RecordKey, range?: { from?: number; to?: number }): AsyncGenerator<T> {
    for await (const [, value] of door.list<T>(prefix, range)) yield value
  }
  async function forget(prefix: RecordKey): Promise<void> {
    let batch: (readonly [RecordKey, undefined])[] = []
    for await (const [key] of store.list(prefix)) {
      batch.push([key, undefined])
      if (batch.length < FORGET_BATCH) continue
      await store.put(batch)
      batch = []
    }
    await store.put(batch)
  }

  return {
    run: (process, id) => door.get(['run', process, id]),
    runs: (process) => collect(['run', process]),
    putRun: (run) => store.put([[['run', run.process, run.id], run]]),
    async forgetClaims(id) {
      for (const kind of ['claim', 'unavailable', 'listing']) await forget([kind, id])
    },

    process: (id, scheduler) => door.get(processKey(id, scheduler)),
    putProcess: (record, scheduler) => store.put([[processKey(record.id, scheduler), record]]),

    schedule(run, from, to) {
      const of = (source: string) => values<ScheduledMessage>(['schedule', source, run.process], { from, to })
      return run.schedule === 'both' ? filled(of(run.scheduler), of(ARWEAVE)) : of(run.scheduler)
    },
    scheduleCameTo: () => Number.POSITIVE_INFINITY,
    scheduled: (source, process, nonce) => door.get(['schedule', source, process, nonce]),
    async scheduledUpTo(scheduler, process) {
      let last = -1
      for await (const [, { nonce, message, unclear }] of door.list<ScheduledMessage>(['schedule', scheduler, process])) {
        // An item that could not be had may be there by now.
        if (nonce !== last + 1 || (message === null && unclear === true)) break
        last = nonce
      }
      return last
    },
    async putSchedule(scheduler, process, messages, anomalies) {
      await store.put([
        ...messages.map((message) => [['schedule', scheduler, process, message.nonce], message] as const),
        ...messages.map((message) => [[DERIVED, 'verdict', scheduler, process, message.nonce], undefined] as const),
        // What came after all is no gap any more.
        ...messages.map((message) => [['anomaly', scheduler, process, message.nonce, 'gap'], undefined] as const),
        ...anomalies.map(
          (found) => [['anomaly', scheduler, process, found.nonce, found.kind, ...toldApart(found)], found] as const
        )
      ])
    },
    anomalies: (run, source = run.scheduler, range) => values(['anomaly', source, run.process], range),
    async verdicts(run, from, to) {
      const found = new Map<number, EdgeVerdicts>()
      for await (const [key, verdicts] of door.list<EdgeVerdicts>([DERIVED, 'verdict', run.scheduler, run.process], {
        from,
        to
      }))
        found.set(Number(key.at(-1)), verdicts)
      return found
    },
    putVerdicts: (run, verdicts) =>
      store.put(verdicts.map(([nonce, found]) => [[DERIVED, 'verdict', run.scheduler, run.process, nonce], found] as const)),

    transaction: (id) => door.get(transactionKey(id)),
    async putTransaction(record, data) {
      const kept = data === undefined ? record : { ...record, data: await store.putBlob(data) }
      await store.put([[transactionKey(record.id), kept]])
      return kept
    },
    data: async (record) => (record.data === undefined ? undefined : store.getBlob(record.data)),
    unproven: (id) => door.get(['unproven', id]),
    putUnproven: (id, gateways) => store.put([[['unproven', id], gateways]]),
    gatewayAnomalies: (process) => collect(['gateway-anomaly', process]),
    putGatewayAnomalies: (process, anomalies) =>
      store.put(anomalies.map((one) => [['gateway-anomaly', process, one.id, one.gateway], one] as const)),

    checkpoints: (process) => collect(['checkpoint', process]),
    async checkpointsRead(run, gateway, signers = []) {
      const read = await door.get<unknown>(['checkpoints-read', run.process, gateway])
      return JSON.stringify(read) === JSON.stringify({ to: run.to, signers })
    },
    putCheckpoints: (run, gateway, ids, { signers, unread } = { signers: [], unread: { faults: [], cut: 0 } }) =>
      store.put([
        ...ids.map((id) => [['checkpoint', run.process, id], id] as const),
        [['checkpoints-unread', run.process, gateway], unread.faults.length + unread.cut > 0 ? unread : undefined],
        [['checkpoints-read', run.process, gateway], { to: run.to, signers }]
      ]),
    unreadCheckpoints: (process) => collect(['checkpoints-unread', process]),
    async shortfalls(run) {
      const found = new Map<Shortfall, string>()
      for (const { what, reason } of await collect<{ what: Shortfall; reason: string }>(['shortfall', run.id]))
        found.set(what, reason)
      return found
    },
    putShortfall: (run, what, reason) =>
      store.put([[['shortfall', run.id, what], reason === undefined ? undefined : { what, reason }]]),

    blocks: (process, from, to) => collect(['block', process], { from, to }),
    putBlocks: (process, blocks, differences = []) =>
      store.put([
        ...blocks.map((block) => [['block', process, block.height], block] as const),
        ...differences.map((one) => [['block-difference', process, one.other.height, one.other.gateway], one] as const)
      ]),
    blockDifferences: (process) => collect(['block-difference', process]),
    blocksRead: (process, gateway) => door.get(['blocks-read', process, gateway]),
    putBlocksRead: (process, gateway, last) => store.put([[['blocks-read', process, gateway], last]]),

    driveFiles: (process) => collect(['drive', process, 'file']),
    driveFile: (process, kind, id) => door.get(['drive', process, 'file', kind, id]),
    putDriveFile: (process, file) => store.put([[['drive', process, 'file', file.kind, file.id], file]]),
    attestation: (process, type, id) => door.get(['drive', process, 'attestation', type, id]),
    putAttestation: (process, found) => store.put([[['drive', process, 'attestation', found.type, found.id], found]]),

    answersCameTo: async () => Number.POSITIVE_INFINITY,
    claims: (run, unit) => values(['claim', run.id, unit], { from: run.from, to: run.to }),
    claimsAt: (run, unit, ordinate) => collect(['claim', run.id, unit, ordinate]),
    async claimsAnError(run, unit, key) {
      const noted = claimedErrors.of(run.id, unit, key)
      if (noted !== undefined) return noted
      const claims = await collect<Claim>(['claim', run.id, unit, key.ordinate])
      return claims.some((claim) => keyText(claim.key) === keyText(key) && saysError(claim))
    },
    async replaceClaim(run, claim, by) {
      const nameOf = ({ kind, key, raw }: Claim) => JSON.stringify([kind, keyText(key), raw])
      for await (const [key, value] of door.list<Claim>(['claim', run.id, claim.claimant, claim.key.ordinate])) {
        if (nameOf(value) !== nameOf(claim)) continue
        await store.put([
          [key, undefined],
          [[...key.slice(0, -1), contentOf(by.raw)], claimRecord(by)]
        ])
      }
    },
    unavailable: (run, unit) => values(['unavailable', run.id, unit], { from: run.from, to: run.to }),
    async putAnswers(run, answers, update) {
      claimedErrors.note(run.id, answers)
      await store.put([
        ...answers.map((answer): readonly [RecordKey, unknown] => {
          const { ordinate, cron = '', timestamp } = answer.key
          if (!('kind' in answer)) return [['unavailable', run.id, answer.claimant, ordinate], answer]
          // The content is part of the key: a unit that lists one evaluation twice, differently, has made two claims.
          const content = contentOf(answer.raw)
          const place = [answer.claimant, ordinate, cron, timestamp, update?.listing ?? 'result', content]
          return [['claim', run.id, ...place], claimRecord(answer)]
        }),
        ...(update === undefined ? [] : [[['listing', run.id, update.unit, update.listing], update.progress] as const])
      ])
    },
    listing: (run, unit, listing) => door.get(['listing', run.id, unit, listing]),

    snapshot: (process, setup) => door.get([DERIVED, 'snapshot', process, setup]),
    putSnapshot: (process, setup, snapshot) => store.put([[[DERIVED, 'snapshot', process, setup], snapshot]]),
    async *computed(process, setup, count) {
      for await (const kept of values<Evaluation>([DERIVED, 'computed', process, setup], { from: 0, to: count - 1 })) {
        const { outcome } = kept
        if (outcome.kind !== 'result') yield kept
        else yield { ...kept, outcome: { ...outcome, result: JSON.parse(outcome.text) as EvaluationResult } }
      }
    },
    putComputed: (process, setup, position, evaluations) =>
      store.put(
        evaluations.map(({ outcome, ...rest }, place) => {
          // Its text says all of a result.
          const kept = outcome.kind === 'result' ? { ...outcome, result: undefined } : outcome
          return [[DERIVED, 'computed', process, setup, position + place], { ...rest, outcome: kept }] as const
        })
      )
  }
}

/** Of several that came under one nonce each is kept. */
function toldApart({ kind, messages = [] }: ScheduleAnomaly): string[] {
  return kind === 'twice' ? messages.map(({ assignment }) => assignment.id) : []
}

/** Both in nonce order: what the first does not have is taken from the second. */
async function* filled(
  own: AsyncGenerator<ScheduledMessage>,
  other: AsyncGenerator<ScheduledMessage>
): AsyncGenerator<ScheduledMessage> {
  try {
    let spare = await other.next()
    for await (const message of own) {
      for (; spare.done !== true && spare.value.nonce <= message.nonce; spare = await other.next())
        if (spare.value.nonce < message.nonce) yield { ...spare.value, unserved: true }
      yield message
    }
    for (; spare.done !== true; spare = await other.next()) yield { ...spare.value, unserved: true }
  } finally {
    await other.return(undefined)
  }
}
