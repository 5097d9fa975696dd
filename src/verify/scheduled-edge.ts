/** One edge of a schedule in JSON, and the shapes that it shares with other answers. */
import { z } from 'zod'
import { type AssignmentId, isArweaveId, type MessageId, type TransactionId } from '../model/ids.ts'
import { type ScheduledMessage, type Tag, tagValue } from '../model/records.ts'

/** A string that passes `test`, as the type `T`. */
export function kindOf<T extends string>(test: (text: string) => boolean, message: string) {
  return z.custom<T>((value) => typeof value === 'string' && test(value), message)
}

const AN_ID = 'must be 43 characters of base64url'
export const id = kindOf<TransactionId>(isArweaveId, AN_ID)
export const signature = z.string().max(8_000)
export const tags = z.array(z.object({ name: z.string(), value: z.string() })).max(10_000)
/** Some gateways do not know the key. `src/verify` finds an address that does not belong to it, because it knows the key's type. */
export const owner = z.object({
  address: z.string().max(200),
  key: z
    .string()
    .max(4_000)
    .nullish()
    .transform((key) => key ?? '')
})
export const textOrNull = z
  .string()
  .nullish()
  .transform((text) => text ?? null)

/** Digits as the CU's parseInt reads them, with leading zeros. */
export function wholeNumber(text: string | undefined): number | undefined {
  const value = text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : undefined
  return Number.isSafeInteger(value) ? value : undefined
}

/** A number that the scheduler writes as an assignment's tag (§1.5). */
function numberTag(tags: readonly Tag[], name: string, context: z.RefinementCtx): number {
  const value = wholeNumber(tagValue(tags, name))
  if (value === undefined) fault(context, ['assignment', 'tags', name], 'must be a whole number')
  return value ?? 0
}

export function fault(context: z.RefinementCtx, path: string[], message: string): void {
  context.addIssue({ code: 'custom', path, message })
}

const item = z.object({ id, owner, tags, signature, anchor: textOrNull, target: textOrNull })

/** One edge of a schedule (§1.4, §1.5). */
export const scheduledMessageSchema = z
  .object({ message: item.extend({ data: textOrNull }).nullish(), assignment: item })
  .transform(({ message = null, assignment }, context): ScheduledMessage => {
    // A process's own assignment names no message (§1.5).
    const messageId = tagValue(assignment.tags, 'Message') ?? message?.id ?? ''
    if (!isArweaveId(messageId)) fault(context, ['assignment', 'tags', 'Message'], AN_ID)
    return {
      nonce: numberTag(assignment.tags, 'Nonce', context),
      epoch: numberTag(assignment.tags, 'Epoch', context),
      timestamp: numberTag(assignment.tags, 'Timestamp', context),
      blockHeight: numberTag(assignment.tags, 'Block-Height', context),
      hashChain: tagValue(assignment.tags, 'Hash-Chain') ?? '',
      assignment: { ...assignment, id: assignment.id as AssignmentId },
      message,
      messageId: messageId as MessageId
    }
  })

/** Builds an edge from its parts; undefined if its tags do not allow it. */
export function readScheduled(node: unknown): ScheduledMessage | undefined {
  return scheduledMessageSchema.safeParse(node).data
}
