/** Asks a Compute Unit for all that it claims about a range of a process, and keeps every answer as it comes. */
import type { Arrival } from './arrivals.ts'
import { AuditError } from './errors.ts'
import type { ComputeSource, ListedPage } from './fetch/sources.ts'
import type { Inputs, Listing, ListingProgress, Run } from './inputs.ts'
import { createNonceSet, type NonceSet } from './nonce-set.ts'
import type { Claim, ClaimUnavailable, ResultField, ScheduledMessage } from './records.ts'

export interface AnswerOptions {
  readonly unit: ComputeSource
  readonly run: Run
  readonly inputs: Inputs
  /** ISO 8601. */
  readonly now: () => string
  /** Told how many more evaluations have an answer. */
  readonly onAnswers: (count: number) => void
  /** Told up to which ordinate all that the unit claims is kept. */
  readonly arrival?: Pick<Arrival, 'reach'>
  readonly signal?: AbortSignal
}

/** `/results` and `/cron` say nothing of gas (ao-protocol §2.1). */
const LISTED_FIELDS: readonly ResultField[] = ['Messages', 'Spawns', 'Assignments', 'Output', 'Error']
const RESULT_FIELDS: readonly ResultField[] = [...LISTED_FIELDS, 'GasUsed']
const UNDER_WAY = 64
const PAGES_MAX = 1_000_000

/**
 * Asks for every result in the run's range and for both listings; what the store already has is not asked for again.
 *
 * @throws AuditError `UNIT_UNREACHABLE` and others of the fetch layer, `INTERRUPTED`; what came before is kept
 */
export async function askForAnswers(options: AnswerOptions): Promise<void> {
  let askedTo = -1
  let listed = false
  // A listing may name its evaluations in any order: of none is all said before its end.
  const tell = () => {
    if (listed) options.arrival?.reach(askedTo)
  }
  const listings = Promise.all([readListing(options, 'results'), readListing(options, 'cron')])
  const results = askForResults(options, (nonce) => {
    askedTo = nonce
    tell()
  })
  const allListed = listings.then(() => {
    listed = true
    tell()
  })
  const ended = await Promise.allSettled([results, allListed])
  for (const one of ended) if (one.status === 'rejected') throw one.reason
}

/** `/result/<message>`, one message after another, many at a time (§2.1). */
async function askForResults(
  { unit, run, inputs, now, onAnswers, signal }: AnswerOptions,
  onAskedTo: (nonce: number) => void
): Promise<void> {
  const answered = await answeredNonces(inputs, run, unit.url)
  onAnswers(answered.size)
  const keeper = createKeeper((answers: readonly (Claim | ClaimUnavailable)[]) => inputs.putAnswers(run, answers))
  /** By nonce, ascending. */
  const underWay = new Map<number, Promise<void>>()
  let failed: { readonly error: unknown } | undefined
  let seenTo = run.from - 1
  const ask = async ({ nonce, timestamp, messageId }: ScheduledMessage): Promise<void> => {
    try {
      const answer = await unit.result(run.process, messageId)
      const common = { claimant: unit.url, key: { ordinate: nonce, timestamp }, messageId, receivedAt: now() }
      await keeper.keep(
        answer.kind === 'unavailable'
          ? { ...common, status: answer.status, detail: answer.detail }
          : { ...common, kind: 'result', covers: coveredBy(answer.value), value: answer.value, raw: answer.raw }
      )
      underWay.delete(nonce)
      onAnswers(1)
      const [oldest = seenTo + 1] = underWay.keys()
      if (failed === undefined) onAskedTo(oldest - 1)
    } catch (error) {
      underWay.delete(nonce)
      failed ??= { error }
    }
  }
  try {
    for await (const message of inputs.schedule(run, run.from, run.to)) {
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
}

/** Gas is compared where the answer speaks of it: a CU leaves it out after a throw (§2.2). */
function coveredBy(value: Claim['value']): readonly ResultField[] {
  return Object.hasOwn(value, 'GasUsed') ? RESULT_FIELDS : LISTED_FIELDS
}

async function answeredNonces(inputs: Inputs, run: Run, url: string): Promise<NonceSet> {
  const answered = createNonceSet()
  for await (const { kind, key } of inputs.claims(run, url)) if (kind === 'result') answered.add(key.ordinate)
  for await (const { key } of inputs.unavailable(run, url)) answered.add(key.ordinate)
  return answered
}

/** All pages of a listing, from where the last reading ended to the range's end. */
async function readListing({ unit, run, inputs, now, signal }: AnswerOptions, listing: Listing): Promise<void> {
  const kept = await inputs.listing(run, unit.url, listing)
  // What lies behind the end of an earlier reading was not kept: a run that has grown is read anew.
  let progress: ListingProgress = kept?.to === run.to ? kept : { to: run.to, done: false }
  const seen = new Set<string>()
  while (!progress.done && signal?.aborted !== true) {
    const { cursor } = progress
    const page: ListedPage = await unit[listing](run.process, cursor)
    const claims = page.edges.map(
      ({ key, value, raw }): Claim => ({
        claimant: unit.url,
        kind: 'listed',
        key,
        covers: LISTED_FIELDS,
        value,
        raw,
        receivedAt: now()
      })
    )
    const inRange = claims.filter(({ key }) => key.ordinate >= run.from && key.ordinate <= run.to)
    const beyond = claims.length > 0 && claims.every(({ key }) => key.ordinate > run.to)
    // A unit whose cursors come back would be read for ever.
    const done = page.next === undefined || beyond || seen.has(page.next) || seen.size > PAGES_MAX
    if (page.next !== undefined) seen.add(page.next)
    const passedRange = progress.passedRange === true || claims.some(({ key }) => key.ordinate > run.to)
    progress = {
      ...(page.next === undefined ? {} : { cursor: page.next }),
      to: run.to,
      ...(passedRange ? { passedRange } : {}),
      done
    }
    await inputs.putAnswers(run, inRange, { unit: unit.url, listing, progress })
  }
  if (!progress.done) throw new AuditError('INTERRUPTED', 'interrupted')
}

/** Gathers what arrives while the last batch is still being written, and writes it as one. */
function createKeeper<T>(put: (items: readonly T[]) => Promise<void>) {
  let waiting: T[] = []
  let written: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined
  return {
    /** Resolves when it is kept; rejects where it could not be. */
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
