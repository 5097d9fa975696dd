/** Plans cron messages between the scheduled ones, stream by stream, as the CU made them (protocol §2.5). */
import { type EvaluationKey, keyText, type ScheduledMessage, type Times } from '../../model/records.ts'
import type { Checked } from '../../verify/signed.ts'
import { MissingBlock } from './block-cache.ts'
import { type CronFiring, firingsBetween, type Moment, seconds } from './cron-firings.ts'
import type { Cron } from './cron-tags.ts'
import { createKnownBlocks } from './known-blocks.ts'
import { cronMessage } from './message.ts'
import type { PlanInputs, PlannedEvaluation } from './planned.ts'

/** Limit on crons between two messages (one a minute for half a year). A plan with more ends with a `missing` evaluation. */
const FIRINGS_MAX = 250_000
/** The CU remembers this many crons of a stream (CU domain/lib/evaluate.js, evaledCrons). */
const REMEMBERED_MAX = 100

interface Point extends Moment {
  /** The last nonce up to this point. */
  readonly ordinate: number
  readonly cron?: string
}

export interface CronPlan {
  /** Yields the crons that fire before a scheduled message. */
  before(scheduled: Checked<ScheduledMessage>): AsyncGenerator<PlannedEvaluation>
  /** Records that a scheduled message was planned, and whether it is evaluated. */
  passed(scheduled: Checked<ScheduledMessage>, evaluated: boolean): void
  /** Yields the crons after the last message, if somebody asked the CU for a later time. */
  atEnd(): AsyncGenerator<PlannedEvaluation>
}

/**
 * Plans cron messages.
 *
 * The CU evaluates in streams. A stream begins after the last evaluation (a skipped message is none) with the blocks that the CU
 * knows then. It makes crons between each two messages (loadMessages.js, genBoundariesAsTuples) and, after its last message, those
 * up to the requested time. The CU recognizes a cron that it has evaluated by time and name (evaluate.js, evaledCrons): two crons
 * with one name in one second, at the seam of two ranges, are two crons. A new stream remembers only the last cron before it: if
 * several fired in that second, the others fire again, and the results of the first time stay.
 */
export function createCronPlan(inputs: PlanInputs, taken: Checked<Times>, crons: readonly Cron[]): CronPlan {
  const { process } = inputs
  const { timestamp, blockHeight } = taken
  const known = createKnownBlocks(inputs.knownBlocks ?? 'all', (from, to) => inputs.blocks(from, to))
  /** The last evaluation, where the next stream begins. Crons before the first nonce have the ordinate 0. */
  let evaluated: Point = { ordinate: 0, timestamp, blockHeight }
  /** The start of the next range: a message, skipped or not. */
  let left = evaluated
  /** Messages skipped since the last evaluation; the next stream passes them again. */
  let skipped: Point[] = []
  /** End of the current stream, ms; undefined before a stream begins. */
  let end: number | undefined
  let remembered = new Set<string>()
  /** The crons that have fired in the last second with any, by `keyText`. */
  let latest = { timestamp, names: new Set<string>() }

  async function* range(right: number): AsyncGenerator<PlannedEvaluation> {
    let fired = 0
    for (const firing of firingsBetween(crons, taken, left, right, await known.between(left.timestamp, right))) {
      if (fired++ >= FIRINGS_MAX) throw new TooManyCrons()
      if (!remember(firing)) continue
      const { cron, timestamp, blockHeight } = firing
      evaluated = { ordinate: left.ordinate, timestamp, blockHeight, cron }
      skipped = []
      const key = { ordinate: left.ordinate, cron, timestamp }
      const work = { kind: 'run', message: cronMessage(process, firing) } as const
      if (firesAgain(key)) yield { key, saved: false, repeated: true, readsBlocks: true, work }
      else yield { key, saved: true, readsBlocks: true, work }
    }
  }

  /** A stream begins at the second of the last cron, and the others of that second fire again. */
  function firesAgain(key: EvaluationKey): boolean {
    if (latest.timestamp !== key.timestamp) latest = { timestamp: key.timestamp, names: new Set() }
    const name = keyText(key)
    const again = latest.names.has(name)
    latest.names.add(name)
    return again
  }

  /** Remembers a cron; returns false if the stream already has it. */
  function remember({ timestamp, cron }: Pick<CronFiring, 'timestamp' | 'cron'>): boolean {
    const name = `${timestamp}-${cron}`
    if (remembered.has(name)) return false
    remembered.add(name)
    const [oldest] = remembered
    if (remembered.size > REMEMBERED_MAX && oldest !== undefined) remembered.delete(oldest)
    return true
  }

  async function* closeStream(): AsyncGenerator<PlannedEvaluation> {
    if (end === undefined || end === Number.POSITIVE_INFINITY) return
    if (seconds(left.timestamp) < seconds(end)) yield* range(end)
    end = undefined
  }

  async function* openStream(to: number): AsyncGenerator<PlannedEvaluation> {
    const again = skipped
    skipped = []
    end = to
    left = evaluated
    remembered = new Set()
    if (evaluated.cron !== undefined) remember({ timestamp: evaluated.timestamp, cron: evaluated.cron })
    await known.begin(evaluated.blockHeight, to)
    for (const message of again) {
      yield* range(message.timestamp)
      left = message
      skipped.push(message)
    }
  }

  async function* streamsBefore(next: number | undefined): AsyncGenerator<PlannedEvaluation> {
    while (end === undefined || next === undefined || end < next) {
      yield* closeStream()
      const to = known.nextEnd(evaluated.timestamp, next)
      if (to === undefined) return
      yield* openStream(to)
    }
    yield* range(next)
  }

  /** Plans a missing input as an evaluation of its own that nobody can run. */
  async function* guarded(planned: AsyncGenerator<PlannedEvaluation>, timestamp: number): AsyncGenerator<PlannedEvaluation> {
    try {
      yield* planned
    } catch (error) {
      if (!(error instanceof MissingBlock || error instanceof TooManyCrons)) throw error
      const key = { ordinate: left.ordinate, cron: 'unknown', timestamp }
      yield { key, saved: false, readsBlocks: true, work: { kind: 'missing', reason: error.message } }
    }
  }

  return {
    before: (scheduled) => guarded(streamsBefore(scheduled.timestamp), scheduled.timestamp),
    passed({ nonce, timestamp, blockHeight }, run) {
      left = { ordinate: nonce, timestamp, blockHeight }
      if (run) evaluated = left
      skipped = run ? [] : [...skipped, left]
    },
    atEnd: () => guarded(streamsBefore(undefined), left.timestamp)
  }
}

class TooManyCrons extends Error {
  constructor() {
    super(`more than ${FIRINGS_MAX} cron messages between two messages`)
  }
}
