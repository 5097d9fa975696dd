/** The used part of a gateway's GraphQL, with a real parser, so that it refuses queries that a gateway would refuse. */
import { createHash } from 'node:crypto'
import { buildSchema, graphql } from 'graphql'
import type { FakeBlock, FakeTransaction } from './data.ts'

const SCHEMA = buildSchema(`
  enum SortOrder { HEIGHT_ASC HEIGHT_DESC INGESTED_AT_ASC INGESTED_AT_DESC }
  input TagFilter { name: String!, values: [String!]! }
  input BlockFilter { min: Int, max: Int }
  type Tag { name: String!, value: String! }
  type Owner { address: String!, key: String! }
  type Amount { winston: String!, ar: String! }
  type MetaData { size: String!, type: String }
  type Block { id: ID!, timestamp: Int!, height: Int!, previous: ID! }
  type Bundle { id: ID! }
  type Transaction {
    id: ID!, anchor: String!, signature: String!, recipient: String!, owner: Owner!, fee: Amount!, quantity: Amount!
    data: MetaData!, tags: [Tag!]!, block: Block, bundledIn: Bundle
  }
  type PageInfo { hasNextPage: Boolean! }
  type TransactionEdge { cursor: String!, node: Transaction! }
  type TransactionConnection { pageInfo: PageInfo!, edges: [TransactionEdge!]! }
  type BlockEdge { cursor: String!, node: Block! }
  type BlockConnection { pageInfo: PageInfo!, edges: [BlockEdge!]! }
  type Query {
    transactions(
      ids: [ID!], owners: [String!], recipients: [String!], tags: [TagFilter!], bundledIn: [ID!], block: BlockFilter
      first: Int, after: String, sort: SortOrder
    ): TransactionConnection!
    blocks(ids: [ID!], height: BlockFilter, first: Int, after: String, sort: SortOrder): BlockConnection!
  }`)

interface PageArguments {
  readonly first?: number
  readonly after?: string
  readonly sort?: string
}

interface TransactionArguments extends PageArguments {
  readonly ids?: readonly string[]
  readonly owners?: readonly string[]
  readonly tags?: readonly { readonly name: string; readonly values: readonly string[] }[]
}

/** Answers one POST body as a gateway would. */
export async function answerGraphql(
  body: string,
  transactions: readonly FakeTransaction[],
  blocks: readonly FakeBlock[]
): Promise<unknown> {
  const { query, variables } = JSON.parse(body) as { query: string; variables: Record<string, unknown> }
  const rootValue = {
    transactions: (asked: TransactionArguments) =>
      page(
        byHeight(
          transactions.filter((transaction) => matches(transaction, asked)),
          asked.sort
        ).map(transactionNode),
        asked
      ),
    blocks: (asked: PageArguments & { readonly height?: { readonly min?: number; readonly max?: number } }) => {
      const { min = 0, max = Number.POSITIVE_INFINITY } = asked.height ?? {}
      const inRange = blocks.filter(({ height }) => height >= min && height <= max)
      return page(byHeight(inRange, asked.sort).map(blockNode), asked)
    }
  }
  return graphql({ schema: SCHEMA, source: query, rootValue, variableValues: variables })
}

function matches({ id, owner, tags }: FakeTransaction, asked: TransactionArguments): boolean {
  const carries = (name: string, values: readonly string[]) =>
    tags.some((tag) => tag.name === name && values.includes(tag.value))
  return (
    (asked.ids?.includes(id) ?? true) &&
    (asked.owners?.includes(owner.address) ?? true) &&
    (asked.tags ?? []).every(({ name, values }) => carries(name, values))
  )
}

function byHeight<T extends { readonly height: number }>(all: readonly T[], sort = 'HEIGHT_DESC'): T[] {
  return [...all].sort((left, right) => (sort.endsWith('ASC') ? left.height - right.height : right.height - left.height))
}

function page<T>(all: readonly T[], { first = 10, after }: PageArguments) {
  const start = after === undefined ? 0 : Number(after) + 1
  const size = Math.min(first, 100)
  return {
    pageInfo: { hasNextPage: all.length > start + size },
    edges: all.slice(start, start + size).map((node, place) => ({ cursor: String(start + place), node }))
  }
}

function transactionNode(transaction: FakeTransaction) {
  const { id, owner, signature, anchor, target, tags, height, bundledIn } = transaction
  const nothing = { winston: '0', ar: '0' }
  const data = { size: '0', type: null }
  const block = blockNode({ height, timestamp: 0 })
  return {
    id,
    owner,
    signature,
    anchor,
    recipient: target,
    tags,
    fee: nothing,
    quantity: nothing,
    data,
    block,
    bundledIn: bundledIn === undefined ? null : { id: bundledIn }
  }
}

function blockNode({ height, timestamp }: FakeBlock) {
  const id = createHash('sha384').update(`block ${height}`).digest('base64url')
  return { id, height, timestamp: Math.floor(timestamp / 1000), previous: id }
}
