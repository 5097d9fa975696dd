/** Gateways over GraphQL: the queries, and that the bounds of all requests hold for the client of another package too. */
import { GetBlocksDocument, GetTransactionsDocument } from 'arweave-graphql'
import { type DocumentNode, parse, visit } from 'graphql'
import { describe, expect, it } from 'vitest'
import { createGraphql } from '../../src/fetch/graphql.ts'
import type { HttpOptions } from '../../src/fetch/http.ts'
import type { TransactionId } from '../../src/model/ids.ts'
import { EXAMPLE, idOf } from '../fakes/data.ts'
import type { Fault } from '../fakes/faults.ts'
import type { FakeNetwork } from '../fakes/network.ts'
import { PROCESS, quick, start } from './start.ts'

const PAGE = { first: 3, after: undefined }

async function withFault(fault: Fault, options: HttpOptions = {}) {
  const { url } = await start({ faults: [fault] })
  const graphql = createGraphql(quick(options), `${url}/graphql`)
  return { url, graphql, ask: () => graphql.transactions({ ids: [PROCESS], limit: 1 }, PAGE) }
}

const answering = (body: string) => withFault({ kind: 'status', status: 200, body })

/** The posted bodies, as JSON. */
function posted({ requests }: FakeNetwork): unknown[] {
  return requests.map(({ what }) => JSON.parse(what.slice('/graphql'.length)))
}

/** Paths of the fields of a query, without their arguments. */
function fieldsOf(query: DocumentNode): string[] {
  const path: string[] = []
  const paths: string[] = []
  visit(query, {
    Field: {
      enter: ({ name }) => {
        path.push(name.value)
        paths.push(path.join('.'))
      },
      leave: () => {
        path.pop()
      }
    }
  })
  return paths
}

describe('a query', () => {
  it('for transactions is the query of arweave-graphql with signature and anchor added', async () => {
    const network = await start()
    const graphql = createGraphql(quick(), `${network.url}/graphql`)
    const query = {
      ids: [EXAMPLE.process as TransactionId],
      owners: [idOf('owner') as never],
      tags: [{ name: 'Type', values: ['Process'] }]
    }
    await graphql.transactions({ ...query, limit: 1 }, { first: 7, after: '2' })
    await graphql.transactions({ limit: 1, sort: 'HEIGHT_ASC' }, PAGE)
    const [first, second] = posted(network) as { readonly query: string }[]
    expect(first).toEqual({
      query: expect.any(String),
      variables: { ...query, first: 7, after: '2', sort: 'HEIGHT_DESC' },
      operationName: 'getTransactions'
    })
    expect(second).toMatchObject({ query: first?.query, variables: { first: 3, sort: 'HEIGHT_ASC' } })
    const more = ['transactions.edges.node.signature', 'transactions.edges.node.anchor']
    expect(fieldsOf(parse(first?.query ?? ''))).toEqual([...fieldsOf(GetTransactionsDocument), ...more])
  })

  it('for blocks is the query of arweave-graphql', async () => {
    const network = await start()
    await createGraphql(quick(), `${network.url}/graphql`).blocks(5, 9, PAGE)
    const [asked] = posted(network) as { readonly query: string }[]
    expect(asked).toMatchObject({ variables: { height: { min: 5, max: 9 }, first: 3, sort: 'HEIGHT_ASC' } })
    expect(fieldsOf(parse(asked?.query ?? ''))).toEqual(fieldsOf(GetBlocksDocument))
  })
})

describe('an answer of a gateway', () => {
  it.each(['null', '[]', '7', '"data"', '{}', '{"data":null}', '{"data":"x"}', '{"__proto__":{"data":{"transactions":1}}}'])(
    'is refused because it has no data: %s',
    async (body) => {
      const { url, ask } = await answering(body)
      await expect(ask()).rejects.toMatchObject({
        code: 'WIRE_INVALID',
        message: `${url}/graphql answered without data`,
        unit: { role: 'gateway', url }
      })
    }
  )

  it('is refused if it has no data, with its errors stripped of terminal controls', async () => {
    const { url, ask } = await answering('{"data":null,"errors":{"toString":"\\u009b2J"}}')
    await expect(ask()).rejects.toMatchObject({ message: `${url}/graphql answered without data: {"toString":"?2J"}` })
  })

  it.each([
    ['with errors beside its data', '{"data":{"transactions":{"a":1}},"errors":[{"message":"a part failed"}]}'],
    ['with a byte order mark before it', '\uFEFF{"data":{"transactions":{"a":1}}}'],
    ['with fields that the client uses itself', '{"data":{"transactions":{"a":1}},"status":500,"headers":1,"ok":false}']
  ])('is accepted %s', async (_, body) => {
    const { ask } = await answering(body)
    expect(await ask()).toEqual({ a: 1 })
  })

  it('is undefined if its data lacks the list, even if __proto__ has one', async () => {
    const { ask } = await answering('{"data":{"__proto__":{"transactions":{"a":1}}}}')
    expect(await ask()).toBeUndefined()
  })
})

describe('a request to a gateway', () => {
  const body = '{"data":{"transactions":[]}}'

  it.each<[string, Fault, HttpOptions, object]>([
    ['bytes', { kind: 'endless' }, { limits: { graphqlBytes: 1_000 } }, { code: 'ANSWER_TOO_LARGE' }],
    ['depth', { kind: 'status', status: 200, body: `{"data":${'['.repeat(600)}` }, {}, { code: 'WIRE_INVALID' }],
    ['time', { kind: 'hang' }, { limits: { patienceMs: 30, idleMs: 30 } }, { code: 'UNIT_UNREACHABLE' }],
    ['redirects', { kind: 'redirect' }, {}, { code: 'WIRE_INVALID', message: expect.stringContaining('more than 20 times') }],
    ['addresses', { kind: 'redirect', location: 'http://10.0.0.1/' }, {}, { code: 'ADDRESS_FORBIDDEN' }],
    ['status', { kind: 'status', status: 400, body }, {}, { code: 'UNIT_REFUSED' }]
  ])('is bounded in %s as all others are', async (_, fault, options, expected) => {
    const { url, ask } = await withFault(fault, options)
    await expect(ask()).rejects.toMatchObject({ ...expected, unit: { role: 'gateway', url } })
  })

  it('is sent again if the answer is not JSON', async () => {
    const { ask } = await withFault({ kind: 'garbage', times: 2 })
    expect(await ask()).toMatchObject({ edges: [{ node: { id: PROCESS } }] })
  })

  it('ends when its signal aborts', async () => {
    const stop = new AbortController()
    const onAttempt = () => setImmediate(() => stop.abort())
    const { ask } = await withFault({ kind: 'hang' }, { signal: stop.signal, onAttempt })
    await expect(ask()).rejects.toMatchObject({ code: 'INTERRUPTED' })
  })
})
