/** What a signature covers, from the names it lists: fields with their values, nested messages with what their ids bind. */
import { EMPTY, type Parsed } from '../ans104/bytes.ts'
import type { Commitment, CoveredValues, LinkedMessage } from './commitment.ts'
import { sealCovered } from './covered-seal.ts'
import { LINK, plainName } from './field-names.ts'
import type { MessageIds } from './message-id.ts'
import { signedCommitments } from './message-id.ts'
import { COMMITMENTS, type MessageNode } from './message-node.ts'
import { textOf } from './signature-base.ts'
import { type FormValues, isOfSignedForm } from './signed-forms.ts'

/** What is needed to tell what an id binds. */
export interface Linking {
  readonly ids: MessageIds
  /** The judged commitments of a nested message. */
  commitmentsOf(node: MessageNode): readonly Commitment[]
}

/**
 * A nested message under a signed id.
 *
 * @param id that is signed
 * @param node what was sent as that message, if anything was
 * @param linking see there
 * @returns `absent` unless what was sent has that id; call it only for an id that a valid signature covers
 */
function linkedMessage(id: string, node: MessageNode | undefined, linking: Linking): LinkedMessage {
  const found = node === undefined ? undefined : linking.ids.idOf(node)
  if (node === undefined || found?.ok !== true || found.value !== id) return { kind: 'absent', id }
  if (signedCommitments(node).length > 0) return { kind: 'signed', id, commitments: linking.commitmentsOf(node) }
  return { kind: 'whole', id, content: sealCovered(nodeValues(node, linking)) }
}

/**
 * The values of a nested message.
 *
 * @param node the message
 * @param linking see there
 * @param only the covered ones; all, if absent
 * @returns what a valid commitment, or an id of all fields, covers of it
 */
export function nodeValues(node: MessageNode, linking: Linking, only?: ReadonlySet<string>): CoveredValues {
  const isCovered = (name: string) => only?.has(name) ?? true
  const messages = new Map<string, LinkedMessage>()
  for (const [name, child] of node.children) {
    const id = linking.ids.idOf(child)
    if (name !== COMMITMENTS && isCovered(name) && id.ok) messages.set(name, linkedMessage(id.value, child, linking))
  }
  return { fields: new Map([...node.fields].filter(([name]) => isCovered(name))), messages }
}

/**
 * The values that a commitment in the headers covers.
 *
 * @param names that it covers, signed names without `@`
 * @param form in which it fits
 * @param parts of the body, if any could be read
 * @param linking see there
 * @returns them; a failure if a name of the message would have two values. Call it only for a commitment that is valid in this form
 */
export function headerValues(
  names: readonly string[],
  form: FormValues,
  parts: MessageNode | undefined,
  linking: Linking
): Parsed<CoveredValues> {
  const fields = new Map<string, Uint8Array>()
  const messages = new Map<string, LinkedMessage>()
  const given: string[] = []
  for (const name of names) {
    const read = form.read(name)
    const value = read.ok ? read.value : EMPTY
    const plain = plainName(name)
    if (name === 'content-type' && isOfSignedForm(value)) continue
    if (plain.endsWith(LINK)) {
      const linked = plain.slice(0, -LINK.length)
      messages.set(linked, linkedMessage(textOf(value), parts?.children.get(linked), linking))
      given.push(linked)
    } else {
      const values = name === 'content-digest' ? form.bodyValues : [[plain, value] as const]
      for (const [key, one] of values) {
        fields.set(key, one)
        given.push(key)
      }
    }
  }
  if (new Set(given).size < given.length) return { ok: false, reason: 'a name has two values' }
  return { ok: true, value: { fields, messages } }
}
