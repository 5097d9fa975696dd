/**
 * The GraphQL API of gateways (protocol §5.3), queried with the client of arweave-graphql. Only `gateway.ts` imports this, and only
 * when there is something to ask: the packages behind it take longer to load than a small audit takes.
 */
import { GetTransactionsDocument, type GetTransactionsQueryVariables, getSdk, SortOrder } from 'arweave-graphql'
import { visit } from 'graphql/language/visitor.js'
import { GraphQLClient } from 'graphql-request'
import { fetchError } from './fetch-error.ts'
import type { Http } from './http.ts'
import type { TransactionQuery } from './unit-sources.ts'
import { shown } from './unit-words.ts'

/** The requested part of a list: at most `first` members after the cursor `after`. */
export interface GraphqlPage {
  readonly first: number
  readonly after: string | undefined
}

/** One gateway. Its answers are not checked here. */
export interface Graphql {
  transactions(query: TransactionQuery, page: GraphqlPage): Promise<unknown>
  /** Blocks of these heights, both inclusive, ascending. */
  blocks(minHeight: number, maxHeight: number, page: GraphqlPage): Promise<unknown>
}

/**
 * A client of one gateway.
 *
 * @param http sends every request, so that all its bounds hold here too
 * @param endpoint the URL of its GraphQL; all errors name it
 * @returns queries that reject with AuditError: `WIRE_INVALID` if the gateway answers without data, and every error of `Http`
 */
export function createGraphql(http: Http, endpoint: string): Graphql {
  const client = new GraphQLClient(endpoint, { fetch: fetchThrough(http) })
  const { getBlocks } = getSdk(client)
  return {
    async transactions(query, { first, after }) {
      const variables: GetTransactionsQueryVariables = { ...filterOf(query), first, ...(after !== undefined && { after }) }
      const { transactions } = await client.request<{ transactions: unknown }>(TRANSACTIONS, variables)
      return transactions
    },
    async blocks(min, max, { first, after }) {
      const sort = SortOrder.HeightAsc
      const { blocks } = await getBlocks({ height: { min, max }, first, sort, ...(after !== undefined && { after }) })
      return blocks
    }
  }
}

/** The package's query leaves out the fields that verifying a signature needs. */
const TRANSACTIONS = withNodeFields(GetTransactionsDocument, ['signature', 'anchor'])

function withNodeFields(query: typeof GetTransactionsDocument, names: readonly string[]): typeof GetTransactionsDocument {
  const more = names.map((value) => ({ kind: 'Field', name: { kind: 'Name', value } }) as const)
  return visit(query, {
    Field({ name, selectionSet, ...rest }) {
      if (name.value !== 'node' || selectionSet === undefined) return undefined
      return { ...rest, name, selectionSet: { ...selectionSet, selections: [...selectionSet.selections, ...more] } }
    }
  })
}

function filterOf({ ids, owners, tags, sort }: TransactionQuery): GetTransactionsQueryVariables {
  return {
    ...(ids && { ids: [...ids] }),
    ...(owners && { owners: [...owners] }),
    ...(tags && { tags: tags.map(({ name, values }) => ({ name, values: [...values] })) }),
    sort: sort === 'HEIGHT_ASC' ? SortOrder.HeightAsc : SortOrder.HeightDesc
  }
}

/**
 * `fetch` as the client calls it. Only data reaches the client: every other answer of a gateway ends in an error here. The data is
 * already parsed, to a bounded depth; the client passes on an answer without a content type unchanged.
 */
function fetchThrough(http: Http) {
  return async (url: string, { body }: { readonly body: string }) => {
    const asked = { role: 'gateway', url } as const
    const { value } = await http.json({ ...asked, body, maxBytes: http.limits.graphqlBytes })
    const { data, errors } = (typeof value === 'object' && value !== null ? value : {}) as { data?: unknown; errors?: unknown }
    if (typeof data === 'object' && data !== null)
      return { ok: true, status: 200, headers: new Map(), text: async () => ({ data }) }
    const why = errors === undefined ? '' : `: ${shown(JSON.stringify(errors))}`
    throw fetchError('WIRE_INVALID', asked, `${shown(url)} answered without data${why}`, { alone: true })
  }
}
