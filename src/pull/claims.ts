/** Asks a Compute Unit for all its claims about a range of a process, and stores every answer as it arrives. */

import type { ComputeSource } from '../fetch/unit-sources.ts'
import { readClaim } from '../inputs/claim-text.ts'
import type { Inputs } from '../inputs/inputs.ts'
import type { Watermark } from '../inputs/live-inputs.ts'
import type { Run } from '../inputs/run-record.ts'
import { AuditError } from '../model/errors.ts'
import type { Claim, ClaimUnavailable, ScheduledMessage } from '../model/records.ts'
import { createNonceSet, type NonceSet } from '../util/nonce-set.ts'
import { readListing } from './listings.ts'

export interface AnswerOptions {
  readonly unit: ComputeSource
  readonly run: Run
  readonly inputs: Inputs
  /** ISO 8601. */
  readonly now: () => string
  /** Called with the number of further evaluations that have an answer. */
  readonly onAnswers: (count: number) => void
  /** Advances to the last ordinate up to which all claims of the unit are stored. */
  readonly watermark?: Pick<Watermark, 'advance'>
  readonly signal?: AbortSignal
}

const UNDER_WAY = 64
/** A unit that leaves so many questions unanswered while it answers others is not asked further. */
const UNANSWERED_MAX = 100

/**
 * Asks for every result in the run's range and for both listings, except for answers that the store already has. A question that
 * fails alone does not stop the others.
 *
 * @throws AuditError `UNIT_UNREACHABLE` and other errors of the fetch layer, `INTERRUPTED`; the answers until then are stored
 */
export async function askForAnswers(options: AnswerOptions): Promise<void> {
  let askedTo = -1
  let listed = false
  // A listing may name evaluations in any order: no evaluation is complete before the listing ends.
  const tell = () => {
    if (listed) options.watermark?.advance(askedTo)
  }
  const listings = Promise.allSettled([readListing(options, 'results'), readListing(options, 'cron')])
  const results = askForResults(options, (nonce) => {
    askedTo = nonce
    tell()
  })
  const allListed = listings.then((ended) => {
    listed = true
    tell()
    for (const one of ended) if (one.status === 'rejected') throw one.reason
  })
  const ended = await Promise.allSettled([results, allListed])
  for (const one of ended) if (one.status === 'rejected') throw one.reason
}

/** Asks for `/result/<message>` in the order of messages, many at a time (§2.1). */
async function askForResults(
  { unit, run, inputs, now, onAnswers, signal }: AnswerOptions,
  onAskedTo: (nonce: number) => void
): Promise<void> {
  const answered = await answeredNonces(inputs, run, unit.url)
  onAnswers(answered.size)
  const keeper = createKeeper((answers: readonly (Claim | ClaimUnavailable)[]) => inputs.claims.put(run, answers))
  /** By nonce, ascending. */
  const underWay = new Map<number, Promise<void>>()
  const unanswered: unknown[] = []
  let failed: { readonly error: unknown } | undefined
  let seenTo = run.from - 1
  const ask = async ({ nonce, timestamp, messageId }: ScheduledMessage): Promise<void> => {
    try {
      const answer = await unit.result(run.process, messageId)
      const common = { claimant: unit.url, key: { ordinate: nonce, timestamp }, messageId, receivedAt: now() }
      await keeper.keep(
        answer.kind === 'claim'
          ? { ...common, kind: 'result', ...readClaim('result', answer.body), raw: answer.body.text }
          : answer.kind === 'unread'
            ? { ...common, unread: true, detail: answer.detail }
            : { ...common, status: answer.status, detail: answer.detail }
      )
      onAnswers(1)
    } catch (error) {
      unanswered.push(error)
      const alone = error instanceof AuditError && error.alone && unanswered.length < UNANSWERED_MAX
      if (!alone) failed ??= { error }
    }
    underWay.delete(nonce)
    const [oldest = seenTo + 1] = underWay.keys()
    if (failed === undefined) onAskedTo(oldest - 1)
  }
  try {
    for await (const message of inputs.schedule.messages(run, run.from, run.to)) {
      if (failed !== undefined || signal?.aborted === true) break
      seenTo = message.nonce
      if (answered.has(message.nonce)) continue
      underWay.set(message.nonce, ask(message))
      if (underWay.size >= UNDER_WAY) await Promise.race(underWay.values())
    }
  } finally {
    await Promise.all(underWay.values())
  }
  if (failed !== undefined) throw failed.error
  if (signal?.aborted === true) throw new AuditError('INTERRUPTED', 'interrupted')
  if (unanswered.length > 0) throw unanswered[0]
}

async function answeredNonces(inputs: Inputs, run: Run, url: string): Promise<NonceSet> {
  const answered = createNonceSet()
  for await (const { kind, key } of inputs.claims.of(run, url)) if (kind === 'result') answered.add(key.ordinate)
  for await (const { key } of inputs.claims.unavailable(run, url)) answered.add(key.ordinate)
  return answered
}

/** Gathers the items that arrive while a batch is being written, and writes them as the next batch. */
function createKeeper<T>(put: (items: readonly T[]) => Promise<void>) {
  let waiting: T[] = []
  let written: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined
  return {
    /** Resolves when the item is written; rejects if it could not be. */
    keep(item: T): Promise<void> {
      waiting.push(item)
      next ??= written.then(() => {
        const items = waiting
        waiting = []
        next = undefined
        written = put(items)
        return written
      })
      return next
    }
  }
}
