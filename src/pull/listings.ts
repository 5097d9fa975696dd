/** Reads a Compute Unit's listings, `/results` and `/cron`, page by page and no further than the schedule allows. */

import { isUnreadable } from '../fetch/compute.ts'
import { LISTED_LIMITS, type ListedLimits } from '../fetch/limits.ts'
import type { ComputeSource, ListedPage } from '../fetch/unit-sources.ts'
import type { Listing, ListingProgress } from '../inputs/claim-inputs.ts'
import { cursorFaults, LISTED_FIELDS, pageFaults } from '../inputs/claim-text.ts'
import type { Inputs } from '../inputs/inputs.ts'
import type { Run } from '../inputs/run-record.ts'
import { AuditError } from '../model/errors.ts'
import {
  type Claim,
  type ClaimFault,
  type EvaluationKey,
  type EvaluationResult,
  isAmbiguous,
  keyText,
  type ListingFault
} from '../model/records.ts'
import { type Cron, parseCrons } from '../replay/plan/cron-tags.ts'
import { defined } from '../util/defined.ts'

export interface ListingOptions {
  readonly unit: ComputeSource
  readonly run: Run
  readonly inputs: Inputs
  /** ISO 8601. */
  readonly now: () => string
  readonly signal?: AbortSignal
  /** `LISTED_LIMITS` by default. */
  readonly limits?: ListedLimits
}

/** Claims kept for one evaluation: two that differ show that the unit contradicts itself. */
const KEPT_OF_ONE = 2
/** Page faults that are named. */
const ODD_MAX = 16
/** The bytes of so many ordinates are counted; listings ascend, so earlier ordinates are complete. */
const ORDINATES_COUNTED = 10_000

/**
 * Reads all pages of a listing, from the end of the last reading to the range's end.
 *
 * The reading ends, and its progress names the fault, if cursors do not ascend, if more is listed than the schedule allows, or if a
 * page cannot be read; the next reading asks for an unreadable page again.
 *
 * @throws AuditError the errors of `ComputeSource`, `INTERRUPTED`; the pages until then are stored
 */
export async function readListing(options: ListingOptions, listing: Listing): Promise<void> {
  const { unit, run, inputs, now, signal, limits = LISTED_LIMITS } = options
  const kept = await inputs.claims.listing(run, unit.url, listing)
  // Claims beyond the end of an earlier reading were not stored: a run that has grown reads the listing again.
  let progress: ListingProgress = kept?.to === run.to ? toGoOnFrom(kept) : { to: run.to, done: false }
  const room = createRoom(options)
  const order = createOrder(progress.last)
  const store = createSieve(limits)
  while (!progress.done && signal?.aborted !== true) {
    const page = await unit[listing](run.process, progress.cursor).catch(asUnread)
    if ('unread' in page) {
      progress = { ...progress, done: true, fault: progress.fault ?? { kind: 'unread', detail: page.unread } }
      await inputs.claims.put(run, [], { unit: unit.url, listing, progress })
      break
    }
    const { claims, faults } = readPage(page, unit.url, now())
    const last = page.edges.at(-1)?.key ?? progress.last
    const listed = (progress.listed ?? 0) + claims.length
    const bytes = (progress.bytes ?? 0) + page.body.bytes.byteLength
    const { kept: wanted, dropped } = store.take(claims.filter(({ key }) => key.ordinate >= run.from && key.ordinate <= run.to))
    const beyond = claims.length > 0 && claims.every(({ key }) => key.ordinate > run.to)
    const more = page.next !== undefined && !beyond && page.edges.length > 0
    const stop = order.take(page.edges.map(({ key }) => key)) ?? (more ? await room.fault(last, listed, bytes) : undefined)
    const fault = stop ?? progress.fault ?? ambiguityOf(faults.find(isAmbiguous))
    const odd = [...(progress.odd ?? []), ...faults.filter((one) => !isAmbiguous(one))].slice(0, ODD_MAX)
    progress = {
      ...defined({ cursor: page.next }),
      to: run.to,
      done: !more || stop !== undefined,
      ...defined({ last }),
      listed,
      bytes,
      dropped: (progress.dropped ?? 0) + dropped,
      ...(odd.length === 0 ? {} : { odd }),
      ...defined({ fault })
    }
    await inputs.claims.put(run, wanted, { unit: unit.url, listing, progress })
  }
  if (!progress.done) throw new AuditError('INTERRUPTED', 'interrupted')
}

/** A page that could not be read may be readable now. */
function toGoOnFrom({ fault, ...kept }: ListingProgress): ListingProgress {
  if (fault?.kind === 'unread') return { ...kept, done: false }
  return fault === undefined ? kept : { ...kept, fault }
}

/** An answer that cannot be read is still an answer: the unit is not away. */
function asUnread(error: unknown): { readonly unread: string } {
  if (!isUnreadable(error)) throw error
  return { unread: error.message }
}

function ambiguityOf(ambiguous: ClaimFault | undefined): ListingFault | undefined {
  return ambiguous === undefined ? undefined : { kind: 'ambiguous', detail: `${ambiguous.path}: ${ambiguous.detail}` }
}

function readPage(page: ListedPage, claimant: string, receivedAt: string) {
  const { edges, faults } = pageFaults(page.body)
  const claims = page.edges.map(({ key, cursor, value }, place): Claim => {
    const text = edges[place]
    const found = [...(text?.faults ?? []), ...cursorFaults(cursor)]
    return {
      claimant,
      kind: 'listed',
      key,
      covers: LISTED_FIELDS,
      value: value as EvaluationResult,
      raw: text?.raw ?? '',
      receivedAt,
      ...(found.length === 0 ? {} : { faults: found })
    }
  })
  return { claims, faults }
}

/**
 * Keeps two different claims for one evaluation and drops the others, also for one message under different times. It compares with
 * the page before only, because cursors ascend.
 */
function createSieve(limits: ListedLimits) {
  let before = new Map<string, Set<string>>()
  /** Bytes kept, by ordinate. */
  const bytesOf = new Map<number, number>()
  return {
    take(claims: readonly Claim[]): { readonly kept: readonly Claim[]; readonly dropped: number } {
      const known = new Map<string, Set<string>>()
      const kept = claims.filter((claim) => {
        const { key, raw } = claim
        const name = key.cron === undefined ? `${key.ordinate}` : keyText(key)
        const texts = known.get(name) ?? before.get(name) ?? new Set<string>()
        known.set(name, texts)
        const text = `${key.timestamp}/${raw}`
        if (texts.has(text)) return true
        const bytes = (bytesOf.get(key.ordinate) ?? 0) + raw.length
        if (texts.size >= KEPT_OF_ONE || bytes > limits.bytesOfOrdinate) return false
        bytesOf.set(key.ordinate, bytes)
        const [oldest] = bytesOf.keys()
        if (bytesOf.size > ORDINATES_COUNTED && oldest !== undefined) bytesOf.delete(oldest)
        texts.add(text)
        return true
      })
      before = known
      return { kept, dropped: claims.length - kept.length }
    }
  }
}

/**
 * Checks that keys ascend, each once: by nonce, or by time, as in a CU's database, if the scheduler's clock went back. Crons of one
 * second may have any order.
 */
function createOrder(begin: EvaluationKey | undefined) {
  let previous = begin
  let byOrdinate = true
  let byTime = true
  return {
    take(keys: readonly EvaluationKey[]): ListingFault | undefined {
      const first = previous
      const named = new Set<string>()
      for (const key of keys) {
        if (named.has(keyText(key))) return fault(`${keyText(key)} is listed twice on one page`)
        named.add(keyText(key))
        if (previous !== undefined) {
          byOrdinate &&= (key.ordinate - previous.ordinate || key.timestamp - previous.timestamp) >= 0
          byTime &&= (key.timestamp - previous.timestamp || key.ordinate - previous.ordinate) >= 0
          if (!byOrdinate && !byTime) return fault(`${keyText(key)} is listed out of order, after ${keyText(previous)}`)
        }
        previous = key
      }
      const stands =
        keys.length > 0 &&
        first !== undefined &&
        previous?.ordinate === first.ordinate &&
        previous.timestamp === first.timestamp
      return stands ? fault(`a page ends with ${keyText(first)}, like the page before it`) : undefined
    }
  }

  function fault(detail: string): ListingFault {
    return { kind: 'not-ascending', detail }
  }
}

/** Limits a listing up to an evaluation by the schedule, not by the unit's own answers. */
function createRoom({ run, inputs, now, limits = LISTED_LIMITS }: ListingOptions) {
  let process: Promise<{ readonly crons: readonly Cron[]; readonly timestamp: number }> | undefined
  async function readProcess() {
    const record = await inputs.items.process(run.process, run.scheduler)
    const crons = parseCrons(record?.tags ?? [])
    return { crons: 'fault' in crons ? [] : crons, timestamp: record?.timestamp ?? 0 }
  }
  /** ms; undefined if the schedule has no such nonce. */
  async function timeOf(nonce: number): Promise<number | undefined> {
    if (nonce > run.to) return Date.parse(now())
    for await (const { timestamp } of inputs.schedule.messages(run, nonce, nonce)) return timestamp
    return undefined
  }
  return {
    async fault(last: EvaluationKey | undefined, listed: number, bytes: number): Promise<ListingFault | undefined> {
      const ordinate = Math.min(last?.ordinate ?? 0, run.to)
      // The first message of an old process is evaluated before any nonce.
      const own = await timeOf(ordinate)
      if (own === undefined)
        return { kind: 'beyond-schedule', detail: `it lists nonce ${ordinate}, which the schedule does not have` }
      process ??= readProcess()
      const { crons, timestamp } = await process
      const until = (await timeOf(ordinate + 1)) ?? own
      const evaluations = ordinate + 1 + firingsWithin(crons, Math.max(0, until - timestamp), limits)
      const most = limits.factor * evaluations + limits.slack
      if (listed > most) return { kind: 'too-many', detail: `it lists ${listed} evaluations up to nonce ${ordinate}` }
      const mostBytes = limits.bytesOfEvaluation * evaluations + limits.bytesSlack
      if (bytes > mostBytes) return { kind: 'too-large', detail: `it has ${bytes} bytes up to nonce ${ordinate}` }
      return undefined
    }
  }
}

/** The highest number of crons that can fire: blocks are not faster than `secondsOfBlock` for long. */
function firingsWithin(crons: readonly Cron[], spanMs: number, { secondsOfBlock }: ListedLimits): number {
  return crons.reduce((sum, { unit, every }) => {
    const seconds = spanMs / 1000 / (unit === 'blocks' ? secondsOfBlock : 1)
    return every > 0 ? sum + Math.ceil(seconds / every) : sum
  }, 0)
}
