import type { Address, AssignmentId, MessageId, ModuleId, ProcessId, TransactionId } from '../../../src/model/ids.ts'
import type { BlockRecord, ChainItem, ProcessItem, ScheduledMessage, Tag, Times, WireItem } from '../../../src/model/records.ts'
import { planEvaluations } from '../../../src/replay/plan/plan.ts'
import type { OnChainItem, PlanInputs, PlannedEvaluation } from '../../../src/replay/plan/planned.ts'
import { sealSigned } from '../../../src/verify/seal.ts'
import type { Signed } from '../../../src/verify/signed.ts'

/** An id of 43 characters that begins with `name`. */
export const idOf = (name: string) => name.padEnd(43, '0') as TransactionId & ProcessId & ModuleId & MessageId & AssignmentId
export const RSA_KEY = Buffer.alloc(512, 1).toString('base64url')
export const owner = (name: string) => ({ address: idOf(name), key: RSA_KEY })
export const tag = (name: string, value: string): Tag => ({ name, value })

export const PROCESS_ID = idOf('process')

/** A process with its times, which a plan requests separately. */
export function processRecord(given: Partial<ProcessItem & Times> = {}): Signed<ProcessItem & Times> {
  return sealSigned({
    id: PROCESS_ID,
    owner: owner('creator'),
    tags: [tag('Type', 'Process')],
    signature: 'process-signature',
    anchor: null,
    timestamp: 1_000_000,
    blockHeight: 100,
    moduleId: idOf('module'),
    scheduler: idOf('scheduler') as unknown as Address,
    ...given
  })
}

interface ScheduledOptions extends Partial<Omit<ScheduledMessage, 'message' | 'assignment'>> {
  readonly item?: Partial<WireItem> | null
  readonly assignmentTags?: readonly Tag[]
}

/** A message with this nonce by `sender`, one second after the message before it. */
export function scheduled(
  nonce: number,
  { item = {}, assignmentTags = [], ...given }: ScheduledOptions = {}
): Signed<ScheduledMessage> {
  const messageId = given.messageId ?? idOf(`message${nonce}`)
  const blank = { anchor: null, target: null, signature: `signature-${nonce}`, tags: [], owner: owner('sender') }
  return sealSigned({
    nonce,
    epoch: 0,
    timestamp: 1_000_000 + nonce * 1000,
    blockHeight: 100,
    hashChain: `chain${nonce}`,
    assignment: { ...blank, id: idOf(`assignment${nonce}`), tags: [tag('Process', PROCESS_ID), ...assignmentTags] },
    message: item === null ? null : { ...blank, id: messageId, data: '', target: PROCESS_ID, ...item },
    messageId,
    ...given
  })
}

/** The same object with other fields, sealed again because a spread removes the seal. */
export const resealed = <T extends object, U extends object>(one: Signed<T>, fields: U) =>
  sealSigned(Object.assign({}, one, fields))

/** The process's own message, nonce 0. */
export const processMessage = (process = processRecord()) =>
  scheduled(0, {
    messageId: idOf('process'),
    timestamp: process.timestamp,
    item: resealed(process, { data: 'return 1', target: null })
  })

export function onChain(name: string, item: Partial<ChainItem> = {}, dataText?: string): [TransactionId, OnChainItem] {
  const id = idOf(name)
  const blank = {
    owner: owner('author'),
    tags: [],
    recipient: '',
    anchor: '',
    signature: 'on-chain'
  }
  return [id, { item: sealSigned({ ...blank, id, ...item }), ...(dataText === undefined ? {} : { dataText }) }]
}

export interface World extends Pick<PlanInputs, 'knownBlocks'> {
  readonly process?: Signed<ProcessItem & Times>
  readonly schedule: readonly Signed<ScheduledMessage>[]
  readonly items?: readonly [TransactionId, OnChainItem][]
  readonly processData?: string
  readonly blocks?: readonly BlockRecord[]
}

/** The whole plan. */
export async function plan({ process = processRecord(), schedule, items = [], processData, blocks = [], ...rest }: World) {
  const transactions = new Map(items)
  const inputs: PlanInputs = {
    process,
    schedule: asAsync(schedule),
    taken: async () => sealSigned({ timestamp: process.timestamp, blockHeight: process.blockHeight }),
    chainItem: async (id) => transactions.get(id),
    processData: async () => processData,
    blocks: blockSource(blocks),
    ...rest
  }
  const planned: PlannedEvaluation[] = []
  for await (const one of planEvaluations(inputs)) planned.push(one)
  return planned
}

export const blockSource = (blocks: readonly BlockRecord[]) => async (from: number, to: number) =>
  blocks.filter(({ height }) => height >= from && height <= to)

/** Returns the text that a module would receive. Throws if nothing runs. */
export function messageText(planned: PlannedEvaluation | undefined): string {
  if (planned?.work.kind !== 'run') throw new Error(`no message: ${JSON.stringify(planned?.work)}`)
  return JSON.stringify(planned.work.message)
}

/** `nonce kind` for each evaluation, with the original of a skipped duplicate. */
export const outline = (planned: readonly PlannedEvaluation[]) =>
  planned.map(
    ({ key, work }) =>
      `${key.ordinate}${key.cron === undefined ? '' : ` ${key.cron}`} ${work.kind}${'of' in work ? ` ${work.of}` : ''}`
  )

async function* asAsync<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values
}
