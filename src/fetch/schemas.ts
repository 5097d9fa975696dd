/** What units may answer, as schemas: wire data is read once, here, and everything faulty in it is named. */
import { z } from 'zod'
import { AuditError } from '../errors.ts'
import { isAddress, isArweaveId } from '../ids.ts'
import { type ScheduledMessage, type Tag, tagValue } from '../records.ts'

const NAMED_MAX = 10

/**
 * Reads `value` by `schema`.
 *
 * @param url where it came from
 * @throws AuditError `WIRE_INVALID`, naming the faulty fields and the URL
 */
export function parseWire<T>(schema: z.ZodType<T>, value: unknown, url: string): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map(({ path, message }) => `${pathText(path)}: ${message}`)
  const more = faults.length > NAMED_MAX ? `; and ${faults.length - NAMED_MAX} more` : ''
  throw new AuditError('WIRE_INVALID', `${url.slice(0, 300)} answered with faulty fields: ${faults.slice(0, NAMED_MAX).join('; ')}${more}`)
}

function pathText(path: readonly PropertyKey[]): string {
  return path.map(String).join('.').slice(0, 100) || 'the whole'
}

const id = z.string().refine(isArweaveId, 'must be 43 characters of base64url')
const address = z.string().refine(isAddress, 'must be an address')
export const tagsSchema: z.ZodType<readonly Tag[]> = z.array(z.object({ name: z.string(), value: z.string() }).strip()).max(10_000)
const ownerSchema = z.object({ address, key: z.string().max(4000).catch('') })

/** A number that the scheduler writes as a tag's text (§1.5): digits, as the CU's parseInt reads them. */
function numberTag(name: string) {
  return (tags: readonly Tag[], context: z.RefinementCtx): number => {
    const text = tagValue(tags, name) ?? ''
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
    if (!Number.isSafeInteger(value)) {
      context.addIssue({ code: 'custom', path: ['tags', name], message: 'must be a whole number' })
      return 0
    }
    return value
  }
}

const nullableText = z.string().nullish().transform((text) => text ?? null)

const itemSchema = z.object({
  id,
  owner: ownerSchema,
  tags: tagsSchema,
  signature: z.string().max(8000),
  anchor: nullableText,
  target: nullableText
})

const nonce = numberTag('Nonce')
const epoch = numberTag('Epoch')
const timestamp = numberTag('Timestamp')
const blockHeight = numberTag('Block-Height')

/** One edge of a schedule (§1.4, §1.5). */
const nodeSchema = z
  .object({
    message: itemSchema.extend({ data: z.string().nullish() }).nullable(),
    assignment: itemSchema
  })
  .transform(({ message, assignment }, context) => {
    const { tags } = assignment
    const assigned = tagValue(tags, 'Message') ?? message?.id ?? ''
    if (!isArweaveId(assigned)) context.addIssue({ code: 'custom', path: ['assignment', 'tags', 'Message'], message: 'must be an id' })
    return {
      nonce: nonce(tags, context),
      epoch: epoch(tags, context),
      timestamp: timestamp(tags, context),
      blockHeight: blockHeight(tags, context),
      hashChain: tagValue(tags, 'Hash-Chain') ?? '',
      assignment,
      message,
      messageId: assigned
    }
  })

export const latestSchema = nodeSchema

/** An edge put together again of its parts; undefined where its tags do not allow it. */
export function readScheduled(node: unknown): ScheduledMessage | undefined {
  const parsed = nodeSchema.safeParse(node)
  return parsed.success ? (parsed.data as unknown as ScheduledMessage) : undefined
}

/** `/<process>` (§1.3). */
export const schedulePageSchema = z.object({
  page_info: z.object({ has_next_page: z.boolean() }),
  edges: z.array(z.object({ node: nodeSchema })).max(100_000)
})

/** `/processes/<id>` (§1.4). */
export const processSchema = z
  .object({
    process_id: id,
    block: z.string().regex(/^\d{1,15}$/),
    owner: ownerSchema,
    tags: tagsSchema,
    timestamp: z.int().min(0),
    data: nullableText,
    anchor: nullableText,
    signature: z.string().max(8000),
    target: nullableText
  })
  .transform(({ process_id, block, ...rest }, context) => {
    const moduleId = tagValue(rest.tags, 'Module') ?? ''
    const scheduler = tagValue(rest.tags, 'Scheduler') ?? ''
    if (!isArweaveId(moduleId)) context.addIssue({ code: 'custom', path: ['tags', 'Module'], message: 'must be an id' })
    if (!isAddress(scheduler)) context.addIssue({ code: 'custom', path: ['tags', 'Scheduler'], message: 'must be an address' })
    return { ...rest, id: process_id, blockHeight: Number(block), moduleId, scheduler }
  })

/** A CU's cursor (§2.1): base64 of JSON. */
const cursorSchema = z.object({
  timestamp: z.coerce.number().pipe(z.int().min(0)),
  ordinate: z.coerce.number().pipe(z.int().min(0)),
  cron: z.string().max(1000).nullish()
})

/** `/results` and `/cron` (§2.1). */
export const listedPageSchema = z.object({
  pageInfo: z.object({ hasNextPage: z.boolean() }),
  edges: z
    .array(
      z.object({
        node: z.record(z.string(), z.unknown()),
        cursor: z
          .string()
          .max(4000)
          .transform((text, context) => {
            const parsed = cursorSchema.safeParse(jsonOf(Buffer.from(text, 'base64').toString()))
            if (!parsed.success) context.addIssue({ code: 'custom', message: 'must be a cursor of a Compute Unit' })
            const { timestamp: at = 0, ordinate = 0, cron } = parsed.data ?? {}
            return { text, key: { ordinate, timestamp: at, ...(typeof cron === 'string' ? { cron } : {}) } }
          })
      })
    )
    .max(100_000)
})

/** A CU's `GET /`. */
export const addressSchema = z.object({ address })

/** GraphQL's transactions, as far as they are used (§5.3). */
export const transactionsSchema = z.object({
  pageInfo: z.object({ hasNextPage: z.boolean() }),
  edges: z
    .array(
      z.object({
        cursor: z.string().max(4000),
        node: z.object({
          id,
          anchor: z.string().nullish(),
          signature: z.string().max(8000).nullish(),
          recipient: z.string().nullish(),
          owner: ownerSchema,
          tags: tagsSchema,
          block: z.object({ height: z.int().min(0) }).nullish()
        })
      })
    )
    .max(10_000)
})

export const blocksSchema = z.object({
  pageInfo: z.object({ hasNextPage: z.boolean() }),
  edges: z
    .array(z.object({ cursor: z.string().max(4000), node: z.object({ height: z.int().min(0), timestamp: z.int().min(0) }) }))
    .max(10_000)
})

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
