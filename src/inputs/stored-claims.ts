/** Stored answers of Compute Units. Their values are what the unit said, whatever that is. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { isArweaveId, type MessageId } from '../model/ids.ts'
import type { Claim, ClaimUnavailable, EvaluationKey, EvaluationResult, ResultField } from '../model/records.ts'
import type { RecordKey } from '../store/store.ts'
import { membersOf, NONCE_MAX } from './stored-schedule.ts'

/** `/results` and `/cron` say nothing of gas (ao-protocol §2.1). */
export const LISTED_FIELDS: readonly ResultField[] = ['Messages', 'Spawns', 'Assignments', 'Output', 'Error']
export const RESULT_FIELDS: readonly ResultField[] = [...LISTED_FIELDS, 'GasUsed']

const KINDS = ['result', 'listed']

function keyOf(value: unknown): EvaluationKey | undefined {
  const members = membersOf(value)
  const [ordinate, timestamp, cron] = [members?.['ordinate'], members?.['timestamp'], members?.['cron']]
  if (!isNumber(ordinate) || !isNumber(timestamp)) return undefined
  if (cron !== undefined && typeof cron !== 'string') return undefined
  return { ordinate, timestamp, ...(cron === undefined ? {} : { cron }) }
}

function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= NONCE_MAX
}

/** A claim, where its key says what it is about, and hashes what was said. */
export function readStoredClaim(key: RecordKey, value: unknown): Claim | undefined {
  const members = membersOf(value)
  const about = keyOf(members?.['key'])
  if (members === undefined || about === undefined) return undefined
  const { claimant, kind, covers, raw, receivedAt, messageId } = members
  const said = members['value']
  if (typeof claimant !== 'string' || typeof raw !== 'string' || typeof receivedAt !== 'string') return undefined
  if (typeof kind !== 'string' || !KINDS.includes(kind) || said === undefined) return undefined
  const faults = faultsSchema.safeParse(members['faults'])
  if (!faults.success) return undefined
  if (messageId !== undefined && (typeof messageId !== 'string' || !isArweaveId(messageId))) return undefined
  const fields = [LISTED_FIELDS, RESULT_FIELDS].find((some) => JSON.stringify(some) === JSON.stringify(covers))
  if (fields === undefined || (kind === 'listed' && fields !== LISTED_FIELDS)) return undefined
  const named = [claimant, about.ordinate, about.cron ?? '', about.timestamp]
  const place = [...named, kind === 'result' ? 'result' : key[6], contentOf(raw)]
  if (JSON.stringify(place) !== JSON.stringify(key.slice(2))) return undefined
  return {
    claimant,
    kind: kind as Claim['kind'],
    key: about,
    ...(messageId === undefined ? {} : { messageId: messageId as MessageId }),
    covers: fields,
    value: said as EvaluationResult,
    ...(faults.data === undefined ? {} : { faults: faults.data }),
    raw,
    receivedAt
  }
}

/** The part of a claim's key that tells apart what one unit says twice of one evaluation. */
export function contentOf(raw: string): string {
  return createHash('sha256').update(raw).digest('base64url')
}

const faultsSchema = z
  .array(
    z.object({
      kind: z.enum(['not-an-object', 'key-twice', 'invalid-utf8', 'unknown-field', 'number-not-exact']),
      path: z.string(),
      detail: z.string()
    })
  )
  .optional()

const unavailable = z.object({
  claimant: z.string(),
  key: z.unknown(),
  messageId: z.string().refine(isArweaveId),
  status: z.int(),
  detail: z.string(),
  receivedAt: z.string()
})

export function readStoredUnavailable(key: RecordKey, value: unknown): ClaimUnavailable | undefined {
  const { data } = unavailable.safeParse(value)
  const about = keyOf(data?.key)
  if (data === undefined || about === undefined || about.ordinate !== key[3] || data.claimant !== key[2]) return undefined
  return { ...data, key: about, messageId: data.messageId as MessageId }
}
