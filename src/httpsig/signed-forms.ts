/** The forms in which the node may have signed a message that came with headers: one of them fits, or the signature is invalid. */
import { EMPTY, type Parsed } from '../ans104/bytes.ts'
import type { SignedForm } from './commitment.ts'
import { LINK, plainName } from './field-names.ts'
import type { HeaderView } from './header-view.ts'
import type { MessageIds } from './message-id.ts'
import type { MessageNode } from './message-node.ts'
import { boundaryOf, digestOf, MAX_HEADER_VALUE_BYTES, signedBody } from './multipart-body.ts'
import { latin1, textOf } from './signature-base.ts'

/** Values by signed name, and what of them the body brings. */
export interface FormValues {
  readonly form: SignedForm
  /** The one value of a name; why there is none. */
  read(name: string): Parsed<Uint8Array>
  /** The values that `content-digest` stands for, by the names of the message. */
  readonly bodyValues: readonly (readonly [name: string, value: Uint8Array])[]
}

const ADDED_TYPE = 'status="integer"'

/**
 * The forms to try, the likeliest first.
 *
 * - As sent. A covered `content-digest` that was not sent is that of no bytes, for the node shows an empty value as a page for people;
 *   or that of the body, if only the header got lost.
 * - With the parts of the body: nested messages by their ids, the inline part and the long values by their digest.
 * - As before, without the type of `status`, if `status` is not covered: the node adds both to what was signed before.
 *
 * @param view of the message
 * @param ids of the messages in its parts
 * @returns for the signed names that a commitment covers, without `@`, at least one form. Each says what its values are, so that a
 *   signature which fits says what it covers
 *
 * @example
 * ```ts
 * createSignedForms(view, createMessageIds())(new Set(['status'])) // [{ form: 'as sent', … }]
 * ```
 */
export function createSignedForms(view: HeaderView, ids: MessageIds): (covered: ReadonlySet<string>) => readonly FormValues[] {
  // Each commitment asks for the same digests.
  const digests = [EMPTY, view.body].map((value) => ({ value, digest: once(() => digestOf([value])) }))
  const ofParts = once(() => view.parts && formOfParts(view, view.parts, ids))
  return (covered) => {
    const key = (covered.has('ao-body-key') ? view.text('ao-body-key') : undefined) ?? 'body'
    const forms = formsAsSent(view, covered, key, digests)
    const found = ofParts()
    if (found === undefined) return forms
    const computed = { ...found, bodyValues: renamed(found.bodyValues, view, key) }
    if (covered.has('status') || !covered.has('ao-types')) return [...forms, computed]
    return [...forms, computed, withoutStatusType(computed)]
  }
}

function once<T extends object | undefined>(find: () => T): () => T {
  let found: { readonly value: T } | undefined
  return () => {
    found ??= { value: find() }
    return found.value
  }
}

function headerValue({ values }: HeaderView, name: string): Parsed<Uint8Array> {
  const [value, ...others] = values.get(name) ?? []
  if (value === undefined) return { ok: false, reason: `there is no ${name}` }
  return others.length === 0 ? { ok: true, value } : { ok: false, reason: `${name} occurs twice` }
}

interface LazyDigest {
  readonly value: Uint8Array
  digest(): Uint8Array
}

function formsAsSent(
  view: HeaderView,
  covered: ReadonlySet<string>,
  key: string,
  digests: readonly LazyDigest[]
): readonly FormValues[] {
  const form = 'as sent'
  const asSent = (name: string) => headerValue(view, name)
  if (!covered.has('content-digest')) return [{ form, read: asSent, bodyValues: [] }]
  if (view.values.has('content-digest')) return [{ form, read: asSent, bodyValues: valuesOfBody(view, covered, key) }]
  return digests.map(({ value, digest }) => ({
    form,
    read: (name) => (name === 'content-digest' ? { ok: true, value: digest() } : asSent(name)),
    bodyValues: [[key, value]]
  }))
}

/** A body as it is signed: one value, or, if its type is signed too, its parts. */
function valuesOfBody(view: HeaderView, covered: ReadonlySet<string>, key: string): FormValues['bodyValues'] {
  const parts = covered.has('content-type') ? view.parts : undefined
  return parts?.ok === true ? renamed([...parts.value.fields], view, key) : [[key, view.body]]
}

/** The inline part has the name that the message signs for it, whatever a header says that is not signed. */
function renamed(fields: FormValues['bodyValues'], view: HeaderView, key: string): FormValues['bodyValues'] {
  const shown = view.text('ao-body-key') ?? 'body'
  return fields.map(([name, value]) => [name === shown ? key : name, value])
}

function formOfParts(view: HeaderView, parts: Parsed<MessageNode>, ids: MessageIds): FormValues {
  const form = 'ids computed'
  if (!parts.ok) return { form, read: () => parts, bodyValues: [] }
  const { fields, children } = parts.value
  const inline = view.text('ao-body-key') ?? 'body'
  const inBody = new Map([...fields].filter(([name, { length }]) => name === inline || length > MAX_HEADER_VALUE_BYTES))
  const body = signedBody(inline, inBody)
  const read = (name: string): Parsed<Uint8Array> => {
    if (name === 'content-digest') return { ok: true, value: body.digest }
    if (name === 'content-type' && body.contentType !== undefined) return { ok: true, value: body.contentType }
    const child = name.endsWith(LINK) ? children.get(plainName(name).slice(0, -LINK.length)) : undefined
    if (child === undefined || view.values.has(name)) return headerValue(view, name)
    const id = ids.idOf(child)
    return id.ok ? { ok: true, value: latin1(id.value) } : { ok: false, reason: `${name}: ${id.reason}` }
  }
  return { form, read, bodyValues: [...inBody] }
}

function withoutStatusType({ read, bodyValues }: FormValues): FormValues {
  return {
    form: 'ids computed, type of status left out',
    bodyValues,
    read(name) {
      const value = read(name)
      if (name !== 'ao-types' || !value.ok) return value
      const types = textOf(value.value).split(', ')
      return { ok: true, value: latin1(types.filter((type) => type !== ADDED_TYPE).join(', ')) }
    }
  }
}

/** Whether a value of `content-type` is the signed form's own, and no field of the message. */
export function isOfSignedForm(contentType: Uint8Array): boolean {
  return boundaryOf(textOf(contentType)) !== undefined
}
