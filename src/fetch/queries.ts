/** What gateways are asked over GraphQL (protocol §5.3): only what is read. */

export const TRANSACTIONS_QUERY = `query transactions(
  $ids: [ID!], $owners: [String!], $tags: [TagFilter!], $first: Int, $after: String, $sort: SortOrder
) {
  transactions(ids: $ids, owners: $owners, tags: $tags, first: $first, after: $after, sort: $sort) {
    pageInfo { hasNextPage }
    edges {
      cursor
      node {
        id
        signature
        anchor
        recipient
        owner { address key }
        tags { name value }
        block { height }
        bundledIn { id }
      }
    }
  }
}`

export const BLOCKS_QUERY = `query blocks($height: BlockFilter, $first: Int, $after: String, $sort: SortOrder) {
  blocks(height: $height, first: $first, after: $after, sort: $sort) {
    pageInfo { hasNextPage }
    edges { cursor node { height timestamp } }
  }
}`
