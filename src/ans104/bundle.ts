/** ANS-104 bundles: several items in one piece of data. An item may be a bundle itself. */
import type { TransactionId } from '../model/ids.ts'
import { type Tag, tagValue } from '../model/records.ts'
import { READ_TAG_LIMITS, type TagLimits } from './avro-tags.ts'
import { ByteReader, encodeBase64url, type Parsed } from './bytes.ts'
import { type DataItem, idOfSignature, parseDataItem } from './data-item.ts'

export interface BundleLimits {
  /** How deep nested bundles are opened: 1 opens only the given one. */
  readonly maxDepth: number
  /** Items of a bundle, including those of nested bundles. */
  readonly maxItems: number
  readonly tags: TagLimits
}

export const READ_BUNDLE_LIMITS: BundleLimits = { maxDepth: 2, maxItems: 10_000, tags: READ_TAG_LIMITS }

export interface BundleItem {
  /** The id in the bundle's index; equal to the item's own id if `item` is ok. */
  readonly id: TransactionId
  /** 1: an item of the bundle itself; 2: an item of a bundle in it; … */
  readonly depth: number
  /** A malformed item does not affect its neighbours. The signature is not checked: see `verifyItem`. */
  readonly item: Parsed<DataItem>
  /** Why its items are not listed, if it is tagged as a bundle. */
  readonly unopened?: string
}

const COUNT_BYTES = 32
const ENTRY_BYTES = 64

/**
 * The items of a bundle; the items of a nested bundle follow it. Items are views into `bytes`.
 *
 * @param bytes the data of a transaction or item that is tagged as a bundle
 */
export function parseBundle(bytes: Uint8Array, limits: BundleLimits = READ_BUNDLE_LIMITS): Parsed<readonly BundleItem[]> {
  return parseLevel(bytes, limits, 1)
}

function parseLevel(bytes: Uint8Array, limits: BundleLimits, depth: number): Parsed<readonly BundleItem[]> {
  const reader = new ByteReader(bytes)
  const count = reader.unsigned(COUNT_BYTES)
  if (count > limits.maxItems) return { ok: false, reason: `a bundle of ${count} items is too large` }
  const index = new ByteReader(reader.take(count * ENTRY_BYTES))
  const found: BundleItem[] = []
  for (let left = count; left > 0 && reader.failure === undefined; left--) {
    const size = index.unsigned(COUNT_BYTES)
    const id = encodeBase64url(index.take(COUNT_BYTES)) as TransactionId
    if (index.failure !== undefined) reader.fail(index.failure)
    const item = withId(id, parseDataItem(reader.take(size), limits.tags))
    const inner = item.ok && isBundle(item.value.tags) ? openInner(item.value.data, limits, depth, found.length + 1) : undefined
    found.push({ id, depth, item, ...(inner === undefined || inner.ok ? {} : { unopened: inner.reason }) })
    if (inner?.ok) found.push(...inner.value)
    if (found.length > limits.maxItems) reader.fail(`more than ${limits.maxItems} items`)
  }
  return reader.failure === undefined ? { ok: true, value: found } : { ok: false, reason: `bundle: ${reader.failure}` }
}

function openInner(bytes: Uint8Array, limits: BundleLimits, depth: number, found: number): Parsed<readonly BundleItem[]> {
  if (depth >= limits.maxDepth) return { ok: false, reason: `bundles nest deeper than ${limits.maxDepth} levels` }
  return parseLevel(bytes, { ...limits, maxItems: limits.maxItems - found }, depth + 1)
}

function withId(id: TransactionId, item: Parsed<DataItem>): Parsed<DataItem> {
  if (!item.ok || idOfSignature(item.value.signature) === id) return item
  return { ok: false, reason: 'the id does not match the signature' }
}

/** Whether tags say that the data is a bundle in binary form. */
function isBundle(tags: readonly Tag[]): boolean {
  return tagValue(tags, 'Bundle-Format') === 'binary' && tagValue(tags, 'Bundle-Version') === '2.0.0'
}
