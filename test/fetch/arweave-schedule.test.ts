import { createHash } from 'node:crypto'
import { EthereumSigner } from 'arbundles'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { ARWEAVE, createArweaveSchedule } from '../../src/fetch/arweave-schedule/schedule.ts'
import { createGateway } from '../../src/fetch/gateway.ts'
import { createScheduler } from '../../src/fetch/scheduler.ts'
import type { ProcessId, TransactionId } from '../../src/model/ids.ts'
import type { ScheduledMessage } from '../../src/model/records.ts'
import { bundled } from '../fakes/bundles.ts'
import type { FakeTransaction } from '../fakes/data.ts'
import { type FakeNetwork, startFakeNetwork } from '../fakes/network.ts'
import { type SmallProcess, signedSmallProcess } from '../modules/small-process.ts'
import { quick } from './start.ts'

const LOSSY = Uint8Array.from([0x61, 0xff])
let small: SmallProcess
let id: ProcessId

beforeAll(async () => {
  const messages = ['one', { data: 'two', anchor: null }, { data: LOSSY }, 'four']
  small = await signedSmallProcess({ format: 'wasm32-unknown-emscripten4', wasm: Buffer.from('module'), messages })
  id = small.process.process_id as ProcessId
})

async function gatewayWith(transactions: readonly FakeTransaction[]): Promise<FakeNetwork> {
  const network = await startFakeNetwork({ ...small, transactions })
  onTestFinished(() => network.close())
  return network
}

/** The Arweave schedule read from gateways that have these transactions. */
async function arweave(...gateways: readonly (readonly FakeTransaction[])[]) {
  const networks = await Promise.all(gateways.map(gatewayWith))
  const kept: TransactionId[] = []
  const source = createArweaveSchedule({
    gateway: createGateway(
      quick({ limits: { idleMs: 2_000, patienceMs: 5_000 } }),
      networks.map(({ url }) => url)
    ),
    keep: async (record) => void kept.push(record.id)
  })
  return { source, kept, networks }
}

const nonces = (messages: readonly ScheduledMessage[]) => messages.map(({ nonce }) => nonce)
const assignment = (nonce: number) => small.schedule[nonce]?.node.assignment.id ?? ''
const lacking = (...ids: readonly string[]) => small.transactions.filter((one) => !ids.includes(one.id))
const transactionOf = (which: string | undefined) => small.transactions.find((one) => one.id === which)
/** The key that `signedSmallProcess` makes for the scheduler. */
const schedulerKey = new EthereumSigner(createHash('sha256').update(' key of scheduler').digest('hex'))
const altered = (which: string, change: Partial<FakeTransaction>) =>
  small.transactions.map((one) => (one.id === which ? { ...one, ...change } : one))

describe('the Arweave schedule', () => {
  it('equals the schedule of an honest scheduler, except where it cannot show a message’s form', async () => {
    const { source, kept, networks } = await arweave(small.transactions)
    const [network] = networks
    const { messages } = await source.page(id, -1, 500)
    const { messages: served } = await createScheduler(quick(), network?.url ?? '').page(id, -1, 500)
    const [own, ...others] = served
    const message = { ...own?.message, target: '' }
    expect(messages).toEqual([{ ...own, message }, ...others.map((one) => ({ ...one, unclear: true }))])
    expect(source.url).toBe(ARWEAVE)
    expect(kept).toEqual([small.messageIds[3]])
  })

  it('returns the same process as the scheduler', async () => {
    const { source, networks } = await arweave(small.transactions)
    const shown = await createScheduler(quick(), networks[0]?.url ?? '').process(id)
    expect(await source.process(id)).toEqual({ ...shown, target: '' })
    expect(await source.latestNonce(id)).toBe(4)
  })

  it('continues after a nonce and leaves out assignments that no gateway has', async () => {
    const { source } = await arweave(lacking(assignment(2)))
    expect(nonces((await source.page(id, 0, 500)).messages)).toEqual([1, 3, 4])
  })

  it('asks the next gateway for parts that the first one lacks', async () => {
    const { source } = await arweave(lacking(assignment(2), small.messageIds[4] ?? ''), lacking(assignment(1)))
    const { messages } = await source.page(id, -1, 500)
    expect(nonces(messages)).toEqual([0, 1, 2, 3, 4])
    expect(messages.every(({ message }) => message !== null)).toBe(true)
  })

  it('accepts no assignment without a valid signature of its scheduler', async () => {
    const [first] = small.transactions.filter((one) => one.id === assignment(1))
    const tags = first?.tags.map((tag) => (tag.name === 'Nonce' ? { ...tag, value: '2' } : tag)) ?? []
    const { source } = await arweave(altered(assignment(1), { tags }))
    expect(nonces((await source.page(id, -1, 500)).messages)).toEqual([0, 2, 3, 4])
    const { source: nameless } = await arweave(altered(assignment(4), { signature: '' }))
    expect(await nameless.latestNonce(id)).toBe(3)
  })

  it('leaves out a message without a valid signature, and marks its form as unclear', async () => {
    const { source } = await arweave(altered(small.messageIds[1] ?? '', { data: Buffer.from('other').toString('base64') }))
    const [, first] = (await source.page(id, -1, 500)).messages
    expect(first).toMatchObject({ nonce: 1, message: null, messageId: small.messageIds[1], unclear: true })
  })

  it('distinguishes sent messages from assigned items if the scheduler bundled them', async () => {
    const [sent, assigned] = [1, 2].map((nonce) => [transactionOf(assignment(nonce)), transactionOf(small.messageIds[nonce])])
    if (sent?.[0] === undefined || assigned?.[0] === undefined) throw new Error('no assignments')
    const others = lacking(assignment(1), assignment(2), small.messageIds[1] ?? '')
    const { source } = await arweave([
      ...others,
      ...(await bundled([sent[0], sent[1]], schedulerKey)),
      ...(await bundled([assigned[0]], schedulerKey))
    ])
    const [, one, two, three] = (await source.page(id, -1, 500)).messages
    expect(one).toMatchObject({ nonce: 1, message: { id: small.messageIds[1], data: 'one' } })
    expect(two).toMatchObject({ nonce: 2, message: null, messageId: small.messageIds[2] })
    expect([one, two, three].map((message) => message?.unclear)).toEqual([undefined, undefined, true])
  })

  it('trusts no bundle that the scheduler did not sign', async () => {
    const first = transactionOf(assignment(1))
    if (first === undefined) throw new Error('no assignment')
    const [outer, inside] = await bundled([first, transactionOf(small.messageIds[1])], new EthereumSigner('11'.repeat(32)))
    if (outer === undefined || inside === undefined) throw new Error('no bundle')
    for (const shown of [outer, { ...outer, owner: first.owner }]) {
      const { source } = await arweave([...lacking(assignment(1)), shown, inside])
      expect((await source.page(id, 0, 1)).messages[0]).toMatchObject({ nonce: 1, unclear: true })
    }
  })

  it('finds an assignment in its bundle if a gateway shows it without key and signature', async () => {
    const first = transactionOf(assignment(1))
    if (first === undefined) throw new Error('no assignment')
    const [outer, inside] = await bundled([first, transactionOf(small.messageIds[1])], schedulerKey)
    if (outer === undefined || inside === undefined) throw new Error('no bundle')
    const bare = { ...inside, signature: '', owner: { address: inside.owner.address, key: '' } }
    const { source } = await arweave([...lacking(assignment(1)), outer, bare])
    const [found] = (await source.page(id, 0, 1)).messages
    expect(found).toMatchObject({ nonce: 1, assignment: { id: assignment(1), signature: inside.signature } })
  })

  it('reads the times of a process that is older than assignments from its bundle', async () => {
    const process = transactionOf(id)
    if (process === undefined) throw new Error('no process')
    const times = [
      { name: 'Block-Height', value: '000001300000' },
      { name: 'Timestamp', value: '1700000000000' }
    ]
    const without = lacking(id, assignment(0))
    const { source } = await arweave([...without, ...(await bundled([process], schedulerKey, times))])
    expect(await source.process(id)).toMatchObject({ id, blockHeight: 1_300_000, timestamp: 1_700_000_000_000 })
    const foreign = await bundled([process], new EthereumSigner('11'.repeat(32)), times)
    const { source: unknown } = await arweave([...without, ...foreign])
    await expect(unknown.process(id)).rejects.toMatchObject({ code: 'INPUT_MISSING' })
  })

  it('throws INPUT_MISSING if no gateway has the process, or any of its assignments', async () => {
    const { source } = await arweave(lacking(id))
    await expect(source.process(id)).rejects.toMatchObject({ code: 'INPUT_MISSING' })
    const { source: empty } = await arweave(lacking(...small.schedule.map(({ node }) => node.assignment.id)))
    await expect(empty.latestNonce(id)).rejects.toMatchObject({ code: 'INPUT_MISSING' })
    expect(await empty.page(id, -1, 500)).toEqual({ messages: [], hasNextPage: false })
  })

  it('queries a hundred nonces at a time', async () => {
    const { source, networks } = await arweave(small.transactions)
    await source.page(id, -1, 500)
    expect(networks[0]?.asked('"Nonce"')).toBe(1)
    expect(networks[0]?.asked('/raw/')).toBe(5)
  })
})
