/** Commitments of `ans104@1.0`: a message that came as an ANS-104 item and is shown as fields. */
import { decodeTags, type EncodableTag, encodeTags } from '../ans104/avro-tags.ts'
import { decodeBase64url, EMPTY, encodeBase64url, equalBytes, type Parsed } from '../ans104/bytes.ts'
import { type DataItem, verifyItem } from '../ans104/data-item.ts'
import type { Commitment } from './commitment.ts'
import { sealCovered } from './covered-seal.ts'
import { latin1, textOf } from './signature-base.ts'
import type { SigningKey } from './signing-key.ts'

/** A tag as bytes. */
export interface RawTag {
  readonly name: Uint8Array
  readonly value: Uint8Array
}

/** What a commitment says of the item that it signs. */
export interface ItemClaim {
  readonly id: string
  readonly algorithm: string
  readonly names: readonly string[]
  /** The covered fields by their names in the message. */
  readonly committed: readonly string[]
  readonly key: SigningKey
  readonly signature: Uint8Array
  /** The item's target and anchor, base64url. */
  readonly target: string | undefined
  readonly anchor: string | undefined
  /** The item's tags; undefined if they are the covered fields themselves. */
  readonly tags: readonly RawTag[] | undefined
}

const RSA_ITEM = 1

/**
 * Builds the item that a commitment signs, and verifies it.
 *
 * @param claim of the commitment
 * @param fields of the message by name, as they were sent
 * @returns an `item` with what of the message is the item's; `refused`, if the signature does not fit
 *
 * @example
 * ```ts
 * verifyItemCommitment(claim, node.fields).kind // 'item'
 * ```
 */
export function verifyItemCommitment(claim: ItemClaim, fields: ReadonlyMap<string, Uint8Array>): Commitment {
  const { id, algorithm, names, committed, key } = claim
  const common = { id, algorithm, names }
  const tags = claim.tags ?? tagsOfFields(claim, fields)
  const dataKey = textOf(tags.find(({ name }) => textOf(name) === 'ao-data-key')?.value ?? latin1('data'))
  const shown = fields.get(dataKey) ?? fields.get('data') ?? fields.get('body') ?? EMPTY
  let reason = 'the signature does not match the item'
  // A tag may have the data's name, and the item no data.
  for (const data of shown.length > 0 ? [shown, EMPTY] : [shown]) {
    const item = itemOf(claim, tags, data)
    if (!item.ok) reason = item.reason
    if (!item.ok || verifyItem(item.value).status !== 'valid') continue
    const expected = expectedFields(tags, item.value, fields.has(dataKey) ? dataKey : fields.has('data') ? 'data' : 'body')
    const agrees = (name: string) => isSame(expected.get(name), fields.get(name))
    const covered = new Map(committed.filter(agrees).map((name) => [name, fields.get(name) ?? EMPTY]))
    return {
      ...common,
      kind: 'item',
      signer: key.address,
      item: sealCovered(item.value),
      content: sealCovered({ fields: covered, messages: new Map() }),
      differing: committed.filter((name) => !agrees(name))
    }
  }
  return { ...common, kind: 'refused', reason }
}

function isSame(expected: Uint8Array | undefined, shown: Uint8Array | undefined): boolean {
  return expected !== undefined && shown !== undefined && equalBytes(expected, shown)
}

function tagsOfFields({ committed, target }: ItemClaim, fields: ReadonlyMap<string, Uint8Array>): readonly RawTag[] {
  const others = new Set(['data', 'body', ...(target === undefined ? [] : ['target'])])
  const names = committed.filter((name) => !others.has(name))
  return names.map((name) => ({ name: latin1(name), value: fields.get(name) ?? EMPTY }))
}

function itemOf(claim: ItemClaim, tags: readonly EncodableTag[], data: Uint8Array): Parsed<DataItem> {
  const target = decodeBase64url(claim.target ?? '')
  const anchor = decodeBase64url(claim.anchor ?? '')
  if (target === undefined || anchor === undefined) return { ok: false, reason: 'target or anchor is not base64url' }
  const rawTags = encodeTags(tags)
  const decoded = decodeTags(rawTags)
  if (!decoded.ok) return decoded
  const { signature, key } = claim
  const fields = { signatureType: RSA_ITEM, signature, owner: key.modulus, target, anchor, rawTags, tags: decoded.value, data }
  return { ok: true, value: fields }
}

/** What HyperBEAM makes of an item: its data, target and anchor, and its tags under their names in lower case. */
function expectedFields(tags: readonly RawTag[], item: DataItem, dataKey: string): ReadonlyMap<string, Uint8Array> {
  const values = new Map<string, Uint8Array[]>()
  for (const { name, value } of tags) {
    const key = textOf(name).replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
    values.set(key, [...(values.get(key) ?? []), value])
  }
  const fields = new Map([...values].map(([name, all]) => [name, all.length === 1 ? (all[0] ?? EMPTY) : listed(all)]))
  if (item.target.length > 0) fields.set('target', latin1(encodeBase64url(item.target)))
  if (item.anchor.length > 0) fields.set('anchor', latin1(encodeBase64url(item.anchor)))
  if (item.data.length > 0) fields.set(dataKey, item.data)
  return fields
}

/** Tags of one name become one field, a list (RFC 8941). */
function listed(values: readonly Uint8Array[]): Uint8Array {
  return latin1(values.map((value) => `"${textOf(value).replaceAll(/["\\]/g, '\\$&')}"`).join(', '))
}

const HEADER_TAG = /(\d{1,6}):([\s\S]*?):([A-Za-z0-9_-]*)(?:, (?=\d{1,6}:)|$)/y

/**
 * Reads the parameter `original-tags`: `1:Name:base64url(value), 10:…, 2:…`.
 *
 * @param text the parameter
 * @returns the tags in the order of their numbers; undefined if one is missing, twice there or not canonical
 *
 * @example
 * ```ts
 * readHeaderTags('1:Action:TWludA') // [{ name: 'Action', value: 'Mint' }], as bytes
 * ```
 */
export function readHeaderTags(text: string): readonly RawTag[] | undefined {
  const tags = new Map<number, RawTag>()
  for (let at = 0; at < text.length; ) {
    HEADER_TAG.lastIndex = at
    const [whole, number, name, encoded] = HEADER_TAG.exec(text) ?? []
    const value = decodeBase64url(encoded ?? '')
    if (whole === undefined || name === undefined || value === undefined || tags.has(Number(number))) return undefined
    tags.set(Number(number), { name: latin1(name), value })
    at += whole.length
  }
  const inOrder = [...tags.keys()].toSorted((a, b) => a - b)
  if (inOrder.some((number, place) => number !== place + 1)) return undefined
  return inOrder.flatMap((number) => tags.get(number) ?? [])
}
