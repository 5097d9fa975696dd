/** A message as it came: its headers by name, and its body parsed where it has parts. */
import { equalBytes, type Parsed } from '../ans104/bytes.ts'
import { signedName } from './field-names.ts'
import type { HttpsigLimits } from './httpsig-limits.ts'
import type { MessageNode } from './message-node.ts'
import { boundaryOf, digestOf, parseMultipart } from './multipart-body.ts'
import { latin1, textOf } from './signature-base.ts'

/**
 * Headers as they were sent: all of them, in their order, with the case of their names, each character of a value a byte. Clients that
 * fold names or join values lose what is signed.
 */
export type RawHeaders = readonly (readonly [name: string, value: string])[]

/** A message within the limits. */
export interface HeaderView {
  readonly body: Uint8Array
  /** All values by signed name. */
  readonly values: ReadonlyMap<string, readonly Uint8Array[]>
  /** The value of a header that may occur once; undefined if it does not. */
  text(name: string): string | undefined
  /** The parts of the body, if it has any: or why they cannot be read. */
  readonly parts?: Parsed<MessageNode>
}

/** Headers of which a second one would leave open what is meant. */
const SINGLE = ['signature', 'signature-input', 'content-digest', 'content-type', 'ao-body-key']

/**
 * Reads a message.
 *
 * @param headers as they were sent
 * @param body as it was sent, without the transfer's own coding
 * @param limits on bytes and counts
 * @returns the message; a failure if it exceeds a limit, if a header that is needed occurs twice, or if the body is not the one of its
 *   `content-digest`
 *
 * @example
 * ```ts
 * viewHeaders([['status', '200']], new Uint8Array(), HTTPSIG_LIMITS)
 * ```
 */
export function viewHeaders(headers: RawHeaders, body: Uint8Array, limits: HttpsigLimits): Parsed<HeaderView> {
  const fail = (reason: string): Parsed<HeaderView> => ({ ok: false, reason })
  if (headers.length > limits.maxHeaders) return fail(`${headers.length} headers are too many`)
  if (body.length > limits.maxBodyBytes) return fail(`a body of ${body.length} bytes is too large`)
  if (headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0) > limits.maxHeaderBytes)
    return fail('the headers are too large')
  const values = new Map<string, Uint8Array[]>()
  for (const [name, value] of headers) {
    if (!isLatin1(name) || !isLatin1(value)) return fail('a header has characters above a byte')
    const key = signedName(name)
    const known = values.get(key)
    if (known === undefined) values.set(key, [latin1(value)])
    else known.push(latin1(value))
  }
  const twice = SINGLE.find((name) => (values.get(name)?.length ?? 0) > 1)
  if (twice !== undefined) return fail(`${twice} occurs twice`)
  const [digest] = values.get('content-digest') ?? []
  if (digest !== undefined && !equalBytes(digest, digestOf([body]))) return fail('the body does not match its content-digest')
  const text = (name: string) => values.get(name)?.map(textOf)[0]
  const boundary = boundaryOf(text('content-type') ?? '')
  const view = { body, values, text }
  if (boundary === undefined) return { ok: true, value: view }
  return { ok: true, value: { ...view, parts: parseMultipart(body, boundary, text('ao-body-key') ?? 'body', limits) } }
}

const LAST_BYTE = 0xff

function isLatin1(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > LAST_BYTE) return false
  return true
}
