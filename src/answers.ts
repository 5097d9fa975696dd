/** Asks a Compute Unit for all that it claims about a range of a process, and keeps every answer as it comes. */
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
  const ended = await Promise.allSettled([
    askForResults(options),
    readListing(options, 'results'),
    readListing(options, 'cron')
  ])
  for (const one of ended) if (one.status === 'rejected') throw one.reason
}

/** `/result/<message>`, one message after another, many at a time (§2.1). */
async function askForResults({ unit, run, inputs, now, onAnswers, signal }: AnswerOptions): Promise<void> {
  const answered = await answeredNonces(inputs, run, unit.url)
  onAnswers(answered.size)
  const keeper = createKeeper((answers: readonly (Claim | ClaimUnavailable)[]) => inputs.putAnswers(run, answers))
  const underWay = new Set<Promise<void>>()
  let failed: { readonly error: unknown } | undefined
  const ask = async ({ nonce, timestamp, messageId }: ScheduledMessage): Promise<void> => {
    try {
      const answer = await unit.result(run.process, messageId)
      const common = { claimant: unit.url, key: { ordinate: nonce, timestamp }, messageId, receivedAt: now() }
      keeper.keep(
        answer.kind === 'unavailable'
          ? { ...common, status: answer.status, detail: answer.detail }
          : { ...common, kind: 'result', covers: coveredBy(answer.value), value: answer.value, raw: answer.raw }
      )
      onAnswers(1)
    } catch (error) {
      failed ??= { error }
    }
  }
  for await (const message of inputs.schedule(run, run.from, run.to)) {
    if (failed !== undefined || signal?.aborted === true) break
    if (answered.has(message.nonce)) continue
    const asked: Promise<void> = ask(message).finally(() => underWay.delete(asked))
    underWay.add(asked)
    if (underWay.size >= UNDER_WAY) await Promise.race(underWay)
  }
  await Promise.all(underWay)
  await keeper.kept()
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
    progress = { ...(page.next === undefined ? {} : { cursor: page.next }), to: run.to, done }
    await inputs.putAnswers(run, inRange, { unit: unit.url, listing, progress })
  }
  if (!progress.done) throw new AuditError('INTERRUPTED', 'interrupted')
}

/** Gathers what arrives while the last batch is still being written, and writes it as one. */
function createKeeper<T>(put: (items: readonly T[]) => Promise<void>) {
  let waiting: T[] = []
  let writing: Promise<void> | undefined
  async function write(): Promise<void> {
    while (waiting.length > 0) {
      const items = waiting
      waiting = []
      await put(items)
    }
    writing = undefined
  }
  return {
    keep(item: T): void {
      waiting.push(item)
      writing ??= write()
      writing.catch(() => {})
    },
    /** Resolves when all is kept; rejects where it could not be. */
    async kept(): Promise<void> {
      while (writing !== undefined) await writing
    }
  }
}
