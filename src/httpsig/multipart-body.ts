/** Multipart bodies: the nested messages of an answer, and the values that are too long for a header. */
import { createHash } from 'node:crypto'
import { EMPTY, type Parsed } from '../ans104/bytes.ts'
import type { HttpsigLimits } from './httpsig-limits.ts'
import { createTreeBuilder, type MessageNode, type TreeBuilder } from './message-node.ts'
import { latin1, textOf } from './signature-base.ts'

const CONTENT_TYPE = /^multipart\/form-data; ?boundary="([\w'()+,./:=? -]{1,70})"$/

/**
 * The boundary of a multipart body.
 *
 * @param contentType the header's value
 * @returns undefined for content of another type
 */
export function boundaryOf(contentType: string): string | undefined {
  return CONTENT_TYPE.exec(contentType)?.[1]
}

/**
 * Parses a multipart body to a tree. Header lines of parts are `name: value`, and a value may have line feeds; what the node wrote with
 * CR and LF inside a value cannot be told from lines, and does not give the id that was signed.
 *
 * @param body all of it, from the first boundary to the last
 * @param boundary see `boundaryOf`
 * @param inlineKey the name of the part that has none, `content-disposition: inline`
 * @param limits on parts, messages, fields and depth
 * @returns the root, which has only what the body brings; anything that is not exactly of the form is a failure
 *
 * @example
 * ```ts
 * parseMultipart(body, boundary, 'body', HTTPSIG_LIMITS) // value: { fields, children: Map { 'results' => … } }
 * ```
 */
export function parseMultipart(
  body: Uint8Array,
  boundary: string,
  inlineKey: string,
  limits: Pick<HttpsigLimits, 'maxParts' | 'maxFields' | 'maxDepth' | 'maxMessages'>
): Parsed<MessageNode> {
  const tree = createTreeBuilder(limits)
  const fail = (reason: string): Parsed<MessageNode> => ({ ok: false, reason: `multipart body: ${reason}` })
  const parts = splitParts(Buffer.from(body.buffer, body.byteOffset, body.byteLength), boundary, limits.maxParts)
  if (!parts.ok) return fail(parts.reason)
  let fields = 0
  for (const bytes of parts.value) {
    const part = parsePart(bytes, limits.maxFields - fields)
    if (!part.ok) return fail(part.reason)
    fields += part.value.fields.size
    const failure = placePart(tree, part.value, inlineKey)
    if (failure !== undefined) return fail(failure)
  }
  return { ok: true, value: tree.root }
}

const LINE_END = '\r\n'

function splitParts(body: Buffer, boundary: string, maximum: number): Parsed<readonly Buffer[]> {
  const first = Buffer.from(`--${boundary}${LINE_END}`)
  const between = Buffer.from(`${LINE_END}--${boundary}`)
  if (!body.subarray(0, first.length).equals(first)) return { ok: false, reason: 'it does not begin with its boundary' }
  const parts: Buffer[] = []
  let from = first.length
  for (;;) {
    const end = body.indexOf(between, from)
    if (end < 0) return { ok: false, reason: 'it does not end with its boundary' }
    parts.push(body.subarray(from, end))
    if (parts.length > maximum) return { ok: false, reason: `more than ${maximum} parts` }
    const after = end + between.length
    const next = body.toString('latin1', after, after + 2)
    from = after + LINE_END.length
    if (next === '--' && from === body.length) return { ok: true, value: parts }
    if (next !== LINE_END) return { ok: false, reason: 'text follows a boundary on its line' }
  }
}

interface BodyPart {
  readonly disposition: string
  readonly fields: Map<string, Uint8Array>
  readonly body: Uint8Array | undefined
}

function parsePart(bytes: Buffer, maximum: number): Parsed<BodyPart> {
  const blank = bytes.indexOf(LINE_END + LINE_END)
  const head = blank < 0 ? bytes : bytes.subarray(0, blank)
  const fields = new Map<string, Uint8Array>()
  for (let from = 0; from < head.length; ) {
    const found = head.indexOf(LINE_END, from)
    const end = found < 0 ? head.length : found
    const colon = head.indexOf(': ', from)
    if (colon <= from || colon >= end) return { ok: false, reason: 'a line is not a field' }
    const name = head.toString('latin1', from, colon)
    if (fields.has(name)) return { ok: false, reason: `${name} occurs twice in one part` }
    fields.set(name, head.subarray(colon + 2, end))
    if (fields.size > maximum) return { ok: false, reason: 'too many fields' }
    from = end + LINE_END.length
  }
  const disposition = textOf(fields.get('content-disposition') ?? EMPTY)
  fields.delete('content-disposition')
  const body = blank < 0 ? undefined : bytes.subarray(blank + 2 * LINE_END.length)
  return { ok: true, value: { disposition, fields, body } }
}

const NAMED = /^form-data; ?name="([\s\S]*)"$/

function placePart(tree: TreeBuilder, { disposition, fields, body }: BodyPart, inlineKey: string): string | undefined {
  const name = disposition === 'inline' ? inlineKey : NAMED.exec(disposition)?.[1]
  if (name === undefined) return 'a part has no name'
  const path = name.split('/')
  if (fields.size === 0 && body !== undefined) return tree.putValue(path, body)
  if (body === undefined) return tree.putMessage(path, isEmptyMessage(fields) ? new Map() : fields)
  const key = textOf(fields.get('ao-body-key') ?? latin1('body'))
  if (fields.has(key)) return `${key} occurs twice in one part`
  fields.delete('ao-body-key')
  return tree.putMessage(path, fields.set(key, body))
}

/** HyperBEAM writes a message without fields with a type in place of them. */
function isEmptyMessage(fields: ReadonlyMap<string, Uint8Array>): boolean {
  return fields.size === 1 && textOf(fields.get('ao-types') ?? EMPTY) === 'empty-message'
}

/** A value longer than this, in bytes, is signed as a part of the body. */
export const MAX_HEADER_VALUE_BYTES = 4096

/** The body of a message in its signed form. */
export interface SignedBody {
  /** The value of `content-digest`. */
  readonly digest: Uint8Array
  /** The value of `content-type`, if the body has parts. */
  readonly contentType?: Uint8Array
}

/**
 * The signed form of a message's body: the one value itself, or a multipart body if there are values that are too long for headers.
 *
 * @param inlineKey the name of the value that may stand alone
 * @param values by name
 * @returns what `content-digest` and `content-type` are then
 *
 * @example
 * ```ts
 * signedBody('body', new Map([['body', Buffer.from('a')]])) // digest: sha-256=:ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs=:
 * ```
 */
export function signedBody(inlineKey: string, values: ReadonlyMap<string, Uint8Array>): SignedBody {
  const alone = values.get(inlineKey)
  if (values.size === 0 || (values.size === 1 && alone !== undefined)) return { digest: digestOf([alone ?? EMPTY]) }
  const parts = [...values.keys()].toSorted(byBytes).map((name) => {
    const disposition = name === inlineKey ? 'inline' : `form-data;name="${name}"`
    return [latin1(`content-disposition: ${disposition}${LINE_END}${LINE_END}`), values.get(name) ?? EMPTY]
  })
  const hash = createHash('sha256')
  for (const [place, bytes] of parts.entries())
    for (const piece of place > 0 ? [latin1(LINE_END), ...bytes] : bytes) hash.update(piece)
  const boundary = hash.digest('base64url')
  const body = parts.flatMap((bytes, place) => [latin1(`${place > 0 ? LINE_END : ''}--${boundary}${LINE_END}`), ...bytes])
  const digest = digestOf([...body, latin1(`${LINE_END}--${boundary}--`)])
  return { digest, contentType: latin1(`multipart/form-data; boundary="${boundary}"`) }
}

/** The value of `content-digest` for these bytes, joined. */
export function digestOf(pieces: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256')
  for (const piece of pieces) hash.update(piece)
  return latin1(`sha-256=:${hash.digest('base64')}:`)
}

/** The order of names that are text with a character for each byte. */
export function byBytes(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
