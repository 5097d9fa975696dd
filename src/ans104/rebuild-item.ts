/** Rebuilds the signed bytes of an item from the JSON that a scheduler or a gateway shows (protocol §1.4, §5.2). */
import type { Tag, WireItem } from '../model/records.ts'
import { encodeTags, encodeTagsOpen, encodeTagsSized } from './avro-tags.ts'
import { decodeBase64url, EMPTY } from './bytes.ts'
import { addressOfKey, type DataItem, isIdOf } from './data-item.ts'
import { ethereumAddress, SIGNATURE_TYPES } from './signature.ts'
import { type HiddenPart, invalid, type SignatureStatus, unverifiable } from './signature-status.ts'

/**
 * An item as JSON shows it. Bytes are exact; text may represent other bytes, and null may hide some. `data` is undefined if the
 * item has none.
 */
export type ShownItem = Omit<WireItem, 'data' | 'anchor'> & {
  readonly data?: string | Uint8Array | null
  readonly anchor: string | Uint8Array | null
}

export type Rebuilt =
  /** The possible items, likeliest first. If the signature covers none of them, it is invalid or a part in `hidden` differs. */
  | { readonly ok: true; readonly readings: readonly DataItem[]; readonly hidden: readonly HiddenPart[] }
  /** No item can be rebuilt; `verdict` is never `valid`. */
  | { readonly ok: false; readonly verdict: SignatureStatus }

const ANCHOR_BYTES = 32
const TARGET_BYTES = 32
/** Aptos signs something else than the hash, with keys that look like those of types 2 and 4. */
const AMBIGUOUS_TYPE = 5
const REPLACEMENT = '\u{FFFD}'

/** The bytes that may have been signed for a part, and whether others, which are not shown, are possible too. */
interface TagReadings {
  readonly choices: readonly Uint8Array[]
  readonly hidden: boolean
}

/**
 * Rebuilds the signed item. JSON does not show everything: the anchor may be text, base64url or hidden, the data's bytes may be
 * lost, the signature type follows from the key's length, and tags have three encodings. It returns every plausible reading.
 *
 * It reads all of the scheduler's JSON: a message, an assignment shown with `show-anchor`, a process.
 *
 * @example
 * ```ts
 * const rebuilt = rebuildFromWire(scheduled.assignment)
 * if (rebuilt.ok) encodeDataItem(rebuilt.readings[0]) // the bytes as uploaded, if the signature covers this reading
 * ```
 */
export function rebuildFromWire(shown: ShownItem): Rebuilt {
  const signature = decodeBase64url(shown.signature)
  const owner = decodeBase64url(shown.owner.key)
  if (signature === undefined || signature.length === 0) return withoutPart('signature', shown.signature)
  if (owner === undefined || owner.length === 0) return withoutPart('key', shown.owner.key)
  if (!isIdOf(shown.id, signature)) return refused(invalid('the id does not match the signature'))
  const address = judgeAddress(shown.owner.address, owner)
  if (address !== undefined) return refused(address)
  const types = typesOf(owner, signature)
  if (types.length === 0) return refused(invalid('no signature type has a key and a signature of these sizes'))
  const target = readTarget(shown.target)
  if (target === undefined) return refused(invalid('the target is not an id'))
  if (!isWellFormed(shown)) return refused(invalid('text that is not valid Unicode cannot have been signed'))
  const anchors = readAnchor(shown)
  const data = readData(shown.data)
  const { tags } = shown
  const readings = [encodeTags(tags), encodeTagsSized(tags), ...(tags.length === 0 ? [] : [encodeTagsOpen(tags)])].flatMap(
    (rawTags) =>
      types.flatMap((signatureType) =>
        anchors.choices.flatMap((anchor) =>
          data.choices.map((bytes) => ({ signatureType, signature, owner, target, anchor, rawTags, tags, data: bytes }))
        )
      )
  )
  return { ok: true, readings, hidden: hiddenParts(tags, anchors.hidden, data.hidden, types) }
}

function refused(verdict: SignatureStatus): Rebuilt {
  return { ok: false, verdict }
}

/** Some gateways answer with an empty text or a word in place of a part that they do not keep. */
function withoutPart(part: HiddenPart, text: string): Rebuilt {
  const said = /^[A-Za-z0-9_-]+$/.test(text)
  return refused(said ? invalid(`the ${part} is not base64url`) : unverifiable([part], `the ${part} is not shown`))
}

/** The module sees the address as the owner, so it must be the address of the key that signed. */
function judgeAddress(address: string, owner: Uint8Array): SignatureStatus | undefined {
  if (address === addressOfKey(owner)) return undefined
  if (owner.length === 65 && address.toLowerCase() === ethereumAddress(owner).toLowerCase()) return undefined
  if (owner.length === 32) return unverifiable(['key'], 'the address may be in a form specific to its key type')
  return invalid('the address does not match the key')
}

function typesOf(owner: Uint8Array, signature: Uint8Array): readonly number[] {
  const fits = [...SIGNATURE_TYPES].filter(
    ([, layout]) => layout.ownerBytes === owner.length && layout.signatureBytes === signature.length
  )
  return fits.map(([type]) => type)
}

function readTarget(target: string | null): Uint8Array | undefined {
  if (target === null || target === '') return EMPTY
  const bytes = decodeBase64url(target)
  return bytes?.length === TARGET_BYTES ? bytes : undefined
}

/**
 * An anchor has 32 bytes. For a message it is shown as text, or as null, just like no anchor; for an assignment as base64url with
 * `show-anchor`. Only these forms are read, so that a module also sees a valid message in the form that the rules require.
 */
function readAnchor({ anchor, data }: ShownItem): TagReadings {
  if (anchor instanceof Uint8Array) return { choices: [anchor], hidden: false }
  if (anchor === null || anchor === '') return { choices: [EMPTY], hidden: true }
  const text = Buffer.from(anchor)
  if (text.length === ANCHOR_BYTES) return { choices: [text], hidden: anchor.includes(REPLACEMENT) }
  const bytes = isMessageData(data) ? undefined : decodeBase64url(anchor)
  return bytes?.length === ANCHOR_BYTES ? { choices: [bytes], hidden: false } : { choices: [], hidden: true }
}

function readData(data: ShownItem['data']): TagReadings {
  if (data === null) return { choices: [], hidden: true }
  if (typeof data === 'string') return { choices: [Buffer.from(data)], hidden: data.includes(REPLACEMENT) }
  return { choices: [data ?? EMPTY], hidden: false }
}

/** Data is shown as text only for messages and processes. */
function isMessageData(data: ShownItem['data']): boolean {
  return data === null || typeof data === 'string'
}

/** A lone surrogate would be encoded as U+FFFD, so it would match a signature over text that the module does not see. */
function isWellFormed({ tags, anchor, data }: ShownItem): boolean {
  const texts = [anchor, data, ...tags.flatMap(({ name, value }) => [name, value])]
  return texts.every((text) => typeof text !== 'string' || !/\p{Surrogate}/u.test(text))
}

function hiddenParts(tags: readonly Tag[], anchor: boolean, data: boolean, types: readonly number[]): readonly HiddenPart[] {
  const hidden: HiddenPart[] = []
  if (data) hidden.push('data')
  if (anchor) hidden.push('anchor')
  if (tags.some(({ name, value }) => name.includes(REPLACEMENT) || value.includes(REPLACEMENT))) hidden.push('tags')
  if (types.includes(AMBIGUOUS_TYPE)) hidden.push('signature-type')
  return hidden
}
