/** A schedule read page by page: by the highest nonce below which none is missing, whatever order it comes in (§1.3). */
import type { ProcessId } from '../ids.ts'
import type { ScheduledMessage } from '../records.ts'
import type { SchedulerSource } from './sources.ts'

export interface ScheduleRange {
  readonly fromNonce: number
  readonly toNonce: number
  readonly pageSize: number
}

/** What was wrong with the schedule as served. */
export interface ScheduleAnomaly {
  readonly kind: 'gap' | 'twice' | 'outOfOrder'
  readonly nonce: number
  /** For `twice`: what came later under the nonce, as proof. */
  readonly messages?: readonly ScheduledMessage[]
}

export interface SchedulePart {
  /** In nonce order, each nonce once. */
  readonly messages: readonly ScheduledMessage[]
  readonly anomalies: readonly ScheduleAnomaly[]
}

/**
 * Reads the nonces of a range, both ends inclusive.
 *
 * It goes on from the highest nonce without a gap; a nonce that the scheduler leaves out twice is a gap, and it goes on behind
 * it. Every page moves on by at least one nonce, so it ends whatever is served.
 */
export async function* readSchedule(
  source: SchedulerSource,
  processId: ProcessId,
  { fromNonce, toNonce, pageSize }: ScheduleRange
): AsyncGenerator<SchedulePart> {
  let next = fromNonce
  let askedAgain = false
  /** Messages that came before their turn. */
  let early = new Map<number, ScheduledMessage>()

  while (next <= toNonce) {
    const page = await source.page(processId, next - 1, pageSize)
    const anomalies: ScheduleAnomaly[] = []
    let previous = next - 1
    const served = new Set<number>()
    for (const message of page.messages) {
      const { nonce } = message
      if (nonce < next || nonce > toNonce) continue
      // What was read ahead of a gap comes again with the next page; only one page tells what is there twice.
      if (served.has(nonce)) anomalies.push({ kind: 'twice', nonce, messages: [message] })
      else if (nonce < previous && !early.has(nonce)) anomalies.push({ kind: 'outOfOrder', nonce })
      served.add(nonce)
      previous = nonce
      if (!early.has(nonce)) early.set(nonce, message)
    }
    const messages: ScheduledMessage[] = []
    for (let message = early.get(next); message !== undefined; message = early.get(next)) {
      messages.push(message)
      early.delete(next)
      next++
    }
    if (messages.length > 0) {
      askedAgain = false
      yield { messages, anomalies }
      continue
    }
    if (!askedAgain) {
      askedAgain = true
      continue
    }
    // Twice without it: a gap, up to the next that is there.
    const last = early.size === 0 ? toNonce : Math.min(...early.keys()) - 1
    const gaps: ScheduleAnomaly[] = []
    for (let nonce = next; nonce <= last; nonce++) gaps.push({ kind: 'gap', nonce })
    yield { messages: [], anomalies: gaps }
    next = last + 1
    askedAgain = false
    early = new Map([...early].filter(([nonce]) => nonce >= next))
  }
}
