/** Replays segments side by side: each starts from a checkpoint's memory, and the segment before it must end with that memory. */

import type { StartMemory } from '../memory/start-memory.ts'
import { type Evaluation, type EvaluationKey, isPlaceOf, keyText } from '../model/records.ts'
import { defined } from '../util/defined.ts'
import { joined } from '../util/signals.ts'
import { runAhead } from './ahead.ts'
import type { ReplayJob } from './job.ts'
import { replay } from './replay.ts'
import type { InstanceState } from './sandbox/protocol.ts'
import { type SharedPlan, sharePlan } from './shared-plan.ts'

/** The point where one segment ends and the next begins. */
export interface Boundary {
  /** The id of the checkpoint that the memory belongs to. */
  readonly name: string
  readonly after: EvaluationKey
  /** Hash of the memory, lowercase hex. */
  readonly sha256: string
  readonly memory: StartMemory
}

/** Whether the segment before a boundary ended with the boundary's memory. If not, everything after it ran one after another. */
export interface SegmentProof {
  readonly name: string
  readonly proven: boolean
}

/**
 * Evaluates a plan in order, as `replay` does, in segments that run at the same time.
 *
 * A segment counts only if it starts from the state in which the one before it ended: the same memory hash and the same clock. A
 * segment starts before that is known, with the clock of a new instance. If the true clock differs, its evaluations count as long
 * as they do not read the clock. From the first reading on, or after a memory that the segment before did not reach, the rest
 * runs one after another.
 *
 * @param boundaries ascending points of the plan; their memories may be false
 * @param jobs number of sandboxes that run at the same time
 * @throws AuditError as `replay`
 */
export async function* replaySegments(
  job: ReplayJob,
  boundaries: readonly Boundary[],
  { jobs, onLink }: { readonly jobs: number; readonly onLink?: (link: SegmentProof) => void }
): AsyncGenerator<Evaluation> {
  const shared = sharePlan(
    job.plan(),
    boundaries.map(({ after }) => after)
  )
  const parts = partsOf(job, boundaries, shared)
  const ahead = runAhead(
    parts.map((part) => (signal) => replay({ ...part.job, signal: joined(signal, job.signal) })),
    jobs
  )
  /** The true clock, if it differs from that of a new instance. */
  let clock = job.start?.memory.clock
  try {
    for (const [place, part] of parts.entries()) {
      const guessed = place > 0 && clock !== undefined
      let delivered = 0
      const runOn = () => without(delivered, replay(onwards(job, part.job, place > 0 ? clock : undefined)))
      for await (const evaluation of ahead.take(place)) {
        if (guessed && evaluation.hostInputs !== undefined) {
          await ahead.stop()
          return yield* runOn()
        }
        delivered++
        part.tellStates(evaluation, guessed ? clock : undefined)
        yield evaluation
      }
      const boundary = boundaries[place]
      if (boundary === undefined) return
      const end = part.end()
      const proven = end?.sha256 === boundary.sha256 && end.movable
      onLink?.({ name: boundary.name, proven })
      if (end === undefined || !proven) {
        await ahead.stop()
        return yield* runOn()
      }
      const endClock = guessed ? trueClock(end, clock) : end.clock
      clock = endClock === end.clockStart ? undefined : endClock
    }
  } finally {
    await ahead.stop()
    await shared.close()
  }
}

interface Part {
  readonly job: ReplayJob
  /** The state of its instance at its end. */
  end(): InstanceState | undefined
  /** Reports the state after an evaluation to the job, now that it counts; `clock` is the true clock at the segment's start. */
  tellStates(evaluation: Evaluation, clock: number | undefined): void
}

function partsOf(job: ReplayJob, boundaries: readonly Boundary[], shared: SharedPlan): Part[] {
  return [undefined, ...boundaries].map((begin, place): Part => {
    const last = boundaries[place]?.after
    let state: InstanceState | undefined
    const told = new Map<string, Parameters<NonNullable<ReplayJob['onState']>>>()
    let read = false
    return {
      job: {
        ...job,
        plan() {
          // A segment that runs again needs its plan again.
          if (read) return job.plan()
          read = true
          return shared.part(place)
        },
        ...(begin === undefined ? {} : { start: { after: begin.after, memory: begin.memory } }),
        ...defined({ end: last }),
        hashAfter: (planned) => job.hashAfter?.(planned) === true || (last !== undefined && isPlaceOf(last, planned)),
        onState(planned, found, file) {
          if (last !== undefined && isPlaceOf(last, planned)) state = found
          if (job.onState !== undefined) told.set(keyText(planned.key), [planned, found, file])
        }
      },
      end: () => state,
      tellStates({ key }, clock) {
        const [planned, found, file] = told.get(keyText(key)) ?? []
        if (planned === undefined || found === undefined) return
        told.delete(keyText(key))
        job.onState?.(planned, clock === undefined ? found : { ...found, clock: trueClock(found, clock) }, file)
      }
    }
  })
}

/** Corrects the clock of a segment that started from another clock than assumed: calls that nobody sees move it, too. */
function trueClock({ clock, clockStart, beganInstance }: InstanceState, began: number | undefined): number {
  return began === undefined || beganInstance ? clock : began + (clock - clockStart)
}

/** The job from the start of a segment, with the true clock, to the end of the whole plan. */
function onwards(whole: ReplayJob, part: ReplayJob, clock: number | undefined): ReplayJob {
  const { start } = part
  return {
    ...whole,
    ...(start === undefined ? {} : { start: clock === undefined ? start : { ...start, memory: { ...start.memory, clock } } })
  }
}

async function* without(count: number, evaluations: AsyncIterable<Evaluation>): AsyncGenerator<Evaluation> {
  let place = 0
  for await (const evaluation of evaluations) if (place++ >= count) yield evaluation
}
