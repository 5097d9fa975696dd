/** Compares evaluations with claims: replay on one side, the answers of every unit on the other, in one pass. */

import type { EvaluationStatus, Gate, Judgement } from '../compare/comparison.ts'
import { createHistory } from '../compare/history.ts'
import { createJudge } from '../compare/judge.ts'
import type { TallyOptions } from '../compare/tally.ts'
import { type Answers, createAnswerReader } from '../inputs/claim-reader.ts'
import { precedes } from '../inputs/evaluation-order.ts'
import type { Inputs } from '../inputs/inputs.ts'
import type { Run } from '../inputs/run-record.ts'
import type { MessageId } from '../model/ids.ts'
import { type Claim, type Evaluation, type EvaluationKey, spanOf } from '../model/records.ts'
import { defined } from '../util/defined.ts'

export interface JudgingOptions {
  readonly inputs: Inputs
  readonly run: Run
  /** The units judged in this pass. */
  readonly units: readonly string[]
  readonly evaluations: AsyncIterable<Evaluation>
  /** Whether the process has crons. */
  readonly crons: boolean
  /** Whether a cron may fire at such a time. */
  readonly mayFire: (key: EvaluationKey) => boolean
  readonly strictTagOrder: boolean
  /** The profile of the replay, if it is assumed. */
  readonly assumedProfile?: string
  /** Defaults to {@link STRICT_TALLY}. */
  readonly tally?: TallyOptions
  /** A steady clock, ms. */
  readonly clock: () => number
  /** The evidence that decides whether a difference of this unit at this evaluation may be called a mismatch. */
  readonly gate: (evaluation: Evaluation, unit: string) => Gate
  /** Receives every evaluation, including those before the range. */
  readonly onEach?: (evaluation: Evaluation) => void
  readonly onEvaluation?: EvaluationListener
}

/** Receives every evaluation of the range, with the status of each unit. The next evaluation waits for the returned promise. */
export type EvaluationListener = (evaluation: Evaluation, stands: readonly Standing[]) => unknown

/** Told when a replay begins for these units: what was told of them in an earlier one no longer holds. */
export type PassListener = (units: readonly string[]) => void

/** The status of a unit at one evaluation. */
export interface Standing {
  readonly claimant: string
  readonly status: EvaluationStatus
}

export interface PassJudgements {
  readonly judgements: readonly Judgement[]
  /** Counts for the range. */
  readonly counts: {
    readonly scheduled: number
    readonly cron: number
    readonly evaluated: number
    readonly skipped: number
    readonly unverified: number
  }
  /** Evaluations that read a host input, and agreed with a claim only under another profile. */
  readonly profiled: readonly Evaluation[]
  /** Time spent on comparing claims with results, ms. */
  readonly compareMs: number
}

const PROFILED_MAX = 1000
const NO_ANSWERS: Answers = { claims: [], unavailable: [] }

/** Goes through the evaluations, and judges every unit by each. */
export async function judgeEvaluations(options: JudgingOptions): Promise<PassJudgements> {
  const { inputs, run } = options
  const history = createHistory()
  const { crons, strictTagOrder, assumedProfile, tally } = options
  const judging = {
    history,
    crons,
    strictTagOrder,
    ...defined({ assumedProfile, tally })
  }
  const units = options.units.map((url) => ({
    claimant: url,
    judge: createJudge({ claimant: url, ...judging }),
    answers: createAnswerReader(inputs, run, url)
  }))
  const counts = { scheduled: 0, cron: 0, evaluated: 0, skipped: 0, unverified: 0 }
  const profiled: Evaluation[] = []
  /** The last evaluation, as far as is known. */
  let last: EvaluationKey | undefined
  let compareMs = 0

  let unknown = false

  /** Judges claims up to a finished ordinate that no evaluation took; after an inconclusive evaluation they prove nothing. */
  const leave = async (upTo: number, isBehindEnd: (claim: Claim) => boolean = () => false) => {
    for (const { judge, answers } of units) {
      for (const claim of await answers.leftover(upTo)) {
        if (unknown) continue
        if (isBehindEnd(claim)) judge.behindEnd(claim)
        else judge.unmatched(claim)
      }
    }
  }

  for await (const evaluation of options.evaluations) {
    const { key, nonce, outcome, repeated = false } = evaluation
    options.onEach?.(evaluation)
    // A unit that skips a message continues from before it: crons of lower ordinates may still come.
    if (outcome.kind !== 'skipped') {
      await leave(key.ordinate - 1)
      last = key
    }
    if (key.ordinate < run.from) {
      history.before(evaluation)
      continue
    }
    unknown ||= outcome.kind === 'inconclusive'
    const gates = new Map(options.units.map((unit) => [unit, options.gate(evaluation, unit)]))
    if (nonce !== undefined) counts.scheduled += spanOf(evaluation)
    const isCron = key.cron !== undefined && !repeated
    if (isCron) counts.cron++
    if (nonce !== undefined || isCron) {
      if (outcome.kind === 'result') counts.evaluated++
      if ([...gates.values()].some(({ verified }) => verified === false)) counts.unverified += spanOf(evaluation)
    }
    if (outcome.kind === 'skipped') counts.skipped++
    const twin = outcome.kind === 'skipped' ? await messageIdAt(options.inputs, options.run, outcome.of) : undefined
    const stands: Standing[] = []
    for (const { claimant, judge, answers } of units) {
      const gate = gates.get(claimant) ?? options.gate(evaluation, claimant)
      const { claims, unavailable } = repeated ? NO_ANSWERS : await answers.take(evaluation)
      const begun = options.clock()
      stands.push({ claimant, status: judge.evaluation(evaluation, claims, unavailable, gate, twin) })
      compareMs += options.clock() - begun
    }
    const fits = outcome.kind === 'result' && outcome.profile !== undefined && stands.some(isProfiled)
    if (fits && profiled.length < PROFILED_MAX) profiled.push(evaluation)
    await options.onEvaluation?.(evaluation, stands)
  }
  // Only a message after the range shows which crons fire after the last evaluation, and before which message.
  const fired = createFirings()
  await leave(run.to, ({ claimant, key }) => {
    const isBehind = key.cron !== undefined && last !== undefined && precedes(last, key)
    return isBehind && options.mayFire(key) && fired(claimant, key)
  })
  return { judgements: units.map(({ judge }) => judge.finish()), counts, profiled, compareMs }
}

/** A cron fires once a second, and twice at the seam of two evaluation streams: an honest unit does not list more. */
const FIRINGS_A_SECOND = 2

/** Notes a firing, and returns whether an honest unit may have had this many within that second. */
function createFirings(): (claimant: string, key: EvaluationKey) => boolean {
  const seen = new Map<string, Set<number>>()
  return (claimant, { cron, timestamp }) => {
    const second = JSON.stringify([claimant, cron, Math.floor(timestamp / 1000)])
    const times = seen.get(second) ?? new Set()
    seen.set(second, times.add(timestamp))
    return times.size <= FIRINGS_A_SECOND
  }
}

function isProfiled({ status }: Standing): boolean {
  return status === 'match-profile'
}

/** The id of a scheduled message; undefined if its nonce was not served. */
export async function messageIdAt(inputs: Inputs, run: Run, nonce: number): Promise<MessageId | undefined> {
  for await (const { messageId } of inputs.schedule.messages(run, nonce, nonce)) return messageId
  return undefined
}
