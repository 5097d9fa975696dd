/** Evaluations held against claims: replay on one side, the answers of every unit on the other, in one pass. */

import { createAnswerReader } from './claims.ts'
import { createHistory } from './compare/history.ts'
import { createJudge } from './compare/judge.ts'
import type { EvaluationStatus, Gate, Judgement } from './compare/types.ts'
import { precedes } from './evaluation-order.ts'
import type { Inputs, Run } from './inputs.ts'
import type { Claim, Evaluation, EvaluationKey } from './records.ts'

export interface JudgingOptions {
  readonly inputs: Inputs
  readonly run: Run
  /** The units judged in this pass. */
  readonly units: readonly string[]
  readonly evaluations: AsyncIterable<Evaluation>
  /** Whether the process has crons. */
  readonly crons: boolean
  readonly strictTagOrder: boolean
  /** A steady clock, ms. */
  readonly clock: () => number
  /** Whether a difference of this unit at this evaluation may be called a mismatch. */
  readonly gate: (evaluation: Evaluation, unit: string) => Gate
  /** Told about every evaluation, those before the range too. */
  readonly onEach?: (evaluation: Evaluation) => void
  /** Told about every evaluation of the range, and how each unit stands to it. */
  readonly onEvaluation?: (evaluation: Evaluation, stands: readonly Standing[]) => void
}

/** How a unit stands to one evaluation. */
export interface Standing {
  readonly claimant: string
  readonly status: EvaluationStatus
}

export interface Judged {
  readonly judgements: readonly Judgement[]
  /** Of the range. */
  readonly counts: {
    readonly scheduled: number
    readonly cron: number
    readonly evaluated: number
    readonly skipped: number
    readonly unverified: number
  }
  /** Evaluations that called for a host input, and agreed with a claim only under another profile. */
  readonly profiled: readonly Evaluation[]
  /** Time spent on holding claims against results, ms. */
  readonly compareMs: number
}

const PROFILED_MAX = 1000

/** Runs the evaluations through, and judges every unit by each. */
export async function judgeEvaluations(options: JudgingOptions): Promise<Judged> {
  const { inputs, run } = options
  const history = createHistory()
  const units = options.units.map((url) => ({
    claimant: url,
    judge: createJudge({ claimant: url, history, crons: options.crons, strictTagOrder: options.strictTagOrder }),
    answers: createAnswerReader(inputs, run, url)
  }))
  const counts = { scheduled: 0, cron: 0, evaluated: 0, skipped: 0, unverified: 0 }
  const profiled: Evaluation[] = []
  /** The last that was evaluated, as far as is known. */
  let last: EvaluationKey | undefined
  let compareMs = 0

  let unknown = false

  /** Claims up to an ordinate that is left behind, which no evaluation asked for; of what is missing here they say nothing. */
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
    const { key, nonce, outcome } = evaluation
    options.onEach?.(evaluation)
    // A unit that skips a message goes on from before it: crons of lower ordinates may still come.
    if (outcome.kind !== 'skipped') {
      await leave(key.ordinate - 1)
      last = key
    }
    if (key.ordinate < run.from) {
      history.before(evaluation)
      continue
    }
    unknown ||= outcome.kind === 'inconclusive'
    const gates = options.units.map((unit) => options.gate(evaluation, unit))
    if (nonce !== undefined) counts.scheduled++
    if (key.cron !== undefined) counts.cron++
    if (nonce !== undefined || key.cron !== undefined) {
      if (outcome.kind === 'result') counts.evaluated++
      if (gates.some(({ verified }) => verified === false)) counts.unverified++
    }
    if (outcome.kind === 'skipped') counts.skipped++
    const stands: Standing[] = []
    for (const [place, { claimant, judge, answers }] of units.entries()) {
      const gate = gates[place] ?? { accusable: false }
      const { claims, unavailable } = await answers.take(key)
      const begun = options.clock()
      stands.push({ claimant, status: judge.evaluation(evaluation, claims, unavailable, gate) })
      compareMs += options.clock() - begun
    }
    const fits = stands.some(({ status }) => status === 'match-profile')
    if (fits && profiled.length < PROFILED_MAX) profiled.push(evaluation)
    options.onEvaluation?.(evaluation, stands)
  }
  // When crons fire behind the last evaluation, and before which message, is known only with a message behind the range.
  await leave(run.to, ({ key }) => key.cron !== undefined && last !== undefined && precedes(last, key))
  return { judgements: units.map(({ judge }) => judge.finish()), counts, profiled, compareMs }
}
