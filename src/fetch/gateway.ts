/** Gateways: GraphQL and raw data (ao-protocol §5.3). Several are asked in turn until one answers. */
import { getSdk, SortOrder } from 'arweave-graphql'
import { AuditError } from '../errors.ts'
import type { ModuleId } from '../ids.ts'
import type { BlockRecord, TransactionRecord } from '../records.ts'
import type { Http } from './http.ts'
import { blocksSchema, parseWire, transactionsSchema } from './schemas.ts'
import type { GatewaySource, TransactionQuery } from './sources.ts'

type Sdk = ReturnType<typeof getSdk>

const PAGE = 100
const BLOCKS_MAX = 1_000_000

/** @param urls base URLs, in the order in which they are asked */
export function createGateway(http: Http, urls: readonly string[]): GatewaySource {
  const gateways = urls.map((url) => url.replace(/\/+$/, '')).map((url) => ({ url, sdk: sdkOf(http, url) }))

  /** Asks one after another; `undefined` means: this one does not have it. */
  async function inTurn<T>(ask: (gateway: { readonly url: string; readonly sdk: Sdk }) => Promise<T | undefined>): Promise<T | undefined> {
    const failures: AuditError[] = []
    for (const gateway of gateways) {
      try {
        const found = await ask(gateway)
        if (found !== undefined) return found
      } catch (error) {
        if (!(error instanceof AuditError) || error.code === 'INTERRUPTED') throw error
        failures.push(error)
      }
    }
    const [first] = failures
    if (first === undefined || failures.length < gateways.length) return undefined
    if (failures.length === 1) throw first
    const message = `no gateway answered: ${failures.map((failure) => failure.message).join('; ')}`
    throw new AuditError('UNIT_UNREACHABLE', message.slice(0, 1000), { hint: 'name another with --gateway URL', cause: first })
  }

  return {
    urls: gateways.map(({ url }) => url),

    async transactions(query) {
      const found = await inTurn(async ({ url, sdk }) => {
        const records = await readTransactions(sdk, url, query)
        return records.length > 0 ? records : undefined
      })
      return found ?? []
    },

    raw: (id, maxBytes) =>
      inTurn(async ({ url }) => {
        const { status, bytes } = await http.bytes({ role: 'gateway', url: `${url}/raw/${id}`, maxBytes, accept: [404, 410] })
        return status === 200 ? { bytes, gateway: url } : undefined
      }),

    async blocks(fromHeight, toHeight) {
      const found = await inTurn(({ url, sdk }) => readBlocks(sdk, url, fromHeight, toHeight))
      return found ?? []
    }
  }
}

/** The typed queries of arweave-graphql over this project's own bounded client. */
function sdkOf(http: Http, url: string): Sdk {
  const client = {
    async request(document: { readonly loc?: { readonly source: { readonly body: string } } }, variables: unknown) {
      // The package's query leaves out what a signature is checked with.
      const query = (document.loc?.source.body ?? '').replace(/(transactions[\s\S]*?node\s*\{\s*id\b)/, '$1 signature anchor')
      const at = `${url}/graphql`
      const { value } = await http.json({ role: 'gateway', url: at, body: { query, variables }, maxBytes: http.limits.answerBytes })
      const data = typeof value === 'object' && value !== null ? (value as { data?: unknown }).data : undefined
      if (typeof data !== 'object' || data === null) throw new AuditError('WIRE_INVALID', `${at} answered without data`)
      return data
    }
  }
  return getSdk(client as unknown as Parameters<typeof getSdk>[0])
}

async function readTransactions(sdk: Sdk, url: string, query: TransactionQuery): Promise<TransactionRecord[]> {
  const { ids, owners, tags, limit, sort = 'HEIGHT_DESC' } = query
  const records: TransactionRecord[] = []
  let after: string | undefined
  while (records.length < limit) {
    const first = Math.min(PAGE, limit - records.length)
    const answer = await sdk.getTransactions({
      ...(ids === undefined ? {} : { ids: [...ids] }),
      ...(owners === undefined ? {} : { owners: [...owners] }),
      ...(tags === undefined ? {} : { tags: tags.map(({ name, values }) => ({ name, values: [...values] })) }),
      ...(after === undefined ? {} : { after }),
      first,
      sort: sort === 'HEIGHT_ASC' ? SortOrder.HeightAsc : SortOrder.HeightDesc
    })
    const { pageInfo, edges } = parseWire(transactionsSchema, answer.transactions, `${url}/graphql`)
    for (const { node } of edges.slice(0, first)) {
      records.push({
        id: node.id as ModuleId,
        owner: node.owner,
        tags: node.tags,
        recipient: node.recipient ?? '',
        anchor: node.anchor ?? '',
        signature: node.signature ?? '',
        blockHeight: node.block?.height ?? null,
        gateway: url
      })
    }
    after = edges.at(-1)?.cursor
    if (!pageInfo.hasNextPage || after === undefined) break
  }
  return records
}

async function readBlocks(sdk: Sdk, url: string, min: number, max: number): Promise<BlockRecord[]> {
  const blocks: BlockRecord[] = []
  let after: string | undefined
  while (blocks.length < BLOCKS_MAX) {
    const answer = await sdk.getBlocks({
      height: { min, max },
      first: PAGE,
      sort: SortOrder.HeightAsc,
      ...(after === undefined ? {} : { after })
    })
    const { pageInfo, edges } = parseWire(blocksSchema, answer.blocks, `${url}/graphql`)
    // A gateway gives seconds.
    for (const { node } of edges) blocks.push({ height: node.height, timestamp: node.timestamp * 1000 })
    after = edges.at(-1)?.cursor
    if (!pageInfo.hasNextPage || after === undefined) break
  }
  return blocks.filter(({ height }) => height >= min && height <= max).sort((left, right) => left.height - right.height)
}
