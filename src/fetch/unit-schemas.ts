/** Schemas of the units' answers: data from the network is parsed once, here, and every faulty field is named. */
import { z } from 'zod'
import { type Address, isAddress, type ProcessId } from '../model/ids.ts'
import type { EvaluationKey, ProcessRecord } from '../model/records.ts'
import {
  fault,
  id,
  kindOf,
  owner,
  scheduledMessageSchema,
  signature,
  tags,
  textOrNull,
  wholeNumber
} from '../verify/scheduled-edge.ts'
import { type Asked, fetchError } from './fetch-error.ts'
import { shown } from './unit-words.ts'

const FAULTS_MAX_CHARS = 4_000

/**
 * Parses `value` with `schema`.
 *
 * @param asked the unit that answered, with the URL of the answer
 * @throws AuditError `WIRE_INVALID`, which names the URL and every faulty field (the list is cut at 4000 characters)
 *
 * @example
 * ```ts
 * parseWire(addressSchema, { address: 7 }, { role: 'compute-unit', url: 'https://cu.example/' })
 * // AuditError: https://cu.example/ answered with faulty fields: address: must be an address
 * ```
 */
export function parseWire<T>(schema: z.ZodType<T>, value: unknown, asked: Asked): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map(({ path, message }) => `${path.map(String).join('.') || 'the answer'}: ${message}`)
  const what = `${shown(asked.url)} answered with faulty fields: ${shown(faults.join('; '), FAULTS_MAX_CHARS)}`
  throw fetchError('WIRE_INVALID', asked, what, { alone: true })
}

const address = kindOf<Address>(isAddress, 'must be an address')
/** JSON whose names the unit chooses, perhaps `__proto__`: used as it is, never copied by name. */
const anyJson = z.custom<unknown>((value) => value !== undefined, 'must be present')

/** `/<process>` (§1.3). */
export const schedulePageSchema = z.object({
  page_info: z.object({ has_next_page: z.boolean() }),
  edges: z.array(z.object({ node: scheduledMessageSchema })).max(1_000_000)
})

/** `/processes/<id>` (§1.4). */
export const schedulerProcessSchema = z
  .object({
    process_id: id,
    block: z.string(),
    owner,
    tags,
    timestamp: z.int().min(0),
    data: textOrNull,
    anchor: textOrNull,
    signature,
    target: textOrNull
  })
  .transform(({ process_id, block, ...rest }, context): ProcessRecord => {
    const blockHeight = wholeNumber(block)
    if (blockHeight === undefined) fault(context, ['block'], 'must be a whole number')
    return { ...rest, id: process_id as ProcessId, blockHeight: blockHeight ?? 0 }
  })

const wholeNumberOrText = z
  .union([z.int().min(0), z.string().transform((text) => wholeNumber(text))])
  .refine((value) => value !== undefined, 'must be a whole number')

/** The content of a CU's cursor (§2.1), which is base64 of JSON. */
const cursorContent = z.object({
  timestamp: wholeNumberOrText,
  ordinate: wholeNumberOrText,
  cron: z.string().max(1_000).nullish()
})

const cursor = z
  .string()
  .max(4_000)
  .transform((text, context): { readonly text: string; readonly key: EvaluationKey } => {
    const parsed = cursorContent.safeParse(jsonOf(Buffer.from(text, 'base64').toString()))
    if (!parsed.success) fault(context, [], 'must be a cursor of a Compute Unit')
    const { timestamp = 0, ordinate = 0, cron } = parsed.data ?? {}
    return { text, key: { ordinate, timestamp, ...(typeof cron === 'string' ? { cron } : {}) } }
  })

/** `/results` and `/cron` (§2.1). */
export const listedPageSchema = z.object({
  pageInfo: z.object({ hasNextPage: z.boolean() }),
  // A node that is not an object is a claim as well.
  edges: z.array(z.object({ node: anyJson, cursor })).max(100_000)
})

/** A CU's `GET /`. */
export const addressSchema = z.object({ address })

const pageInfo = z.object({ hasNextPage: z.boolean() })
const height = z.int().min(0)

/** The fields of GraphQL's transactions that are used (§5.3). */
export const transactionsSchema = z.object({
  pageInfo,
  edges: z
    .array(
      z.object({
        cursor: z.string().max(4_000),
        node: z.object({
          id,
          anchor: textOrNull,
          signature: signature.nullish().transform((text) => text ?? ''),
          recipient: textOrNull,
          owner,
          tags,
          block: z.object({ height }).nullish(),
          bundledIn: z.object({ id }).nullish().catch(undefined)
        })
      })
    )
    .max(10_000)
})

/** `/tx/<id>` (§5.1). */
export const headerSchema = z.object({
  format: z.int(),
  id,
  last_tx: z.string().max(100),
  owner: z.string().max(1000),
  tags,
  target: z.string().max(100),
  quantity: z.string().max(40),
  data_size: z.string().max(40),
  data_root: z.string().max(100),
  reward: z.string().max(40),
  signature: z.string().max(1000)
})

export const blocksSchema = z.object({
  pageInfo,
  edges: z.array(z.object({ cursor: z.string().max(4_000), node: z.object({ height, timestamp: z.int().min(0) }) })).max(10_000)
})

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
