/** The evaluations of an audit: one replay, in parallel parts if there are memories to begin them with. */

import { agrees, compareResult } from '../compare/result.ts'
import { claimsAnError, claimsOf } from '../inputs/claim-reader.ts'
import type { Inputs } from '../inputs/inputs.ts'
import type { Run } from '../inputs/run-record.ts'
import { type Evaluation, type EvaluationKey, type EvaluationResult, keyText } from '../model/records.ts'
import type { DriveSource } from '../replay/drive/source.ts'
import type { ReplayJob } from '../replay/job.ts'
import type { PlannedEvaluation } from '../replay/plan/planned.ts'
import type { ExecutionProfile } from '../replay/profile.ts'
import { replay } from '../replay/replay.ts'
import { type Boundary, replaySegments, type SegmentProof } from '../replay/segments.ts'
import { defined } from '../util/defined.ts'
import type { Checkpoints } from './checkpoints/judge-checkpoints.ts'
import type { Snapshots } from './checkpoints/snapshots.ts'
import type { UsableCheckpoint } from './checkpoints/trusted-start.ts'
import type { AuditRunOptions } from './run-options.ts'
import type { Subject } from './subject.ts'

export interface EvaluateOptions {
  readonly options: AuditRunOptions
  readonly subject: Subject
  readonly plan: () => AsyncIterable<PlannedEvaluation>
  readonly profile: ExecutionProfile
  /** Units whose claims decide between two instances. */
  readonly units: readonly string[]
  readonly start?: UsableCheckpoint
  /** Exceptions from the profile, by `keyText`: whether an instance began before this evaluation. */
  readonly instances?: ReadonlyMap<string, boolean>
  readonly drive: DriveSource
  readonly checkpoints: Pick<Checkpoints, 'unpacked'>
  readonly hashAfter?: ReplayJob['hashAfter']
}

/** The job that replays everything, from the start on. */
export function jobOf({
  options,
  subject,
  plan,
  profile,
  units,
  start,
  drive,
  checkpoints,
  instances,
  hashAfter
}: EvaluateOptions): ReplayJob {
  const { inputs, run, limits, spare, onBusy, signal } = options
  return {
    setup: subject.setup,
    profile,
    plan,
    drive,
    likely: ({ key }) => checkpoints.unpacked(key),
    ...defined({
      start: start === undefined ? undefined : { after: start.key, memory: start.memory },
      hashAfter,
      begins: instances === undefined ? undefined : ({ key }: PlannedEvaluation) => instances.get(keyText(key))
    }),
    ...(options.search
      ? {
          agrees: async ({ key, repeated }, text) =>
            repeated === true ? undefined : agreesWithClaims(inputs, run, units, key, text)
        }
      : {}),
    claimedError: async ({ key, repeated }) => repeated !== true && claimsAnError(inputs, run, units, key),
    ...defined({ limits, spare, onBusy, signal })
  }
}

export interface Parts {
  readonly boundaries: readonly Boundary[]
  /** Sandboxes that may run at the same time, and the memory for all of them. */
  readonly jobs: number
  readonly freeBytes: number
  readonly onLink: (link: SegmentProof) => void
}

/** Memory of a sandbox besides its module's: the engine and compiled code. */
const ENGINE_BYTES = 256 * 1024 * 1024

/** Runs the job; in parts, if more than one sandbox fits and there are memories to begin them with. */
export function evaluate(job: ReplayJob, { boundaries, jobs, freeBytes, onLink }: Parts): AsyncIterable<Evaluation> {
  // The memory, its shadow, and the file from which it was read.
  const sandboxBytes = ENGINE_BYTES + 3 * Math.max(0, ...boundaries.map(({ memory }) => memory.bytes))
  const fitting = Math.min(jobs, Math.floor(freeBytes / sandboxBytes))
  return fitting > 1 && boundaries.length > 0 ? replaySegments(job, boundaries, { jobs: fitting, onLink }) : replay(job)
}

/** Yields the evaluations of an earlier audit, then runs the rest of the job, and keeps its evaluations. */
export async function* evaluateOn(job: ReplayJob, parts: Parts, snapshots: Snapshots): AsyncGenerator<Evaluation> {
  const { resumed } = snapshots
  if (resumed !== undefined) yield* resumed.evaluations()
  const rest = { ...job, ...snapshots.job, ...defined({ start: resumed?.start }) }
  yield* snapshots.keep(evaluate(rest, parts))
}

/** The evaluations of a plan that cannot be run. */
export async function* unevaluated(plan: AsyncIterable<PlannedEvaluation>): AsyncGenerator<Evaluation> {
  for await (const { key, nonce, through, messageId, work } of plan) {
    const reason = work.kind === 'missing' || work.kind === 'stop' ? work.reason : 'it was not evaluated'
    const nonces = defined({ nonce, through })
    const named = { ...nonces, ...defined({ messageId }) }
    yield { key, ...named, outcome: { kind: 'inconclusive', reason } }
  }
}

/** Whether every unit with a claim about an evaluation agrees; undefined if no unit has one. */
export async function agreesWithClaims(
  inputs: Inputs,
  run: Run,
  units: readonly string[],
  key: EvaluationKey,
  text: string
): Promise<boolean | undefined> {
  const claims = await claimsOf(inputs, run, units, key)
  if (claims.length === 0) return undefined
  const computed = JSON.parse(text) as EvaluationResult
  return claims.every((claim) => agrees(compareResult(claim, computed, { maxDifferences: 1 })))
}
