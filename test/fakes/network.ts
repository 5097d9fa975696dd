/** A scheduler, a gateway and a Compute Unit under one base URL, on loopback, for tests. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tagValue } from '../../src/model/records.ts'
import { cursorOf, type FakeData, type FakeEdge, type FakeListed } from './data.ts'
import { type Body, createFaults, type Fault, send, type UnitName } from './faults.ts'
import { answerGraphql } from './graphql.ts'

export interface FakeRequest {
  readonly unit: UnitName
  /** The path with its query, followed by the body of a POST. */
  readonly what: string
  readonly method: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

export interface FakeNetwork {
  readonly url: string
  /** All requests so far, with or without a fault. */
  readonly requests: readonly FakeRequest[]
  /** How many requests contain a text. */
  asked(part: string): number
  /** Closes the server and all its connections. */
  close(): Promise<void>
}

export interface FakeNetworkOptions extends FakeData {
  readonly faults?: readonly Fault[]
  /** Orders the edges before `limit` cuts a page; by default as in `schedule`. */
  readonly arrange?: (edges: readonly FakeEdge[]) => readonly FakeEdge[]
  /** Texts that the gateway serves, by path: `/block/height/5`. */
  readonly pages?: Readonly<Record<string, string>>
}

/**
 * Starts a fake network on a free port of 127.0.0.1. It reads `options` again for each request: leave out or alter items there to
 * make a lying unit.
 *
 * @param options data in the shape of a capture's files (`schedule.json`, `claims.json`, `results.json`, `txs.json`, …), and
 *   faults by unit or path
 *
 * @example
 * ```ts
 * const network = await startFakeNetwork({ ...exampleData(3), faults: [{ kind: 'status', status: 500, unit: 'compute', times: 1 }] })
 * const answer = await createCompute(createHttp(), network.url).result(process, message)
 * await network.close()
 * ```
 */
export async function startFakeNetwork(options: FakeNetworkOptions): Promise<FakeNetwork> {
  const requests: FakeRequest[] = []
  const faultOf = createFaults(options.faults ?? [])
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const posted = Buffer.concat(chunks).toString()
    const path = request.url ?? '/'
    const unit = unitOf(path, options)
    const what = posted === '' ? path : `${path} ${posted}`
    requests.push({ unit, what, method: request.method ?? '', headers: request.headers })
    const fault = faultOf(unit, what)
    await send(response, await answer(unit, new URL(path, 'http://fake'), posted, options), fault, path)
  }
  const server = createServer((request, response) => {
    // The reader may have closed the connection.
    serve(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    asked: (part) => requests.filter(({ what }) => what.includes(part)).length,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      })
  }
}

function unitOf(path: string, { process }: FakeData): UnitName {
  const [first = ''] = path.slice(1).split(/[/?]/)
  if (['', 'result', 'results', 'cron'].includes(first)) return 'compute'
  return first === 'processes' || first === process.process_id ? 'scheduler' : 'gateway'
}

async function answer(unit: UnitName, url: URL, posted: string, options: FakeNetworkOptions): Promise<Body> {
  const [first = '', second = ''] = url.pathname.slice(1).split('/')
  if (unit === 'scheduler') return answerScheduler(first, second, url.searchParams, options)
  if (unit === 'compute') return answerCompute(first, second, url.searchParams, options)
  const { transactions = [], blocks = [], pages = {} } = options
  const page = Object.hasOwn(pages, url.pathname) ? pages[url.pathname] : undefined
  if (page !== undefined) return { status: 200, type: 'application/json', bytes: Buffer.from(page) }
  if (first === 'graphql') return json(await answerGraphql(posted, transactions, blocks))
  const found = first === 'raw' ? transactions.find(({ id }) => id === second) : undefined
  if (found?.data === undefined) return json({ error: 'not found' }, 404)
  return { status: 200, type: 'application/octet-stream', bytes: Buffer.from(found.data, 'base64') }
}

function answerScheduler(first: string, second: string, query: URLSearchParams, options: FakeNetworkOptions): Body {
  const { process, schedule, arrange } = options
  if (first === 'processes') return second === process.process_id ? json(process) : json({ error: 'process not found' }, 404)
  if (second === 'latest') return json(schedule.reduce((last, edge) => (nonceOf(edge) > nonceOf(last) ? edge : last)).node)
  const after = Number(query.get('from-nonce') ?? -1)
  const limit = Number(query.get('limit') ?? 100)
  const behind = (arrange?.(schedule) ?? schedule).filter((edge) => nonceOf(edge) > after)
  const edges = behind.slice(0, limit).map((edge) => (query.has('show-anchor') ? withAnchor(edge) : edge))
  return json({ page_info: { has_next_page: behind.length > limit }, edges })
}

function answerCompute(first: string, second: string, query: URLSearchParams, options: FakeData): Body {
  if (first === '') return json({ address: options.address, timestamp: 0 })
  if (first === 'result') {
    const claim = options.claims?.find(({ id }) => id === second)
    return claim === undefined ? json({ error: 'message not found' }, 404) : json(claim.result, claim.status)
  }
  return json(listedPage((first === 'cron' ? options.cron : (options.results ?? ofProcess(options))) ?? [], query))
}

/** A unit lists the process's own message, which has no `/result`. Small modules answer it with nothing. */
function ofProcess({ schedule, process, claims = [] }: FakeData): readonly FakeListed[] {
  const first = schedule.find((edge) => nonceOf(edge) === 0)
  if (first?.node.message?.id !== process.process_id || claims.some(({ id }) => id === process.process_id)) return []
  const timestamp = Number(tagValue(first.node.assignment.tags, 'Timestamp'))
  return [{ node: { Messages: [], Assignments: [], Spawns: [], Output: '' }, cursor: cursorOf(0, timestamp) }]
}

function listedPage(all: readonly FakeListed[], query: URLSearchParams) {
  const from = query.get('from')
  const rest = from === null ? all : all.slice(all.findIndex(({ cursor }) => cursor === from) + 1)
  const limit = Number(query.get('limit') ?? 25)
  const page = rest.slice(0, limit + 1).filter(({ hidden }) => hidden !== true)
  return { pageInfo: { hasNextPage: page.length > limit }, edges: page.slice(0, limit) }
}

function nonceOf({ node }: FakeEdge): number {
  return Number(tagValue(node.assignment.tags, 'Nonce'))
}

function withAnchor({ node, cursor, assignmentAnchor }: FakeEdge) {
  return { node: { ...node, assignment: { ...node.assignment, anchor: assignmentAnchor ?? null } }, cursor }
}

function json(value: unknown, status = 200): Body {
  return { status, type: 'application/json', bytes: Buffer.from(JSON.stringify(value)) }
}
