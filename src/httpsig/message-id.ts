/** Ids of messages (`httpsig@1.0`), and the form of a message that is signed: without nested messages, each by its id. */
import { createHash, createHmac } from 'node:crypto'
import { decodeBase64url, encodeBase64url, type Parsed } from '../ans104/bytes.ts'
import { isIdOf } from '../ans104/data-item.ts'
import { coveredName, LINK, signedName } from './field-names.ts'
import { COMMITMENTS, listOf, type MessageNode } from './message-node.ts'
import { byBytes, MAX_HEADER_VALUE_BYTES, signedBody } from './multipart-body.ts'
import { latin1, signatureBase, textOf } from './signature-base.ts'

/** The key with which anybody can make the HMAC of a message: it names a message, and proves no sender. */
export const PUBLIC_HMAC_KEY = 'constant:ao'

const ID_BITS = 256

/**
 * The most signers whose ids are added to the id of one message. Sums of many hashes can be found on purpose (Wagner's generalized
 * birthday: some 2^85 hashes for four, 2^64 for eight, 2^23 for a thousand), and would let another message stand under a signed id.
 */
export const MAX_SUMMED = 4

/** The id of a bare value: base64url(SHA-256(bytes)). */
export function valueId(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url')
}

/** The id of a commitment: the hash of its signature. An HMAC is its own id. */
export function commitmentId(signature: Uint8Array): string {
  return signature.length * 8 === ID_BITS ? encodeBase64url(signature) : valueId(signature)
}

/**
 * The id of a message with several signatures: the sum of their ids modulo 2^256.
 *
 * @param ids of 32 bytes each, in any order
 * @returns the id; that of one signature is its own
 *
 * @example
 * ```ts
 * sumOfIds([id]) // id
 * ```
 */
export function sumOfIds(ids: readonly string[]): string {
  const sum = ids.reduce((total, id) => total + BigInt(`0x0${Buffer.from(id, 'base64url').toString('hex')}`), 0n)
  return Buffer.from(
    BigInt.asUintN(ID_BITS, sum)
      .toString(16)
      .padStart(ID_BITS / 4, '0'),
    'hex'
  ).toString('base64url')
}

/** The HMAC-SHA-256 under the public key. */
export function publicHmac(base: Uint8Array): Uint8Array {
  return createHmac('sha256', PUBLIC_HMAC_KEY).update(base).digest()
}

/** Ids of the messages in trees; each is computed once. */
export interface MessageIds {
  /** The id of a message: of its signatures if it has any, else of its fields. A failure says why it has none. */
  idOf(node: MessageNode): Parsed<string>
  /** What is hashed for the id of a message's fields, whoever signed it. */
  checksumBaseOf(node: MessageNode): Parsed<Uint8Array>
  /** The signed form of a message, by signed name; of some fields and nested messages alone, if `only` is given. */
  signedForm(node: MessageNode, only?: ReadonlySet<string>): Parsed<ReadonlyMap<string, Uint8Array>>
}

/**
 * Computes ids bottom-up.
 *
 * @returns functions over nodes, which must not change any more
 *
 * @example
 * ```ts
 * const fields = new Map([['name', Buffer.from('Data-Protocol')], ['value', Buffer.from('ao')]])
 * createMessageIds().idOf({ fields, children: new Map() }) // value: mxqlb8xnFF9WZwnz2Qe0nLz-rZ1kGjYdHynbolD0v2M
 * ```
 */
export function createMessageIds(): MessageIds {
  const known = new Map<MessageNode, Parsed<string>>()
  const ids: MessageIds = {
    idOf(node) {
      const id = known.get(node) ?? idOfSigners(node) ?? idOfFields(ids.checksumBaseOf(node))
      known.set(node, id)
      return id
    },
    checksumBaseOf: (node) => checksumBase(node, ids),
    signedForm: (node, only) => encodeFields(node, ids, only)
  }
  return ids
}

/** The commitments of a message that name a signer, by id. */
export function signedCommitments(node: MessageNode): readonly (readonly [id: string, commitment: MessageNode])[] {
  const commitments = [...(node.children.get(COMMITMENTS)?.children ?? [])]
  return commitments.filter(([, { fields }]) => fields.has('committer'))
}

function idOfSigners(node: MessageNode): Parsed<string> | undefined {
  const signed = signedCommitments(node)
  if (signed.length === 0) return undefined
  if (signed.length > MAX_SUMMED) return { ok: false, reason: `${signed.length} signers are too many for one id` }
  for (const [id, { fields }] of signed) {
    const signature = decodeBase64url(textOf(fields.get('signature') ?? new Uint8Array()))
    if (signature === undefined || !isIdOf(id, signature))
      return { ok: false, reason: 'the id of a commitment is not that of its signature' }
  }
  return { ok: true, value: sumOfIds(signed.map(([id]) => id)) }
}

/** Above this number HyperBEAM's order of names is that of Erlang's maps. */
const MAX_SORTED_NAMES = 32

function idOfFields(base: Parsed<Uint8Array>): Parsed<string> {
  return base.ok ? { ok: true, value: encodeBase64url(publicHmac(base.value)) } : base
}

function checksumBase(node: MessageNode, ids: MessageIds): Parsed<Uint8Array> {
  const form = ids.signedForm(node)
  if (!form.ok) return form
  return nestedBase(orderedNames(form.value, committedOrder(node)), form.value, CHECKSUM_PARAMETERS)
}

const CHECKSUM_PARAMETERS = new Map([
  ['alg', 'hmac-sha256'],
  ['keyid', PUBLIC_HMAC_KEY]
])

/** The names that the checksum of a message covers, as its commitment lists them. */
function committedOrder(node: MessageNode): readonly string[] {
  const commitments = [...(node.children.get(COMMITMENTS)?.children.values() ?? [])]
  const checksum = commitments.find(({ fields }) => textOf(fields.get('type') ?? new Uint8Array()) === 'hmac-sha256')
  return (listOf(checksum?.children.get('committed')) ?? []).map(textOf)
}

/**
 * The names of a signed form in the order in which they are signed.
 *
 * @param form by signed name
 * @param committed names in the order of the message's own list, without `+link`
 * @returns sorted by bytes, or as listed where there are too many to be sorted and the list has them all
 */
export function orderedNames(form: ReadonlyMap<string, Uint8Array>, committed: readonly string[]): readonly string[] {
  const sorted = [...form.keys()].toSorted(byBytes)
  if (form.size <= MAX_SORTED_NAMES) return sorted
  const listed = new Set(committed.map((name) => [name, `${name}${LINK}`].map(signedName).find((one) => form.has(one)) ?? ''))
  return listed.size === form.size && !listed.has('') ? [...listed] : sorted
}

/** The signature base over a signed form. */
export function nestedBase(
  names: readonly string[],
  form: ReadonlyMap<string, Uint8Array>,
  parameters: ReadonlyMap<string, string | number>
): Parsed<Uint8Array> {
  const lines = names.flatMap((name) => {
    const value = form.get(name)
    return value === undefined ? [] : [{ name: coveredName(name), value }]
  })
  return signatureBase(lines, parameters)
}

/** The name under which a message's own body stands. */
function inlineKeyOf(node: MessageNode): string {
  return !node.fields.has('body') && node.fields.has('data') ? 'data' : 'body'
}

function encodeFields(node: MessageNode, ids: MessageIds, only?: ReadonlySet<string>): Parsed<ReadonlyMap<string, Uint8Array>> {
  const isAsked = (name: string) => only?.has(name) ?? true
  const form = new Map<string, Uint8Array>()
  const clashes: string[] = []
  const put = (name: string, value: Uint8Array) => {
    if (form.has(name)) clashes.push(name)
    form.set(name, value)
  }
  const inlineKey = inlineKeyOf(node)
  const inBody = new Map<string, Uint8Array>()
  for (const [name, value] of node.fields) {
    if (!isAsked(name)) continue
    if (name === inlineKey || value.length > MAX_HEADER_VALUE_BYTES) inBody.set(name, value)
    else put(signedName(name), value)
  }
  for (const [name, child] of node.children) {
    if (name === COMMITMENTS || !isAsked(name)) continue
    const id = ids.idOf(child)
    if (!id.ok) return { ok: false, reason: `${name}: ${id.reason}` }
    put(signedName(`${name}${LINK}`), latin1(id.value))
  }
  if (inBody.size > 0) {
    const { digest, contentType } = signedBody(inlineKey, inBody)
    put('content-digest', digest)
    if (contentType !== undefined) put('content-type', contentType)
    if (inBody.has('data') && inlineKey === 'data') form.set('ao-body-key', latin1('data'))
  }
  if (clashes[0] !== undefined) return { ok: false, reason: `${clashes[0]} has two values` }
  return { ok: true, value: form }
}
