/** Commitments of nested messages: `…/commitments/<id>` in the body of a bundled answer. */
import { decodeBase64url, EMPTY, encodeBase64url } from '../ans104/bytes.ts'
import { isIdOf } from '../ans104/data-item.ts'
import { defined } from '../util/defined.ts'
import type { Commitment } from './commitment.ts'
import { sealCovered } from './covered-seal.ts'
import { type RawTag, verifyItemCommitment } from './item-commitment.ts'
import { FIELDS_ALGORITHM, type Judging, TOO_MANY_SIGNATURES, UNREADABLE_TAGS, unsupportedReason } from './judging.ts'
import { nodeValues } from './linked-content.ts'
import { nestedBase, orderedNames, PUBLIC_HMAC_KEY, publicHmac } from './message-id.ts'
import { COMMITMENTS, listOf, type MessageNode, numbered } from './message-node.ts'
import { textOf } from './signature-base.ts'
import { type SigningKey, signingKey, signsFields } from './signing-key.ts'
import type { SignatureParameter } from './structured-fields.ts'

/**
 * Judges the commitments of one nested message.
 *
 * @param node the message
 * @param judging see there
 * @returns one for each, in the order in which they came
 *
 * @example
 * ```ts
 * judgeNested(node, judging) // [{ kind: 'checksum', … }, { kind: 'item', … }]
 * ```
 */
export function judgeNested(node: MessageNode, judging: Judging): readonly Commitment[] {
  const commitments = [...(node.children.get(COMMITMENTS)?.children ?? [])]
  const tooMany = commitments.length > judging.limits.maxCommitments
  return commitments.map(([id, commitment]) => {
    const claim = readClaim(id, commitment)
    return tooMany ? refusedClaim(claim, 'one message has too many commitments') : judgeOne(node, claim, judging)
  })
}

/** What a commitment says of itself. */
interface NestedClaim {
  readonly id: string
  readonly algorithm: string
  /** The fields that it covers. */
  readonly names: readonly string[]
  readonly originalTags: MessageNode | undefined
  text(name: string): string | undefined
}

function readClaim(id: string, { fields, children }: MessageNode): NestedClaim {
  const text = (name: string) => {
    const value = fields.get(name)
    return value === undefined ? undefined : textOf(value)
  }
  const device = text('commitment-device') ?? ''
  const type = text('type') ?? ''
  const names = (listOf(children.get('committed')) ?? []).map(textOf)
  const algorithm = device === 'httpsig@1.0' ? type : `${device}/${type}`
  return { id, algorithm, names, originalTags: children.get('original-tags'), text }
}

function commonOf({ id, algorithm, names }: NestedClaim) {
  return { id, algorithm, names }
}

function refusedClaim(claim: NestedClaim, reason: string): Commitment {
  return { ...commonOf(claim), kind: 'refused', reason }
}

function judgeOne(node: MessageNode, claim: NestedClaim, judging: Judging): Commitment {
  const { id, algorithm, names, text } = claim
  if (algorithm === 'hmac-sha256' && text('keyid') === PUBLIC_HMAC_KEY) return judgeChecksum(node, claim, judging)
  const unsupported = unsupportedReason(algorithm, text('keyid') ?? '', text('bundle'))
  if (unsupported !== undefined) return { ...commonOf(claim), kind: 'unsupported', reason: unsupported }
  const key = signingKey(text('keyid') ?? '')
  const signature = decodeBase64url(text('signature') ?? '')
  if (key === undefined || signature === undefined || !isIdOf(id, signature))
    return refusedClaim(claim, 'the id is not that of the signature')
  if (text('committer') !== key.address) return refusedClaim(claim, 'the committer is not the one of the key')
  if (new Set(names).size < names.length) return refusedClaim(claim, 'a name is covered twice')
  if (!judging.spend()) return refusedClaim(claim, TOO_MANY_SIGNATURES)
  return algorithm === FIELDS_ALGORITHM
    ? judgeFields(node, claim, { key, signature }, judging)
    : judgeItem(node, claim, { key, signature })
}

/** The checksum of a message is its id as long as nobody signed it. */
function judgeChecksum(node: MessageNode, claim: NestedClaim, { ids }: Judging): Commitment {
  const base = ids.checksumBaseOf(node)
  if (!base.ok) return refusedClaim(claim, base.reason)
  if (encodeBase64url(publicHmac(base.value)) !== claim.id) return refusedClaim(claim, 'it does not match what it covers')
  return { ...commonOf(claim), kind: 'checksum', base: base.value, form: 'ids computed' }
}

interface NestedSignature {
  readonly key: SigningKey
  readonly signature: Uint8Array
}

function judgeFields(node: MessageNode, claim: NestedClaim, { key, signature }: NestedSignature, judging: Judging): Commitment {
  const { names, text } = claim
  const missing = names.find((name) => !node.fields.has(name) && !node.children.has(name))
  if (missing !== undefined) return refusedClaim(claim, `there is no ${missing}`)
  const only = new Set(names)
  const form = judging.ids.signedForm(node, only)
  if (!form.ok) return refusedClaim(claim, form.reason)
  const base = nestedBase(orderedNames(form.value, names), form.value, parametersOf(claim))
  if (!base.ok) return refusedClaim(claim, base.reason)
  if (!signsFields(key, base.value, signature)) return refusedClaim(claim, 'it does not match what it covers')
  const content = sealCovered(nodeValues(node, judging, only))
  const tag = defined({ tag: text('tag') })
  return { ...commonOf(claim), kind: 'signature', signer: key.address, content, base: base.value, form: 'ids computed', ...tag }
}

/** The parameters that are numbers; the others are text. */
const NUMBERS = new Set(['created', 'expires'])
const PARAMETERS = ['bundle', 'created', 'expires', 'keyid', 'nonce', 'tag']

function parametersOf({ algorithm, text }: NestedClaim): ReadonlyMap<string, SignatureParameter> {
  const given = PARAMETERS.flatMap((name) => {
    const value = text(name)
    return value === undefined ? [] : [[name, NUMBERS.has(name) ? Number(value) : value] as const]
  })
  return new Map([['alg', algorithm], ...given])
}

function judgeItem(node: MessageNode, claim: NestedClaim, { key, signature }: NestedSignature): Commitment {
  const { names, originalTags, text } = claim
  const tags = originalTags === undefined ? undefined : tagsOf(originalTags)
  if (originalTags !== undefined && tags === undefined) return refusedClaim(claim, UNREADABLE_TAGS)
  const fields = { target: text('field-target'), anchor: text('field-anchor') }
  return verifyItemCommitment({ ...commonOf(claim), committed: names, key, signature, ...fields, tags }, node.fields)
}

/** A list of messages with `name` and `value`. A value that is missing is an empty one. */
function tagsOf({ children }: MessageNode): readonly RawTag[] | undefined {
  return numbered(children)?.map(({ fields }) => ({ name: fields.get('name') ?? EMPTY, value: fields.get('value') ?? EMPTY }))
}
