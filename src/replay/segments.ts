/** Replay in parts side by side: each begins with a checkpoint's memory, and the one before must end in it. */

import type { StartMemory } from '../memory/start-memory.ts'
import { type Evaluation, type EvaluationKey, isPlaceOf, keyText } from '../model/records.ts'
import { defined } from '../util/defined.ts'
import { joined } from '../util/signals.ts'
import { runAhead } from './ahead.ts'
import type { ReplayJob } from './job.ts'
import { replay } from './replay.ts'
import type { InstanceState } from './sandbox/protocol.ts'
import { type SharedPlan, sharePlan } from './shared-plan.ts'

/** Where one part ends and the next begins. */
export interface Boundary {
  /** Whose memory it is: a checkpoint's id. */
  readonly name: string
  readonly after: EvaluationKey
  /** Lowercase hex of the memory. */
  readonly sha256: string
  readonly memory: StartMemory
}

/** A boundary, and whether the part before it ended in its memory. If not, all behind it was run one after another. */
export interface SegmentProof {
  readonly name: string
  readonly proven: boolean
}

/**
 * Evaluates a plan in order, as `replay` does, in parts that run at the same time.
 *
 * A part stands where the one before it ended: in the memory whose hash that one came to, and with the clock that it left. A part
 * begins before that is known, with the clock of a new instance. Where the clock stood elsewhere, it may be used as long as it
 * does not read it; from the first reading on, as behind a memory that was not come to, all is run one after another.
 *
 * @param boundaries ascending, of the plan; with memories that may be somebody's lie
 * @param jobs sandboxes at the same time
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
  /** Where it truly stands, where that is not where it stands in a new instance. */
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
  /** What its instance held at its end. */
  end(): InstanceState | undefined
  /** Tells the job what the instance held after an evaluation, now that it counts; `clock` is where it truly began. */
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
          // Where it has to be run again, it is planned again.
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

/** Where the clock of a part stands that began elsewhere than was thought: it is moved by what nobody reads, too. */
function trueClock({ clock, clockStart, beganInstance }: InstanceState, began: number | undefined): number {
  return began === undefined || beganInstance ? clock : began + (clock - clockStart)
}

/** From where a part begins, with the true clock, to the end of all. */
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
