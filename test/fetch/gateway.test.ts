import { describe, expect, it } from 'vitest'
import { createGateway } from '../../src/fetch/gateway.ts'
import type { TransactionId } from '../../src/model/ids.ts'
import { exampleData, idOf } from '../fakes/data.ts'
import { MODULE, PROCESS, quick, start } from './start.ts'

describe('a GraphQL endpoint that is named for a gateway', () => {
  it('is asked in place of the gateway, which serves the data, and what it lists is its own word', async () => {
    const [data, lists] = [await start(), await start()]
    const gateway = createGateway(quick(), [data.url], [`${lists.url}/graphql`])
    const [record] = await gateway.transactions({ ids: [PROCESS], limit: 1 })
    expect(record?.gateway).toBe(`${lists.url}/graphql`)
    expect(await gateway.raw(MODULE, 100)).toMatchObject({ gateway: data.url })
    expect(gateway.listedBy).toEqual([`${lists.url}/graphql`])
    expect([lists.requests, data.requests].map((requests) => requests.map(({ what }) => what.split(' ')[0]))).toEqual([
      ['/graphql'],
      [`/raw/${MODULE}`]
    ])
  })

  it('belongs to the gateway in the same place, and the others have their own', async () => {
    const [first, second, lists] = [await start(), await start(), await start()]
    const gateway = createGateway(quick(), [first.url, second.url], [`${lists.url}/graphql`])
    expect(gateway.each().map(({ urls, listedBy }) => [urls, listedBy])).toEqual([
      [[first.url], [`${lists.url}/graphql`]],
      [[second.url], [second.url]]
    ])
  })

  it('makes no difference where it is the one that the gateway has anyway', async () => {
    const { url } = await start()
    expect(createGateway(quick(), [url], [`${url}/graphql`]).listedBy).toEqual([url])
  })

  it('is named where it fails', async () => {
    const [data, broken] = [await start(), await start({ faults: [{ kind: 'status', status: 200, body: '{}' }] })]
    const gateway = createGateway(quick(), [data.url], [`${broken.url}/graphql`])
    await expect(gateway.transactions({ ids: [PROCESS], limit: 1 })).rejects.toMatchObject({
      code: 'WIRE_INVALID',
      unit: { role: 'gateway', url: broken.url }
    })
  })
})

describe('transactions from a gateway', () => {
  it('have all fields that the check of a signature needs', async () => {
    const { url } = await start()
    expect(await createGateway(quick(), [`${url}/`]).transactions({ ids: [PROCESS], limit: 1 })).toEqual([
      {
        id: PROCESS,
        owner: { address: idOf('owner'), key: 'a2V5' },
        tags: exampleData(0).transactions[0]?.tags,
        recipient: '',
        anchor: 'YW5jaG9y',
        signature: 'c2ln',
        blockHeight: 1_500_000,
        gateway: url
      }
    ])
  })

  it('are found by owner and tags, in the requested order', async () => {
    const { url } = await start()
    const gateway = createGateway(quick(), [url])
    const ids = async (query: object) => (await gateway.transactions({ limit: 10, ...query })).map(({ id }) => id)
    const owners = [idOf('owner')]
    expect(await ids({ owners, sort: 'HEIGHT_ASC' })).toEqual([MODULE, PROCESS])
    expect(await ids({ owners, sort: 'HEIGHT_DESC' })).toEqual([PROCESS, MODULE])
    expect(await ids({ tags: [{ name: 'Type', values: ['Module', 'Other'] }] })).toEqual([MODULE])
    expect(await ids({ owners: [idOf('nobody')] })).toEqual([])
  })

  it('are read over several pages, up to the limit', async () => {
    const [one] = exampleData(0).transactions
    if (one === undefined) throw new Error('no example')
    const transactions = Array.from({ length: 250 }, (_, place) => ({ ...one, id: idOf(`t${place}`), height: place }))
    const network = await start({ transactions })
    const gateway = createGateway(quick(), [network.url])
    const found = await gateway.transactions({ limit: 220, sort: 'HEIGHT_ASC' })
    expect(found.map(({ id }) => id)).toEqual(transactions.slice(0, 220).map(({ id }) => id))
    expect(network.requests).toHaveLength(3)
  })

  it('are ignored if they do not match the query', async () => {
    const { url } = await start()
    const node = {
      id: idOf('other'),
      anchor: '',
      signature: '',
      recipient: '',
      owner: { address: '', key: '' },
      tags: [],
      block: null
    }
    const body = JSON.stringify({
      data: { transactions: { pageInfo: { hasNextPage: false }, edges: [{ cursor: '0', node }] } }
    })
    const liar = await start({ faults: [{ kind: 'status', status: 200, body }] })
    const found = await createGateway(quick(), [liar.url, url]).transactions({ ids: [PROCESS], limit: 1 })
    expect(found.map(({ id, gateway }) => [id, gateway])).toEqual([[PROCESS, url]])
    expect(await createGateway(quick(), [liar.url]).transactions({ ids: [PROCESS], limit: 1 })).toEqual([])
  })

  it('are unavailable from a gateway that answers with errors', async () => {
    const body = '{"errors":[{"message":"too\\u001b[2Jbusy"}]}'
    const { url } = await start({ faults: [{ kind: 'status', status: 200, body }] })
    await expect(createGateway(quick(), [url]).transactions({ ids: [PROCESS], limit: 1 })).rejects.toMatchObject({
      code: 'WIRE_INVALID',
      message: `${url}/graphql answered without data: [{"message":"too\\u001b[2Jbusy"}]`
    })
  })
})

describe('raw data', () => {
  it('comes with the URL of the gateway that served it', async () => {
    const network = await start()
    const found = await createGateway(quick(), [network.url]).raw(MODULE, 100)
    expect([Buffer.from(found?.bytes ?? []).toString(), found?.gateway]).toEqual(['module bytes', network.url])
    expect(network.requests.map(({ what }) => what)).toEqual([`/raw/${MODULE}`])
  })

  it('is bounded in bytes', async () => {
    const { url } = await start()
    await expect(createGateway(quick(), [url]).raw(MODULE, 11)).rejects.toMatchObject({ code: 'ANSWER_TOO_LARGE' })
  })

  it('is undefined if no gateway has it', async () => {
    const { url } = await start()
    expect(await createGateway(quick(), [url, url]).raw(idOf('none') as TransactionId, 100)).toBeUndefined()
  })
})

describe('a transaction header', () => {
  const header = {
    ...{ format: 2, id: MODULE, last_tx: 'x', owner: 'o', tags: [], target: '', quantity: '0' },
    ...{ data_size: '12', data_root: 'r', reward: '1', signature: 's' }
  }

  it('is returned as the gateway serves it', async () => {
    const network = await start({ faults: [{ kind: 'status', status: 200, body: JSON.stringify(header) }] })
    expect(await createGateway(quick(), [network.url]).header(MODULE)).toEqual(header)
    expect(network.requests.map(({ what }) => what)).toEqual([`/tx/${MODULE}`])
  })

  it.each([404, 410])('is undefined if no gateway has it (status %i)', async (status) => {
    const { url } = await start({ faults: [{ kind: 'status', status, body: '<html>' }] })
    expect(await createGateway(quick(), [url]).header(MODULE)).toBeUndefined()
  })

  it('is refused if it is faulty, with every fault named', async () => {
    const { url } = await start({ faults: [{ kind: 'status', status: 200, body: '{"id":7,"__proto__":{"format":2}}' }] })
    const message = expect.stringMatching(/format: .*; id: must be 43 .*; owner: .*; signature: /)
    await expect(createGateway(quick(), [url]).header(MODULE)).rejects.toMatchObject({ code: 'WIRE_INVALID', message })
  })
})

describe('several gateways', () => {
  it('are asked in turn until one has the item', async () => {
    const empty = await start({ transactions: [] })
    const broken = await start({ faults: [{ kind: 'destroy' }] })
    const { url } = await start()
    const urls = [empty.url, broken.url, url]
    const gateway = createGateway(quick({ limits: { patienceMs: 100 } }), urls)
    expect(gateway.urls).toEqual(urls)
    expect((await gateway.raw(MODULE, 100))?.gateway).toBe(url)
    expect((await gateway.transactions({ ids: [MODULE], limit: 1 }))[0]?.gateway).toBe(url)
  })

  it('are all named in the error if none answers', async () => {
    const all = [await start({ faults: [{ kind: 'destroy' }] }), await start({ faults: [{ kind: 'status', status: 500 }] })]
    const urls = all.map(({ url }) => url)
    await expect(createGateway(quick({ limits: { patienceMs: 100 } }), urls).raw(MODULE, 100)).rejects.toMatchObject({
      code: 'UNIT_UNREACHABLE',
      message:
        `no gateway answered: ${urls[0]} did not answer: the connection failed (ECONNRESET); ` +
        `${urls[1]} did not answer: it answered 500`
    })
  })

  it('report an absent item if one is unreachable and the other does not have it', async () => {
    const broken = await start({ faults: [{ kind: 'destroy' }] })
    const empty = await start({ transactions: [] })
    const gateway = createGateway(quick({ limits: { patienceMs: 100 } }), [broken.url, empty.url])
    expect(await gateway.raw(MODULE, 100)).toBeUndefined()
    expect(await gateway.transactions({ ids: [MODULE], limit: 1 })).toEqual([])
  })

  it('report an interruption as such, not as an absent item', async () => {
    const network = await start()
    const gateway = createGateway(quick({ signal: AbortSignal.abort() }), [network.url, network.url])
    await expect(gateway.raw(MODULE, 100)).rejects.toMatchObject({ code: 'INTERRUPTED' })
  })
})

describe('blocks from gateways', () => {
  const blocks = Array.from({ length: 250 }, (_, place) => ({ height: 1_000 + place, timestamp: (5_000 + place) * 1_000 }))

  it('come in order, both ends included, with times in ms', async () => {
    const network = await start({ blocks: [...blocks].reverse() })
    const gateway = createGateway(quick(), [network.url])
    expect(await gateway.blocks(1_003, 1_005)).toEqual(blocks.slice(3, 6))
    expect(await gateway.blocks(1_000, 1_249)).toEqual(blocks)
  })

  it('come from the next gateway if the first lacks some, and are incomplete if no gateway has all', async () => {
    const behind = await start({ blocks: blocks.slice(0, 5) })
    const whole = await start({ blocks })
    expect(await createGateway(quick(), [behind.url, whole.url]).blocks(1_000, 1_009)).toEqual(blocks.slice(0, 10))
    expect(await createGateway(quick(), [behind.url]).blocks(1_000, 1_009)).toEqual(blocks.slice(0, 5))
  })

  it('end if a gateway repeats its pages', async () => {
    const edges = [{ cursor: '0', node: { height: 1_000, timestamp: 5_000 } }]
    const body = JSON.stringify({ data: { blocks: { pageInfo: { hasNextPage: true }, edges } } })
    const network = await start({ faults: [{ kind: 'status', status: 200, body }] })
    expect(await createGateway(quick(), [network.url]).blocks(1_000, 1_009)).toEqual([{ height: 1_000, timestamp: 5_000_000 }])
    expect(network.requests).toHaveLength(2)
  })
})
