/** Gateways: GraphQL and raw data (protocol §5.3). Several are asked in turn until one answers. */
import { AuditError } from '../model/errors.ts'
import type { BlockRecord, TransactionRecord } from '../model/records.ts'
import { type Asked, fetchError } from './fetch-error.ts'
import type { Graphql } from './graphql.ts'
import type { Http } from './http.ts'
import { blocksSchema, headerSchema, parseWire, transactionsSchema } from './unit-schemas.ts'
import type { GatewaySource, Served, TransactionQuery } from './unit-sources.ts'

interface Gateway {
  readonly url: string
  /** Who answers its GraphQL questions: its own URL, or the endpoint that the user named for it. */
  readonly listedBy: string
  readonly endpoint: Asked
  readonly graphql: () => Promise<Graphql>
}

/** A gateway to ask. */
interface GatewayAddress {
  readonly url: string
  /** Its GraphQL endpoint, if that is not its own `/graphql`. */
  readonly graphql?: string | undefined
}

const PAGE = 100
/** A gateway may put fewer items on a page than requested, but no fewer than this. */
const PAGE_LEAST = 10
const GONE = [404, 410]

/**
 * @param urls base URLs, in the order in which they are asked
 * @param graphqls GraphQL endpoints, the first for the first gateway and so on; other gateways use their own `/graphql`
 */
export function createGateway(http: Http, urls: readonly string[], graphqls: readonly string[] = []): GatewaySource {
  const addresses = urls.map((url, place): GatewayAddress => ({ url, graphql: graphqls[place] }))
  return createNoting(http, addresses, new Map())
}

/** @param unheard the first failure of each gateway, by its URL; shared with the sources that ask a single gateway */
function createNoting(http: Http, addresses: readonly GatewayAddress[], unheard: Map<string, AuditError>): GatewaySource {
  const gateways = addresses.map((address) => openGateway(http, address))

  /** Keeps the first failure of each gateway; that it is away says more than that it failed at one question. */
  const note = ({ url }: Gateway, failure: AuditError): void => {
    const known = unheard.get(url)
    if (known === undefined || (known.alone && !failure.alone)) unheard.set(url, failure)
  }

  /**
   * Asks one gateway after another; `undefined` means that a gateway does not have it. A gateway that is away is always noted; one
   * that fails only at this question is noted if no other gateway answers it.
   */
  async function inTurn<T>(ask: (gateway: Gateway) => Promise<T | undefined>): Promise<T | undefined> {
    const failures: { readonly gateway: Gateway; readonly error: AuditError }[] = []
    for (const gateway of gateways) {
      try {
        const found = await ask(gateway)
        if (found !== undefined) return found
      } catch (error) {
        if (!(error instanceof AuditError) || error.code === 'INTERRUPTED') throw error
        failures.push({ gateway, error })
        if (!error.alone) note(gateway, error)
      }
    }
    for (const { gateway, error } of failures) note(gateway, error)
    const [first] = failures
    // At least one gateway answered that it does not have it.
    if (first === undefined || failures.length < gateways.length) return undefined
    if (failures.length === 1) throw first.error
    const why = failures.map(({ error }) => error.message).join('; ')
    throw new AuditError('UNIT_UNREACHABLE', `no gateway answered: ${why}`, {
      hint: 'name another with --gateway URL',
      cause: first.error,
      unit: { role: 'gateway', url: gateways.map(({ url }) => url).join(', ') },
      alone: failures.every(({ error }) => error.alone)
    })
  }

  const served = (path: string, maxBytes: number): Promise<Served | undefined> =>
    inTurn(async ({ url }) => {
      const accept = (status: number) => GONE.includes(status)
      const { status, bytes } = await http.bytes({ role: 'gateway', url: `${url}/${path}`, maxBytes, accept })
      return status === 200 ? { bytes, gateway: url } : undefined
    })

  const source: GatewaySource = {
    urls: gateways.map(({ url }) => url),
    listedBy: gateways.map(({ listedBy }) => listedBy),
    each: () => (gateways.length === 1 ? [source] : addresses.map((address) => createNoting(http, [address], unheard))),
    unheard: () => [...unheard.values()],

    async transactions(query) {
      const found = await inTurn(async (gateway) => {
        const records = await readTransactions(gateway, query)
        return records.length > 0 ? records : undefined
      })
      return found ?? []
    },

    raw: (id, maxBytes) => served(`raw/${id}`, maxBytes),
    headerBytes: (id, maxBytes) => served(`tx/${id}`, maxBytes),
    blockBytes: (height, maxBytes) => served(`block/height/${height}`, maxBytes),

    header: (id) =>
      inTurn(async ({ url }) => {
        const accept = (status: number) => GONE.includes(status)
        const at = `${url}/tx/${id}`
        const { status, value } = await http.json({ role: 'gateway', url: at, maxBytes: http.limits.recordBytes, accept })
        return status === 200 ? parseWire(headerSchema, value, { role: 'gateway', url: at }) : undefined
      }),

    async blocks(fromHeight, toHeight) {
      let fullest: readonly BlockRecord[] = []
      // A gateway that lags behind does not have the newest blocks yet, but the next one may.
      const whole = await inTurn(async (gateway) => {
        const blocks = await readBlocks(gateway, fromHeight, toHeight)
        if (blocks.length > fullest.length) fullest = blocks
        return blocks.length > toHeight - fromHeight ? blocks : undefined
      })
      return whole ?? fullest
    }
  }
  return source
}

/** Loads the client with the first query, so that the demo and audits of archives, which ask no gateway, do not wait for it. */
function openGateway(http: Http, address: GatewayAddress): Gateway {
  const url = address.url.replace(/\/+$/, '')
  const own = `${url}/graphql`
  const at = address.graphql ?? own
  const graphql = async () => (await import('./graphql.ts')).createGraphql(http, at)
  return { url, listedBy: at === own ? url : at, endpoint: { role: 'gateway', url: at }, graphql }
}

async function readTransactions(
  { listedBy, endpoint, graphql }: Gateway,
  query: TransactionQuery
): Promise<TransactionRecord[]> {
  const client = await graphql()
  const { limit } = query
  const records: TransactionRecord[] = []
  let asked = 0
  let after: string | undefined
  while (asked < limit) {
    const first = Math.min(PAGE, limit - asked)
    const page = await client.transactions(query, { first, after })
    const { pageInfo, edges } = parseWire(transactionsSchema, page, endpoint)
    for (const { node } of edges.slice(0, first)) {
      const { block, bundledIn, ...rest } = node
      const record = {
        ...rest,
        recipient: node.recipient ?? '',
        anchor: node.anchor ?? '',
        blockHeight: block?.height ?? null,
        ...(bundledIn == null ? {} : { bundledIn: bundledIn.id }),
        gateway: listedBy
      }
      // Ignores records that do not match the query.
      if (answers(record, query)) records.push(record)
    }
    asked += first
    after = edges.at(-1)?.cursor
    if (!pageInfo.hasNextPage || after === undefined) break
  }
  return records
}

function answers({ id, owner, tags }: TransactionRecord, query: TransactionQuery): boolean {
  const carries = (name: string, values: readonly string[]) =>
    tags.some((tag) => tag.name === name && values.includes(tag.value))
  return (
    (query.ids?.includes(id) ?? true) &&
    (query.owners?.some((address) => address === owner.address) ?? true) &&
    (query.tags ?? []).every(({ name, values }) => carries(name, values))
  )
}

async function readBlocks({ listedBy, endpoint, graphql }: Gateway, min: number, max: number): Promise<BlockRecord[]> {
  const client = await graphql()
  const blocks = new Map<number, BlockRecord>()
  const maxPages = Math.ceil((max - min + 1) / PAGE_LEAST) + 1
  let after: string | undefined
  for (let page = 0; ; page++) {
    if (page >= maxPages)
      throw fetchError(
        'ANSWER_TOO_LARGE',
        endpoint,
        `${listedBy} serves blocks ${min} to ${max} in more than ${maxPages} pages`
      )
    const answer = await client.blocks(min, max, { first: PAGE, after })
    const { pageInfo, edges } = parseWire(blocksSchema, answer, endpoint)
    const known = blocks.size
    for (const { node } of edges) {
      // Gateways give seconds.
      if (node.height >= min && node.height <= max)
        blocks.set(node.height, { height: node.height, timestamp: node.timestamp * 1000 })
    }
    after = edges.at(-1)?.cursor
    if (!pageInfo.hasNextPage || after === undefined || blocks.size === known) break
  }
  return [...blocks.values()].sort((left, right) => left.height - right.height)
}
