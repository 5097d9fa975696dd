/** Replays under one hypothesis, and compares with one unit's claims as long as they agree. */

import type { Comparison, Gate } from '../../compare/comparison.ts'
import { createHistory, fingerprint } from '../../compare/history.ts'
import { judgeEvaluation } from '../../compare/judge-evaluation.ts'
import { createAnswerReader } from '../../inputs/claim-reader.ts'
import type { Inputs } from '../../inputs/inputs.ts'
import { type Claim, type Evaluation, type EvaluationKey, isPlaceOf, keyText, memoryAfter } from '../../model/records.ts'
import { replay } from '../../replay/replay.ts'
import { defined } from '../../util/defined.ts'
import type { AuditContext } from '../context.ts'
import { jobOf } from '../evaluate.ts'
import { messageIdAt } from '../judge-pass.ts'
import { type ClockReadings, createObservations, type SkippedTwin } from '../observations.ts'
import type { Hypothesis } from './hypothesis.ts'

/** The unit and the claims to explain. */
export interface Target {
  readonly unit: string
  /** Its `/result` or its listings alone: several machines may answer at one URL. */
  readonly voice?: Claim['kind']
  /** A memory of the unit itself that must be reached too. */
  readonly memory?: { readonly key: EvaluationKey; readonly sha256: string }
}

export interface TrialOptions {
  /** A different order of tags is a difference: for a profile that is exact. */
  readonly strict: boolean
  /** The trial ends after this many evaluations, or after the evaluation `end`. */
  readonly evaluations?: number
  readonly end?: EvaluationKey
  /** Claims about other evaluations are ignored, and instances begin as the hypothesis says, not as claims suggest. */
  readonly only?: EvaluationKey
  /** Continues after differences, and counts how many evaluations agree. */
  readonly goesOn?: true
}

export interface TrialResult {
  /** The first evaluation whose claim, or memory, differs from the computed one; undefined if there is none. */
  readonly differsAt: EvaluationKey | undefined
  /** The computed result there, without the order of tags. */
  readonly shown: string | undefined
  /** How many evaluations before it agree except for the order of tags. */
  readonly orderDiffers: number
  /** How many evaluations have claims that agree to the last character. */
  readonly agreeing: number
  /** For all examined evaluations, by `keyText`: whether their claims agree, except for the order of tags. */
  readonly looked: ReadonlyMap<string, boolean>
  /** How many evaluations differ; more than one only if the trial continues after differences. */
  readonly differing: number
  /** How many instances began, or did not, against the profile. */
  readonly boundaries: number
  readonly readings: ClockReadings
  readonly twins: readonly SkippedTwin[]
  readonly readsTimeZone: boolean
  readonly readsEnvironment: boolean
  /** Whether it read a value that the host decides, for example the clock. */
  readonly readsHost: boolean
  /** The result of the one evaluation whose claims count; undefined if it was not reached. */
  readonly atEnd: string | undefined
  /** The evaluation at which the module could not continue. */
  readonly stoppedAt: EvaluationKey | undefined
}

/** Nobody is blamed in a trial. */
const GATE: Gate = { evidence: { search: { kind: 'open', reason: 'a trial' } } }

/** The inputs with claims of one kind only. */
export function withVoice(inputs: Inputs, voice: Claim['kind'] | undefined): Inputs {
  if (voice === undefined) return inputs
  const { of, at } = inputs.claims
  return {
    ...inputs,
    claims: {
      ...inputs.claims,
      async *of(run, unit) {
        for await (const claim of of(run, unit)) if (claim.kind === voice) yield claim
      },
      at: async (run, unit, ordinate) => (await at(run, unit, ordinate)).filter(({ kind }) => kind === voice)
    }
  }
}

/** Replays up to the first difference from the unit's claims. */
export async function trial(
  context: AuditContext,
  { unit, voice, memory }: Target,
  hypothesis: Hypothesis,
  { strict, evaluations = Number.POSITIVE_INFINITY, end, only, goesOn }: TrialOptions
): Promise<TrialResult> {
  const ofVoice = { ...context, options: { ...context.options, inputs: withVoice(context.options.inputs, voice) } }
  const { options, subject, checkpoints } = ofVoice
  const { inputs, run } = options
  const { profile, instances, evaluates } = hypothesis
  const answers = createAnswerReader(inputs, run, unit)
  const history = createHistory()
  const seen = createObservations(options, checkpoints, profile, () => false)
  const plan = () => ofVoice.plan(profile.blocks ?? 'all', evaluates)
  const hashAfter = ({ key }: { readonly key: EvaluationKey }) =>
    memory !== undefined && memoryAfter(key) === memoryAfter(memory.key)
  const { agrees, ...unguided } = jobOf({ ...ofVoice, subject, plan, profile, units: [unit], instances, hashAfter })
  const job = {
    ...unguided,
    ...defined({ agrees: only === undefined ? agrees : undefined, end })
  }
  const counts = { looked: 0, agreeing: 0, orderDiffers: 0, differing: 0, boundaries: 0 }
  let readsEnvironment = false
  let readsHost = false
  let first: { readonly key: EvaluationKey; readonly evaluation: Evaluation } | undefined
  const looked = new Map<string, boolean>()
  let atEnd: string | undefined
  const resultAt = (differsAt?: EvaluationKey, evaluation?: Evaluation, stoppedAt?: EvaluationKey): TrialResult => ({
    differsAt,
    shown: evaluation === undefined ? undefined : shownOf(evaluation),
    orderDiffers: counts.orderDiffers,
    agreeing: counts.agreeing,
    looked,
    differing: counts.differing,
    boundaries: counts.boundaries,
    readings: seen.readings(),
    twins: seen.twins(),
    readsTimeZone: seen.readsTimeZone(),
    readsEnvironment,
    readsHost,
    atEnd,
    stoppedAt
  })
  for await (const evaluation of replay(job)) {
    const { key, outcome } = evaluation
    seen.take(evaluation)
    readsEnvironment ||= evaluation.readsEnvironment === true
    readsHost ||= evaluation.hostInputs !== undefined
    if (only !== undefined && isPlaceOf(only, evaluation) && evaluation.repeated !== true) atEnd = resultText(evaluation)
    if (outcome.kind === 'result' && outcome.profile !== undefined) counts.boundaries++
    if (outcome.kind === 'inconclusive') return resultAt(undefined, evaluation, key)
    const twin = outcome.kind === 'skipped' ? await messageIdAt(inputs, run, outcome.of) : undefined
    const before = history.before(evaluation, twin)
    const isClaimable = key.ordinate >= run.from && evaluation.repeated !== true
    if (isClaimable && (only === undefined || isPlaceOf(only, evaluation))) {
      const { claims } = await answers.take(evaluation)
      const judged = judgeEvaluation({
        evaluation,
        claims,
        before,
        gate: { ...GATE, checkpointBehind: seen.hasCheckpoint(key) },
        options: { strictTagOrder: strict }
      })
      looked.set(keyText(key), judged.unexplained !== true)
      if (judged.unexplained !== true) count(judged.compared ? judged.comparison : undefined)
      else {
        counts.differing++
        first ??= { key, evaluation }
        if (goesOn === undefined) break
      }
    }
    if (hashAfter(evaluation) && evaluation.stateHash !== memory?.sha256) return resultAt(key, evaluation)
    if (++counts.looked >= evaluations || (end !== undefined && isPlaceOf(end, evaluation))) break
  }
  return first === undefined ? resultAt() : resultAt(first.key, first.evaluation)

  function count(comparison: Comparison | undefined): void {
    if (comparison === undefined) return
    if (comparison.tagOrderDiffers) counts.orderDiffers++
    else counts.agreeing++
  }
}

function shownOf(evaluation: Evaluation): string {
  return `${evaluation.stateHash ?? ''} ${resultText(evaluation)}`
}

/** The result as text, without the order of tags. */
function resultText({ outcome }: Evaluation): string {
  return outcome.kind === 'result' ? `${fingerprint(outcome.result)} ${String(outcome.result.GasUsed)}` : outcome.kind
}

/** Whether one place comes before another in the order of evaluation. */
export function isBefore(left: EvaluationKey, right: EvaluationKey): boolean {
  if (left.ordinate !== right.ordinate) return left.ordinate < right.ordinate
  if ((left.cron === undefined) !== (right.cron === undefined)) return left.cron === undefined
  return left.timestamp < right.timestamp
}
