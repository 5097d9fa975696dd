import { generateKeyPairSync } from 'node:crypto'
import { ArweaveSigner } from 'arbundles'
import { expect, it, onTestFinished } from 'vitest'
import { type SignatureStatus, VALID } from '../../src/ans104/signature-status.ts'
import { createGateway } from '../../src/fetch/gateway.ts'
import { createHttp } from '../../src/fetch/http.ts'
import { createScheduler } from '../../src/fetch/scheduler.ts'
import { schedulerProcessSchema } from '../../src/fetch/unit-schemas.ts'
import { type Address, isArweaveId, type ProcessId, type TransactionId } from '../../src/model/ids.ts'
import type { ScheduledMessage } from '../../src/model/records.ts'
import { verifyMessage, verifyRawItem } from '../../src/verify/message-item.ts'
import { checkProcess } from '../../src/verify/process-and-module.ts'
import { readScheduled } from '../../src/verify/scheduled-edge.ts'
import { createScheduleVerifier } from '../../src/verify/verify-schedule.ts'
import { startFakeNetwork } from '../fakes/network.ts'
import { type SmallProcess, type SmallProcessOptions, signedSmallProcess, smallProcess } from './small-process.ts'

const NOT_TEXT = Uint8Array.of(0x6f, 0x6b, 0xff)
const OPTIONS: SmallProcessOptions = {
  format: 'wasm32-unknown-emscripten4',
  wasm: Uint8Array.of(0, 0x61, 0x73, 0x6d),
  messages: [
    'count',
    { data: 'echo', anchor: '7'.repeat(32), tags: [{ name: '__proto__', value: 'é' }], sender: 'somebody' },
    { data: NOT_TEXT, anchor: null }
  ],
  processTags: [{ name: 'Cron-Interval', value: '1-minute' }],
  intervalMs: 90_000
}

/** The schedule as a client reads it, with the assignments' anchors. */
function scheduleOf({ schedule }: SmallProcess): ScheduledMessage[] {
  return schedule.map(({ node, assignmentAnchor }) => {
    const read = readScheduled({ ...node, assignment: { ...node.assignment, anchor: assignmentAnchor } })
    if (read === undefined) throw new Error('an edge that cannot be read')
    return read
  })
}

/** The judgement of the project's own verifier on the schedule. */
function judge(small: SmallProcess, verdictOf: (scheduled: ScheduledMessage) => SignatureStatus) {
  const process = schedulerProcessSchema.parse(small.process)
  const verifier = createScheduleVerifier({ process, schedulerAddress: small.scheduler as Address })
  return scheduleOf(small).map((scheduled) => verifier.add(scheduled, verdictOf(scheduled)))
}

function verdictsOnTransactions({ transactions }: SmallProcess): SignatureStatus['status'][] {
  return transactions.map(({ target, data = '', id, ...rest }) => {
    const record = { ...rest, id: id as TransactionId, recipient: target }
    return verifyRawItem(record, Buffer.from(data, 'base64')).status
  })
}

const PROVEN = { findings: [], proven: true }

it('a small process has the form of a scheduler’s answers and an unbroken hash chain', async () => {
  const small = await smallProcess(OPTIONS)
  expect(judge(small, () => VALID)).toEqual(Array(4).fill(PROVEN))
  expect(scheduleOf(small).map(({ messageId }) => messageId)).toEqual(small.messageIds)
  expect(small.messageIds[0]).toBe(small.process.process_id)
  expect(small.transactions).toHaveLength(9)
  expect(new Set(small.transactions.map(({ id }) => id)).size).toBe(9)
  expect(small.transactions.every(({ id }) => isArweaveId(id))).toBe(true)
  const read = scheduleOf(small).map(({ nonce, timestamp, blockHeight, message }) => [
    nonce,
    timestamp - 1_720_000_000_000,
    blockHeight,
    message?.data,
    message?.anchor
  ])
  expect(read).toEqual([
    [0, 0, 1_500_000, 'process', null],
    [1, 90_000, 1_500_000, 'count', '1'.padStart(32, '0')],
    [2, 180_000, 1_500_001, 'echo', '7'.repeat(32)],
    [3, 270_000, 1_500_002, 'ok\u{FFFD}', null]
  ])
  expect(small.blocks.map(({ height }) => height)).toEqual([1_499_999, 1_500_000, 1_500_001, 1_500_002, 1_500_003])
  expect(small.blocks[1]?.timestamp).toBe(1_720_000_000_000)
})

it('a small process has other ids with another seed and the same with the same seed', async () => {
  const [one, again, other] = await Promise.all(['a', 'a', 'b'].map((seed) => smallProcess({ ...OPTIONS, seed })))
  expect(again).toEqual(one)
  expect(other?.messageIds.some((id) => one?.messageIds.includes(id))).toBe(false)
})

it('a signed small process has valid signatures and is the same each time', async () => {
  const small = await signedSmallProcess(OPTIONS)
  const steps = judge(small, ({ assignment }) => verifyMessage(assignment))
  expect(steps).toEqual(Array(4).fill(PROVEN))
  const messages = scheduleOf(small).map(({ message }) => (message === null ? undefined : verifyMessage(message).status))
  expect(messages).toEqual(['valid', 'valid', 'valid', 'unverifiable'])
  const process = schedulerProcessSchema.parse(small.process)
  expect(verifyMessage(process)).toEqual(VALID)
  expect(verdictsOnTransactions(small)).toEqual(Array(9).fill('valid'))
  expect(checkProcess(process, undefined).process).toMatchObject({ scheduler: small.scheduler, moduleId: small.moduleId })
  expect(await signedSmallProcess(OPTIONS)).toEqual(small)
})

it.each([smallProcess, signedSmallProcess])(
  'a small process has different ids for equal messages, made by %o',
  async (make) => {
    const { messageIds, schedule } = await make({ ...OPTIONS, messages: ['count', 'count', 'count'] })
    expect(new Set(messageIds).size).toBe(4)
    expect(new Set(schedule.map(({ node }) => node.assignment.id)).size).toBe(4)
  }
)

it('a signed small process can have keys of other kinds', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 4096 })
  const scheduler = new ArweaveSigner(privateKey.export({ format: 'jwk' }) as ConstructorParameters<typeof ArweaveSigner>[0])
  const small = await signedSmallProcess({ ...OPTIONS, signers: { scheduler } })
  expect(judge(small, ({ assignment }) => verifyMessage(assignment))).toEqual(Array(4).fill(PROVEN))
  expect(verdictsOnTransactions(small)).toEqual(Array(9).fill('valid'))
})

it('a small process can be served by a fake network', async () => {
  const small = await smallProcess(OPTIONS)
  const network = await startFakeNetwork(small)
  onTestFinished(() => network.close())
  const scheduler = createScheduler(createHttp(), network.url)
  const id = small.process.process_id as ProcessId
  expect(await scheduler.process(id)).toEqual(schedulerProcessSchema.parse(small.process))
  expect(await scheduler.page(id, 0, 2)).toEqual({ messages: scheduleOf(small).slice(1, 3), hasNextPage: true })
  const gateway = createGateway(createHttp(), [network.url])
  const raw = await gateway.raw(small.moduleId as TransactionId, 100)
  expect([...(raw?.bytes ?? [])]).toEqual([...OPTIONS.wasm])
})
