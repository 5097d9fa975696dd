/** Stored answers of Compute Units. Their values are whatever the unit answered. */

import { createHash } from 'node:crypto'
import { z } from 'zod'
import { isArweaveId, type MessageId } from '../model/ids.ts'
import type { Claim, ClaimFault, ClaimUnavailable, EvaluationKey } from '../model/records.ts'
import type { RecordKey } from '../store/store.ts'
import { defined } from '../util/defined.ts'
import { ANSWER_MAX_DEPTH, nestsDeeperThan } from '../util/json-depth.ts'
import { parseJson, sameJson } from '../util/json-value.ts'
import { readClaim, type SaidByText } from './claim-text.ts'
import { type Members, membersOf, NONCE_MAX } from './stored-schedule.ts'
import { claimFaultsSchema } from './stored-schemas.ts'

function keyOf(value: unknown): EvaluationKey | undefined {
  const members = membersOf(value)
  const [ordinate, timestamp, cron] = [members?.['ordinate'], members?.['timestamp'], members?.['cron']]
  if (!isNumber(ordinate) || !isNumber(timestamp)) return undefined
  if (cron !== undefined && typeof cron !== 'string') return undefined
  return { ordinate, timestamp, ...defined({ cron }) }
}

function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= NONCE_MAX
}

/** Stores a claim's text and the faults around it; everything that follows from the text is read from it again each time. */
export function claimRecord({ claimant, kind, key, messageId, faults, raw, receivedAt }: Claim): unknown {
  const around = faults === undefined ? [] : besides(faults, readText(kind, raw)?.faults)
  return {
    claimant,
    kind,
    key,
    ...defined({ messageId }),
    ...(around.length === 0 ? {} : { faults: around }),
    raw,
    receivedAt
  }
}

/**
 * Reads a claim whose key names its evaluation and holds the hash of its text. Only the text counts: a record whose other fields
 * contradict its text is not a claim.
 */
export function readStoredClaim(key: RecordKey, value: unknown): Claim | undefined {
  const members = membersOf(value)
  const about = keyOf(members?.['key'])
  if (members === undefined || about === undefined) return undefined
  const { claimant, kind, raw, receivedAt, messageId } = members
  if (typeof claimant !== 'string' || typeof raw !== 'string' || typeof receivedAt !== 'string') return undefined
  if (kind !== 'result' && kind !== 'listed') return undefined
  // Only `/result` is requested with a message's id.
  if (kind === 'result' ? typeof messageId !== 'string' || !isArweaveId(messageId) : messageId !== undefined) return undefined
  const named = [claimant, about.ordinate, about.cron ?? '', about.timestamp]
  const place = [...named, kind === 'result' ? 'result' : key[6], contentOf(raw)]
  if (JSON.stringify(place) !== JSON.stringify(key.slice(2))) return undefined
  const faults = faultsSchema.safeParse(members['faults'])
  const said = readText(kind, raw)
  if (!faults.success || said === undefined || !agrees(members, said)) return undefined
  const around = besides(faults.data, said.faults)
  if (!around.every((fault) => mayLieAround(fault, kind, raw))) return undefined
  const all = [...(said.faults ?? []), ...around]
  return {
    claimant,
    kind,
    key: about,
    ...(messageId === undefined ? {} : { messageId: messageId as MessageId }),
    covers: said.covers,
    value: said.value,
    ...(all.length === 0 ? {} : { faults: all }),
    raw,
    receivedAt
  }
}

/** Undefined if the text is not JSON, or deeper than any accepted answer. */
function readText(kind: Claim['kind'], text: string): SaidByText | undefined {
  if (kind === 'checkpoint' || nestsDeeperThan(text, ANSWER_MAX_DEPTH)) return undefined
  try {
    return readClaim(kind, { bytes: Buffer.from(text), text, value: parseJson(text) })
  } catch {
    return undefined
  }
}

/** Whether the other fields of a record agree with its text. */
function agrees(members: Members, { value, covers }: SaidByText): boolean {
  const { value: toldValue = value, covers: toldCovers = covers } = members
  return sameJson(toldValue, value) && sameJson(toldCovers, covers)
}

function besides(all: readonly ClaimFault[] = [], known: readonly ClaimFault[] = []): ClaimFault[] {
  const texts = new Set(known.map((fault) => JSON.stringify(fault)))
  return all.filter(({ kind, path, detail }) => !texts.has(JSON.stringify({ kind, path, detail })))
}

/** Faults that a text does not show: U+FFFD has replaced its invalid bytes, and only the node of a listed edge is stored. */
function mayLieAround({ kind }: ClaimFault, of: Claim['kind'], raw: string): boolean {
  return of === 'listed' || (kind === 'invalid-utf8' && raw.includes('\uFFFD'))
}

/** The part of a claim's key that distinguishes two claims of one unit about one evaluation. */
export function contentOf(raw: string): string {
  return createHash('sha256').update(raw).digest('base64url')
}

const faultsSchema = claimFaultsSchema.optional()

const common = {
  claimant: z.string(),
  key: z.unknown(),
  messageId: z.string().refine(isArweaveId),
  detail: z.string(),
  receivedAt: z.string()
}
const unavailable = z.union([
  z.object({ ...common, unread: z.literal(true) }),
  // A successful answer is a claim or unread, never unavailable.
  z.object({ ...common, status: z.int().refine((status) => status < 200 || status >= 300) })
])

export function readStoredUnavailable(key: RecordKey, value: unknown): ClaimUnavailable | undefined {
  const { data } = unavailable.safeParse(value)
  const about = keyOf(data?.key)
  if (data === undefined || about === undefined || about.ordinate !== key[3] || data.claimant !== key[2]) return undefined
  return { ...data, key: about, messageId: data.messageId as MessageId }
}
