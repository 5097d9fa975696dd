/** ANS-104 bundles: items in one piece of data, which may be bundles again. */
import type { TransactionId } from '../model/ids.ts'
import { type Tag, tagValue } from '../model/records.ts'
import { READ_TAG_LIMITS, type TagLimits } from './avro-tags.ts'
import { ByteReader, encodeBase64url, type Parsed } from './bytes.ts'
import { type DataItem, idOfSignature, parseDataItem } from './data-item.ts'

export interface BundleLimits {
  /** Bundles in bundles that are opened: 1 opens the given one alone. */
  readonly maxDepth: number
  /** Items of one bundle and of all in it together. */
  readonly maxItems: number
  readonly tags: TagLimits
}

export const READ_BUNDLE_LIMITS: BundleLimits = { maxDepth: 2, maxItems: 10_000, tags: READ_TAG_LIMITS }

export interface BundleItem {
  /** As the bundle's index names it; equal to the item's own where `item` is ok. */
  readonly id: TransactionId
  /** 1: in the bundle itself; 2: in a bundle that is an item of it; … */
  readonly depth: number
  /** Why it cannot be read does not touch its neighbours. Its signature is not looked at: see `verifyItem`. */
  readonly item: Parsed<DataItem>
  /** Why the items in it are not listed, where it is tagged as a bundle. */
  readonly unopened?: string
}

const COUNT_BYTES = 32
const ENTRY_BYTES = 64

/**
 * The items of a bundle, each followed by those in it where it is a bundle itself. Items are views into `bytes`.
 *
 * @param bytes the data of a transaction or item that is tagged as a bundle
 */
export function parseBundle(bytes: Uint8Array, limits: BundleLimits = READ_BUNDLE_LIMITS): Parsed<readonly BundleItem[]> {
  return parseLevel(bytes, limits, 1)
}

function parseLevel(bytes: Uint8Array, limits: BundleLimits, depth: number): Parsed<readonly BundleItem[]> {
  const reader = new ByteReader(bytes)
  const count = reader.unsigned(COUNT_BYTES)
  if (count > limits.maxItems) return { ok: false, reason: `a bundle of ${count} items` }
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
  if (depth >= limits.maxDepth) return { ok: false, reason: `deeper than ${limits.maxDepth} bundles` }
  return parseLevel(bytes, { ...limits, maxItems: limits.maxItems - found }, depth + 1)
}

function withId(id: TransactionId, item: Parsed<DataItem>): Parsed<DataItem> {
  if (!item.ok || idOfSignature(item.value.signature) === id) return item
  return { ok: false, reason: 'the id is not that of the signature' }
}

/** Whether tags say that the data is a bundle in binary form. */
function isBundle(tags: readonly Tag[]): boolean {
  return tagValue(tags, 'Bundle-Format') === 'binary' && tagValue(tags, 'Bundle-Version') === '2.0.0'
}
