/** Reads a schedule page by page, from the highest nonce below which none is missing, whatever the order of its messages (§1.3). */
import type { ProcessId } from '../model/ids.ts'
import type { ScheduledMessage } from '../model/records.ts'
import { ARWEAVE } from './arweave-schedule/schedule.ts'
import { fetchError } from './fetch-error.ts'
import { DEFAULT_FETCH_LIMITS } from './limits.ts'
import type { SchedulerSource } from './unit-sources.ts'

export interface ScheduleRange {
  /** Both inclusive. */
  readonly fromNonce: number
  readonly toNonce: number
  /** Messages of a page. */
  readonly pageSize: number
  /** At most this many pages are read. */
  readonly maxPages?: number
}

/** A fault of the schedule as it was served. */
export interface ScheduleAnomaly {
  /** `gap`: not served; `twice`: repeated on a page, or with other content on a later one; `outOfOrder`: after a higher nonce. */
  readonly kind: 'gap' | 'twice' | 'outOfOrder'
  readonly nonce: number
  /** The last nonce of a `gap` of several. */
  readonly through?: number
  /** For `twice`: the later messages of the nonce, as proof. */
  readonly messages?: readonly ScheduledMessage[]
}

export interface SchedulePart {
  /** In nonce order, each nonce once: the first message that was served for it. */
  readonly messages: readonly ScheduledMessage[]
  readonly anomalies: readonly ScheduleAnomaly[]
}

/** No larger page is requested, however far a message is out of place. */
const PAGE_MAX = 100_000
/** Messages that are kept until their turn, in pages; dropped ones are requested again. */
const EARLY_PAGES = 4
/** After so many gaps the rest counts as one: nothing after the first gap is evaluated, and each gap costs some pages. */
const GAPS_MAX = 1_000
/** So many further messages of one nonce are kept as proof. */
const TWICE_MAX = 4

/**
 * Reads the nonces of a range.
 *
 * Each page continues from the highest nonce below which none is missing. If a page lacks the next nonce, it is requested again, in
 * larger pages while there is more: the scheduler orders messages by its clock, which may jump (§1.3). A nonce that stays away is a
 * gap, however long, and the nonces after it are still read.
 *
 * @param source the source of the schedule
 * @returns parts in nonce order; every page makes progress or is one of a few repeated ones, so reading ends whatever is served
 * @throws AuditError `ANSWER_TOO_LARGE` after `maxPages`, and the errors of `source.page`
 *
 * @example
 * ```ts
 * for await (const { messages } of readSchedule(scheduler, id, { fromNonce: 0, toNonce: 401, pageSize: 500 })) keep(messages)
 * ```
 */
export async function* readSchedule(
  source: SchedulerSource,
  processId: ProcessId,
  { fromNonce, toNonce, pageSize, maxPages = DEFAULT_FETCH_LIMITS.pages }: ScheduleRange
): AsyncGenerator<SchedulePart> {
  const early = new Map<number, ScheduledMessage>()
  let next = fromNonce
  let size = pageSize
  /** The number of messages on the last page that lacked `next`; undefined if `next` was not requested yet. */
  let withoutNext: number | undefined
  let gaps = 0
  const twice = new Map<number, number>()

  for (let pages = 0; next <= toNonce; pages++) {
    if (pages >= maxPages)
      throw fetchError(
        'ANSWER_TOO_LARGE',
        { role: source.url === ARWEAVE ? 'gateway' : 'scheduler', url: source.url },
        `${source.url} serves its schedule in more than ${maxPages} pages`
      )
    const page = await source.page(processId, next - 1, size)
    const anomalies = sortIn(page.messages, early, next, toNonce, twice)
    const messages = takeFrom(early, next)
    next += messages.length
    const mayLieBehind = page.hasNextPage && page.messages.length > (withoutNext ?? -1) && size < PAGE_MAX
    if (messages.length > 0) {
      size = pageSize
      withoutNext = undefined
    } else if (withoutNext === undefined || mayLieBehind) {
      if (page.hasNextPage) size = Math.min(size * 2, PAGE_MAX)
      withoutNext = page.messages.length
    } else {
      const last = ++gaps < GAPS_MAX ? Math.min(toNonce, ...smallest(early, 1).map((nonce) => nonce - 1)) : toNonce
      anomalies.push({ kind: 'gap', nonce: next, ...(last > next ? { through: last } : {}) })
      messages.push(...takeFrom(early, last + 1))
      next = last + 1 + messages.length
      size = pageSize
      withoutNext = undefined
    }
    if (messages.length > 0 || anomalies.length > 0) yield { messages, anomalies }
    dropHighest(early, EARLY_PAGES * pageSize)
    for (const nonce of twice.keys()) if (nonce < next) twice.delete(nonce)
  }
}

/** Puts a page's messages of [next, toNonce] into `early`, and returns their faults. */
function sortIn(
  served: readonly ScheduledMessage[],
  early: Map<number, ScheduledMessage>,
  next: number,
  toNonce: number,
  twice: Map<number, number>
): ScheduleAnomaly[] {
  const anomalies: ScheduleAnomaly[] = []
  const ofThisPage = new Set<number>()
  let previous = next
  for (const message of served) {
    const { nonce } = message
    if (nonce < next || nonce > toNonce) continue
    const known = early.get(nonce)
    if (known === undefined) {
      early.set(nonce, message)
      ofThisPage.add(nonce)
      if (nonce < previous) anomalies.push({ kind: 'outOfOrder', nonce })
    } else if (ofThisPage.has(nonce) || JSON.stringify(known) !== JSON.stringify(message)) {
      const times = (twice.get(nonce) ?? 0) + 1
      twice.set(nonce, times)
      if (times <= TWICE_MAX) anomalies.push({ kind: 'twice', nonce, messages: [message] })
    }
    previous = nonce
  }
  return anomalies
}

/** Takes the messages from `nonce` on, up to the first missing one. */
function takeFrom(early: Map<number, ScheduledMessage>, nonce: number): ScheduledMessage[] {
  const taken: ScheduledMessage[] = []
  for (let message = early.get(nonce); message !== undefined; message = early.get(nonce + taken.length)) {
    taken.push(message)
    early.delete(message.nonce)
  }
  return taken
}

function dropHighest(early: Map<number, ScheduledMessage>, keep: number): void {
  if (early.size <= keep) return
  const kept = new Set(smallest(early, keep))
  for (const nonce of early.keys()) if (!kept.has(nonce)) early.delete(nonce)
}

function smallest(early: Map<number, ScheduledMessage>, count: number): number[] {
  return [...early.keys()].sort((left, right) => left - right).slice(0, count)
}
