/**
 * Searches for the places at which an honest unit began its instances so that it reached its claims (profiles §1.3). The replay itself
 * tries both ways at each reading of the clock that disagrees; this search tries earlier readings, which agreed either way or have
 * no claim.
 */
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { type Evaluation, type EvaluationKey, isPlaceOf, keyText, memoryAfter } from '../../model/records.ts'
import type { ReplayJob, ReplayStart } from '../../replay/job.ts'
import { replay } from '../../replay/replay.ts'
import type { AuditContext } from '../context.ts'
import { agreesWithClaims, jobOf } from '../evaluate.ts'
import type { ClockReading, ClockReadings } from '../observations.ts'
import type { Hypothesis, Instances } from './hypothesis.ts'
import { type Target, withVoice } from './trial.ts'

/** All combinations are tried for up to this many readings; of more, each one alone and all together. */
const COMBINED_MAX = 4

export interface InstanceSearch {
  /** The evaluation at which the unit differs. */
  readonly end: EvaluationKey
  /** Readings of a clock that had moved, up to `end`. */
  readonly readings: ClockReadings
  readonly trialsMax: number
  /** The unit's earlier claims belong to another history: only the end must fit. */
  readonly restarted?: true
}

export interface InstancesFound {
  /** The instances that reach the unit's claim. */
  readonly found?: Instances
  readonly tried: number
  /** Whether every combination was tried. */
  readonly exhausted: boolean
  /** Whether the result may depend on instances: it differed between trials, or the limit was reached. */
  readonly sensitive: boolean
}

/** A reading, and the memory right before it. */
interface Choice {
  readonly reading: ClockReading
  readonly start: ReplayStart
}

/** Tries other beginnings of instances before the difference, and replays each up to there. */
export async function searchInstances(
  context: AuditContext,
  { unit, voice, memory }: Target,
  { profile, instances, evaluates }: Hypothesis,
  { end, readings, trialsMax, restarted }: InstanceSearch
): Promise<InstancesFound> {
  const { options } = context
  const inputs = withVoice(options.inputs, voice)
  const hashAfter: ReplayJob['hashAfter'] = ({ key }) => memory !== undefined && memoryAfter(key) === memoryAfter(memory.key)
  const plan = () => context.plan(profile.blocks ?? 'all', evaluates)
  const own = { ...context, options: { ...options, inputs } }
  const { agrees, ...guided } = { ...jobOf({ ...own, plan, profile, units: [unit], instances, hashAfter }), end }
  const job = restarted === true || agrees === undefined ? guided : { ...guided, agrees }
  const fits: Fits = async (evaluation) => {
    const { key, outcome, stateHash } = evaluation
    if (restarted === true && !isPlaceOf(end, evaluation)) return true
    if (memory !== undefined && memoryAfter(key) === memoryAfter(memory.key) && stateHash !== memory.sha256) return false
    return outcome.kind !== 'result' || (await agreesWithClaims(inputs, options.run, [unit], key, outcome.text)) !== false
  }
  const folder = await options.store.temporary()
  try {
    const { choices, last, cut } = await memoriesBefore(job, fits, readings.last, folder)
    // An earlier difference is not examined here: then the effect of instances is unknown.
    if (last === undefined) return { tried: 1, sensitive: true, exhausted: false }
    if (restarted === true && (await fits(last))) return { found: instances, tried: 1, sensitive: true, exhausted: false }
    let tried = 0
    // If a replay cannot begin with a memory, the result of another instance is unknown.
    let sensitive = cut
    for (const turned of combinations(choices.length)) {
      if (tried >= trialsMax) return { tried, sensitive: true, exhausted: false }
      tried++
      const [first, ...rest] = turned.flatMap((place) => choices[place] ?? [])
      if (first === undefined) break
      const turnedOver = new Map(instances)
      for (const { reading } of [first, ...rest]) turnedOver.set(keyText(reading.key), !reading.fresh)
      const begins: ReplayJob['begins'] = ({ key }) => turnedOver.get(keyText(key))
      const result = await lastOf({ ...job, start: first.start, begins }, fits)
      sensitive ||= shown(result) !== shown(last)
      if (result !== undefined && (await fits(result))) return { found: turnedOver, tried, sensitive, exhausted: false }
    }
    const exhausted = !cut && readings.count <= readings.last.length && choices.length <= COMBINED_MAX
    return { tried, sensitive, exhausted }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Whether neither a claim nor the target's memory contradicts an evaluation. */
type Fits = (evaluation: Evaluation) => Promise<boolean>

interface Choices {
  readonly choices: readonly Choice[]
  readonly last: Evaluation | undefined
  /** Somewhere the memory is not the whole state of the instance, so no replay can continue from there. */
  readonly cut: boolean
}

/** Runs the job to its end once, and keeps the memory before each reading at which a new instance would differ. */
async function memoriesBefore(job: ReplayJob, fits: Fits, readings: readonly ClockReading[], folder: string): Promise<Choices> {
  const places = new Map(
    readings.map((reading, place) => [keyText(reading.after), { reading, file: path.join(folder, `${place}.gz`) }])
  )
  const choices: Choice[] = []
  let cut = false
  const kept: ReplayJob = {
    ...job,
    exportAfter: ({ key }) => places.get(keyText(key))?.file,
    onState({ key }, { memoryBytes, clock, clockStart, movable }, file) {
      const place = places.get(keyText(key))
      if (place === undefined) return
      cut ||= !movable || file === undefined
      if (file === undefined || !movable || clock === clockStart) return
      choices.push({
        reading: place.reading,
        start: { after: key, memory: { path: file, bytes: memoryBytes, clock } }
      })
    }
  }
  return { last: await lastOf(kept, fits), choices, cut }
}

/** The last evaluation of a job; undefined if one before it does not fit. */
async function lastOf(job: ReplayJob, fits: Fits): Promise<Evaluation | undefined> {
  for await (const evaluation of replay(job)) {
    if (evaluation.outcome.kind === 'inconclusive') return undefined
    if (job.end !== undefined && isPlaceOf(job.end, evaluation)) return evaluation
    if (!(await fits(evaluation))) return undefined
  }
  return undefined
}

function shown(evaluation: Evaluation | undefined): string | undefined {
  if (evaluation === undefined) return undefined
  const { outcome, stateHash = '' } = evaluation
  return outcome.kind === 'result' ? `${stateHash}${outcome.text}` : stateHash
}

/** Places to turn over together: each alone from the last on, then all; for few places, every combination. */
function* combinations(count: number): Generator<readonly number[]> {
  const all = Array.from({ length: count }, (_, place) => place)
  for (const place of [...all].reverse()) yield [place]
  if (count > COMBINED_MAX) return void (yield all)
  for (let mask = 3; mask < 2 ** count; mask++) {
    const chosen = all.filter((place) => (mask >> place) % 2 === 1)
    if (chosen.length > 1) yield chosen
  }
}
