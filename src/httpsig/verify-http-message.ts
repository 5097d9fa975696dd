/** Verifies the commitments of one HTTP message of HyperBEAM, in its headers and in what is nested in its body. */
import type { Parsed } from '../ans104/bytes.ts'
import type { Commitment } from './commitment.ts'
import { judgeHeaders } from './header-commitments.ts'
import { type RawHeaders, viewHeaders } from './header-view.ts'
import { HTTPSIG_LIMITS, type HttpsigLimits } from './httpsig-limits.ts'
import type { Judging } from './judging.ts'
import { createMessageIds, MAX_SUMMED, sumOfIds } from './message-id.ts'
import { COMMITMENTS, type MessageNode } from './message-node.ts'
import { judgeNested } from './nested-commitments.ts'

/** A nested message that has commitments of its own. */
export interface NestedMessage {
  /** Where it stands: the names from the outermost message down. */
  readonly path: readonly string[]
  readonly commitments: readonly Commitment[]
}

/** A message whose commitments were judged. */
export interface JudgedMessage {
  /**
   * The id of the message: the sum of its valid signatures' ids; that of its valid checksum, if it has no signature. Undefined if it
   * has neither, or a commitment that is not valid.
   */
  readonly id: string | undefined
  /** Those in its headers, in their order. What is not in the content of a signature here is not signed by it. */
  readonly commitments: readonly Commitment[]
  /** All nested messages with commitments: each proves itself, whoever sent it. */
  readonly nested: readonly NestedMessage[]
}

/**
 * Verifies all commitments of a request or an answer. A commitment that does not hold is data (`refused`), and so is one of a kind that
 * is not verified here (`unsupported`).
 *
 * @param headers all of them as they were sent: order, case and doubles kept, each character of a value a byte
 * @param body as it was sent, without the transfer's own coding
 * @param limits on bytes, counts and depth
 * @returns the commitments with what each covers; a failure if the message exceeds a limit, if its signature headers cannot be read, or
 *   if its body is not the one of its `content-digest`
 * @throws never
 *
 * @example
 * ```ts
 * const judged = verifyHttpMessage(headers, body)
 * if (judged.ok)
 *   for (const one of judged.value.commitments) if (one.kind === 'signature') console.log(one.signer, one.content.fields.get('slot'))
 * ```
 */
export function verifyHttpMessage(
  headers: RawHeaders,
  body: Uint8Array,
  limits: HttpsigLimits = HTTPSIG_LIMITS
): Parsed<JudgedMessage> {
  const view = viewHeaders(headers, body, limits)
  if (!view.ok) return view
  const judging = createJudging(limits)
  const commitments = judgeHeaders(view.value, judging)
  if (!commitments.ok) return commitments
  const { parts } = view.value
  const nested = parts?.ok === true ? nestedMessages(parts.value, judging) : []
  return { ok: true, value: { id: idOfJudged(commitments.value), commitments: commitments.value, nested } }
}

function createJudging(limits: HttpsigLimits): Judging {
  const known = new Map<MessageNode, readonly Commitment[]>()
  let spent = 0
  const judging: Judging = {
    limits,
    ids: createMessageIds(),
    spend: () => ++spent <= limits.maxSignatures,
    commitmentsOf(node) {
      const commitments = known.get(node) ?? judgeNested(node, judging)
      known.set(node, commitments)
      return commitments
    }
  }
  return judging
}

function nestedMessages(root: MessageNode, judging: Judging): readonly NestedMessage[] {
  const found: NestedMessage[] = []
  const visit = (node: MessageNode, path: readonly string[]) => {
    if (path.length > 0 && node.children.has(COMMITMENTS)) found.push({ path, commitments: judging.commitmentsOf(node) })
    for (const [name, child] of node.children) if (name !== COMMITMENTS) visit(child, [...path, name])
  }
  visit(root, [])
  return found
}

function idOfJudged(commitments: readonly Commitment[]): string | undefined {
  const checksum = commitments.find(({ kind }) => kind === 'checksum')
  const signed = commitments.filter(({ kind }) => kind === 'signature' || kind === 'item')
  if (signed.length > MAX_SUMMED || signed.length + Number(checksum !== undefined) < commitments.length) return undefined
  return signed.length > 0 ? sumOfIds(signed.map(({ id }) => id)) : checksum?.id
}
