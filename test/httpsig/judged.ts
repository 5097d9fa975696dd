/** Reads what the verifier says, in forms that are easy to compare. */
import type { Commitment, CoveredValues, FieldSignature, LinkedMessage } from '../../src/httpsig/commitment.ts'
import { type JudgedMessage, verifyHttpMessage } from '../../src/httpsig/verify-http-message.ts'
import type { Sent } from './sample-node.ts'

export const text = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : Buffer.from(bytes).toString('latin1'))

/** The verdict on a message that must be readable. */
export function judge({ headers, body }: Sent): JudgedMessage {
  const judged = verifyHttpMessage(headers, body)
  if (!judged.ok) throw new Error(judged.reason)
  return judged.value
}

/** Why a message is not judged at all. */
export function unreadable({ headers, body }: Sent): string {
  const judged = verifyHttpMessage(headers, body)
  return judged.ok ? 'it is judged' : judged.reason
}

export const kinds = ({ commitments }: JudgedMessage) => commitments.map(({ kind }) => kind)

/** The one signature over fields. */
export function signatureOf({ commitments }: JudgedMessage): FieldSignature {
  const [signature, ...others] = commitments.filter((one): one is FieldSignature => one.kind === 'signature')
  if (signature === undefined || others.length > 0) throw new Error(JSON.stringify(commitments.map(reasonOf)))
  return signature
}

export function reasonOf(commitment: Commitment | undefined): string | undefined {
  return commitment !== undefined && 'reason' in commitment ? commitment.reason : commitment?.kind
}

/** Who holds what, in an order of its own: commitments come in the order of their ids, and those are random. */
export const sortedKinds = (commitments: readonly Commitment[]) => commitments.map(({ kind }) => kind).sort()

/** What is signed, as plain lists; without what nested signers prove themselves, where that is not asked for. */
export function plain({ fields, messages }: CoveredValues, withNested = true): unknown {
  return {
    fields: [...fields].map(([name, value]) => [name, text(value)]),
    messages: [...messages].map(([name, one]) => [name, plainLink(one, withNested)])
  }
}

function plainLink(linked: LinkedMessage, withNested: boolean): unknown {
  if (linked.kind === 'absent') return linked
  if (linked.kind === 'whole') return [linked.kind, linked.id, plain(linked.content, withNested)]
  const signatures = linked.commitments.flatMap((one) => (withNested && one.kind === 'signature' ? [one] : []))
  return [linked.kind, linked.id, signatures.map((one) => [one.signer, plain(one.content)])]
}
