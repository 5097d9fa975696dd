/** Turns planned evaluations into evaluations. */

import type { Evaluation, EvaluationResult, Outcome } from '../model/records.ts'
import { defined } from '../util/defined.ts'
import type { ReplayJob } from './job.ts'
import type { PlannedEvaluation } from './plan/planned.ts'
import { beginsInstance, type ExecutionProfile } from './profile.ts'
import { runSession, type Step } from './session.ts'

/**
 * Evaluates a plan in order.
 *
 * An evaluation that cannot run is `inconclusive` with a reason, and so are all later ones, because the state is then unknown.
 *
 * @throws AuditError `MODULE_UNSUPPORTED` for a format that the loader does not run; `ENVIRONMENT_UNFIT` if the machine refuses the
 *   sandbox something; `SANDBOX_FAILED`; `INPUT_MISSING` if the plan does not reach the job's start; `INTERRUPTED` if the signal fired;
 *   and whatever the plan throws
 *
 * @example
 * ```ts
 * for await (const { nonce, outcome } of replay({ setup, profile: LEGACYNET, plan })) console.log(nonce, outcome.kind)
 * ```
 */
export async function* replay(job: ReplayJob): AsyncGenerator<Evaluation> {
  const toEvaluation = createHalting(job)
  let delivered = 0
  for await (const step of runSession(job, {})) {
    if ('careful' in step) {
      let position = 0
      for await (const again of runSession(job, { careful: step.careful })) {
        if (!('careful' in again) && position++ >= delivered) yield toEvaluation(again)
      }
      return
    }
    delivered++
    yield toEvaluation(step)
  }
}

/** Turns steps into evaluations; after one that could not run, all later ones are inconclusive. */
function createHalting(job: ReplayJob): (step: Step) => Evaluation {
  let halted: string | undefined
  return (step) => {
    const { key, nonce, through, messageId, repeated } = step.planned
    const outcome: Outcome = halted === undefined ? outcomeOf(job, step) : { kind: 'inconclusive', reason: halted }
    if (outcome.kind === 'inconclusive') halted ??= `an earlier evaluation is inconclusive: ${outcome.reason}`
    if (step.result !== undefined) job.onRun?.(step.result.handleUs)
    if (step.state !== undefined && outcome.kind !== 'inconclusive') job.onState?.(step.planned, step.state, step.exportedTo)
    const { hostInputs = [], unstated, assumed, clockMoved, instanceHeldMore, memoryGrew } = step.result ?? {}
    const byInstance = clockMoved === true || instanceHeldMore === true || step.otherInstance === true
    // The state is unknown, so it gets no hash.
    const state = outcome.kind === 'inconclusive' ? {} : stateWords(step)
    return {
      key,
      ...defined({ nonce, through, messageId, repeated }),
      outcome,
      ...(hostInputs.length === 0 ? {} : { hostInputs }),
      ...defined({ unstated }),
      ...(byInstance ? { dependsOnInstance: true } : {}),
      ...(step.result?.readsEnvironment === true ? { readsEnvironment: true } : {}),
      ...defined({ assumed }),
      ...(memoryGrew === true ? { memoryGrew } : {}),
      ...state
    }
  }
}

function stateWords({ state, stateFailure }: Step): Pick<Evaluation, 'stateHash' | 'stateFailure'> {
  if (state !== undefined) return { stateHash: state.sha256 }
  return stateFailure === undefined ? {} : { stateFailure }
}

function outcomeOf(job: ReplayJob, { planned, result, why, otherInstance }: Step): Outcome {
  const { work } = planned
  if (work.kind === 'skip') return { kind: 'skipped', reason: work.reason, of: work.of }
  if (work.kind !== 'run') return { kind: 'inconclusive', reason: work.reason }
  if (result === undefined) return { kind: 'inconclusive', ...(why ?? { reason: 'it was not evaluated' }) }
  if (result.hostTrouble !== undefined) {
    const missing = result.inputMissing === true ? { inputMissing: true as const } : {}
    const fault = defined({ fault: result.fault })
    return { kind: 'inconclusive', reason: result.hostTrouble, ...missing, ...fault }
  }
  const profile = otherInstance === true ? { profile: otherProfile(job.profile, planned) } : {}
  return { kind: 'result', result: JSON.parse(result.text) as EvaluationResult, text: result.text, ...profile }
}

/** Names the profile of an evaluation that agrees only if the CU started an instance, or kept one, contrary to the profile. */
function otherProfile(profile: ExecutionProfile, planned: PlannedEvaluation): string {
  return `${profile.name}, ${beginsInstance(profile, planned) ? 'the same instance as before' : 'a new instance before it'}`
}
