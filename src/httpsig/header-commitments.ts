/** Commitments in the headers of a message: `signature-input` and `signature`. */
import { EMPTY, equalBytes, type Parsed } from '../ans104/bytes.ts'
import { defined } from '../util/defined.ts'
import type { Commitment, CoveredValues } from './commitment.ts'
import { sealCovered } from './covered-seal.ts'
import { type CoveredName, coveredName, plainName } from './field-names.ts'
import type { HeaderView } from './header-view.ts'
import { readHeaderTags, verifyItemCommitment } from './item-commitment.ts'
import { FIELDS_ALGORITHM, type Judging, TOO_MANY_SIGNATURES, UNREADABLE_TAGS, unsupportedReason } from './judging.ts'
import { headerValues } from './linked-content.ts'
import { commitmentId, PUBLIC_HMAC_KEY, publicHmac, valueId } from './message-id.ts'
import { type BaseLine, signatureBase, textOf } from './signature-base.ts'
import { createSignedForms, type FormValues } from './signed-forms.ts'
import { type SigningKey, signingKey, signsFields } from './signing-key.ts'
import { parseSignatureInputs, parseSignatures, type SignatureParameter } from './structured-fields.ts'

/**
 * Judges each commitment in the headers.
 *
 * @param view of the message
 * @param judging see there
 * @returns one for each member of `signature-input`, in its order; none for a message without. A failure if the two headers cannot be
 *   read, do not have the same labels, or have one signature twice
 *
 * @example
 * ```ts
 * judgeHeaders(view, judging) // value: [{ kind: 'checksum', … }, { kind: 'signature', … }]
 * ```
 */
export function judgeHeaders(view: HeaderView, judging: Judging): Parsed<readonly Commitment[]> {
  const inputs = parseSignatureInputs(view.text('signature-input') ?? '', judging.limits)
  if (!inputs.ok) return inputs
  const signatures = parseSignatures(view.text('signature') ?? '', judging.limits)
  if (!signatures.ok) return signatures
  const claims = inputs.value.flatMap(({ label, names, parameters }): readonly HeaderClaim[] => {
    const signature = signatures.value.get(label)
    return signature === undefined ? [] : [{ listed: names, names: names.map(coveredName), parameters, signature }]
  })
  if (claims.length !== inputs.value.length || claims.length !== signatures.value.size)
    return { ok: false, reason: 'signature and signature-input have different labels' }
  const ids = new Set(claims.map(({ signature }) => commitmentId(signature)))
  if (ids.size < claims.length) return { ok: false, reason: 'one signature occurs twice' }
  const formsOf = createSignedForms(view, judging.ids)
  return { ok: true, value: claims.map((claim) => judgeClaim(claim, { view, judging, formsOf })) }
}

interface HeaderClaim {
  /** The covered names as the header has them. */
  readonly listed: readonly string[]
  readonly names: readonly CoveredName[]
  readonly parameters: ReadonlyMap<string, SignatureParameter>
  readonly signature: Uint8Array
}

interface HeaderJudging {
  readonly view: HeaderView
  readonly judging: Judging
  readonly formsOf: ReturnType<typeof createSignedForms>
}

function parameter({ parameters }: HeaderClaim, name: string): string | undefined {
  const value = parameters.get(name)
  return value === undefined ? undefined : String(value)
}

function commonOfClaim(claim: HeaderClaim) {
  return { id: commitmentId(claim.signature), algorithm: parameter(claim, 'alg') ?? '', names: claim.listed }
}

function judgeClaim(claim: HeaderClaim, context: HeaderJudging): Commitment {
  const common = commonOfClaim(claim)
  const refused = (reason: string): Commitment => ({ ...common, kind: 'refused', reason })
  const { signature } = claim
  const keyid = parameter(claim, 'keyid') ?? ''
  if (common.algorithm === 'hmac-sha256' && keyid === PUBLIC_HMAC_KEY) {
    const fit = fittingForm(claim, context, (base) => equalBytes(publicHmac(base), signature))
    return fit.ok ? { ...common, kind: 'checksum', base: fit.value.base, form: fit.value.values.form } : refused(fit.reason)
  }
  const unsupported = unsupportedReason(common.algorithm, keyid, parameter(claim, 'bundle'))
  const key = signingKey(keyid)
  if (unsupported !== undefined || key === undefined) return { ...common, kind: 'unsupported', reason: unsupported ?? 'no key' }
  if (!context.judging.spend()) return refused(TOO_MANY_SIGNATURES)
  if (common.algorithm !== FIELDS_ALGORITHM) return judgeItemClaim(claim, context.view, key)
  const fit = fittingForm(claim, context, (base) => signsFields(key, base, signature))
  if (!fit.ok) return refused(fit.reason)
  const { base, values } = fit.value
  const tag = parameter(claim, 'tag')
  const covered = contentOf(claim, context, values, tag)
  if (!covered.ok) return refused(covered.reason)
  const content = sealCovered(covered.value)
  return { ...common, kind: 'signature', signer: key.address, content, base, form: values.form, ...defined({ tag }) }
}

interface Fit {
  readonly base: Uint8Array
  readonly values: FormValues
}

/** The first form for which the check holds; else the reason of the last. */
function fittingForm(claim: HeaderClaim, { formsOf }: HeaderJudging, holds: (base: Uint8Array) => boolean): Parsed<Fit> {
  let reason = ''
  for (const values of formsOf(new Set(claim.names.map(({ line }) => line)))) {
    const base = baseOf(claim, values)
    if (base.ok && holds(base.value)) return { ok: true, value: { base: base.value, values } }
    reason = base.ok ? 'it does not match what it covers' : base.reason
  }
  return { ok: false, reason }
}

function baseOf({ names, parameters }: HeaderClaim, values: FormValues): Parsed<Uint8Array> {
  const lines: BaseLine[] = []
  for (const name of names) {
    const value = values.read(name.line)
    if (!value.ok) return value
    lines.push({ name, value: value.value })
  }
  return signatureBase(lines, parameters)
}

const BOUND_ID = /=([\w-]{43})$/

function contentOf(
  { names }: HeaderClaim,
  { view, judging }: HeaderJudging,
  values: FormValues,
  tag = ''
): Parsed<CoveredValues> {
  const parts = view.parts?.ok === true ? view.parts.value : undefined
  const lines = names.map(({ line }) => line)
  const covered = headerValues(lines, values, parts, judging)
  if (!covered.ok) return covered
  const { fields, messages } = covered.value
  // A hashpath that ends in the id of what was asked for binds the body, if the body has that id.
  const paths = fields.has('body') ? [] : [tag, textOf(fields.get('hashpath') ?? EMPTY)]
  const bound = paths.flatMap((path) => BOUND_ID.exec(path)?.[1] ?? [])
  const isBound = bound.length > 0 && bound.includes(valueId(view.body))
  return { ok: true, value: { fields: isBound ? new Map([...fields, ['body', view.body]]) : fields, messages } }
}

function judgeItemClaim(claim: HeaderClaim, view: HeaderView, key: SigningKey): Commitment {
  const common = commonOfClaim(claim)
  const encoded = parameter(claim, 'original-tags')
  const tags = encoded === undefined ? undefined : readHeaderTags(encoded)
  if (encoded !== undefined && tags === undefined) return { ...common, kind: 'refused', reason: UNREADABLE_TAGS }
  const bodyKey = view.text('ao-body-key') ?? 'body'
  const lines = claim.names.map(({ line }) => line).filter((line) => line !== 'ao-body-key')
  const committed = lines.map((line) => (line === 'content-digest' ? bodyKey : plainName(line)))
  if (new Set(committed).size < committed.length) return { ...common, kind: 'refused', reason: 'a name is covered twice' }
  const item = {
    key,
    signature: claim.signature,
    target: parameter(claim, 'field-target'),
    anchor: parameter(claim, 'field-anchor')
  }
  return verifyItemCommitment({ ...common, committed, ...item, tags }, shownFields(view, bodyKey))
}

/** All fields that a message shows once. */
function shownFields({ values, parts, body }: HeaderView, bodyKey: string): ReadonlyMap<string, Uint8Array> {
  const fields = new Map<string, Uint8Array>()
  for (const [name, [value, ...others]] of values)
    if (value !== undefined && others.length === 0) fields.set(plainName(name), value)
  if (parts?.ok === true) for (const [name, value] of parts.value.fields) fields.set(name, value)
  return parts === undefined && values.has('content-digest') ? fields.set(bodyKey, body) : fields
}
