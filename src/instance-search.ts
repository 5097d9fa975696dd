/**
 * Where an honest unit may have begun its instances, so that it came to what it claims (execution-profile.md, "how long an
 * instance lives"). The replay itself tries both at each reading of the clock that disagrees; here are tried those further back,
 * which agreed either way, or of which nothing was claimed.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { agreesWithClaims, jobOf } from './evaluate.ts'
import type { Finding } from './findings.ts'
import type { Material } from './material.ts'
import { type Found, type Instances, pass } from './passes.ts'
import { type ChosenProfile, speaksForUnits } from './profile-choice.ts'
import { type Evaluation, type EvaluationKey, isPlaceOf, keyText, memoryAfter } from './records.ts'
import type { ReplayJob, ReplayStart } from './replay/job.ts'
import { replay } from './replay/replay.ts'
import { ownMemories, type Reading } from './states.ts'

/** Up to so many readings all combinations are tried; of more, each alone and all together. */
const COMBINED_MAX = 4
/** Replays in one search. */
const TRIALS_MAX = 64

/** A reading, and the memory right before it. */
interface Choice {
  readonly reading: Reading
  readonly start: ReplayStart
}

/**
 * Searches for the one unit that was judged.
 *
 * @param found its pass, in which a claim differs, or a checkpoint of its own was not come to
 * @returns a pass in which it differs no more, or later, where there is one. Otherwise `found`; or, where what the unit's result
 *   would be hangs on the clock and not every way was tried, a pass in which it is not blamed, and a finding that says so
 */
export async function searchInstances(all: Material, chosen: ChosenProfile, found: Found): Promise<Found> {
  const units = found.judged.judgements.map(({ claimant }) => claimant)
  let best = found
  let instances: Instances = new Map()
  let tried = 0
  while (best.readings.count > 0) {
    const end = firstDifference(all, best)
    if (end === undefined) break
    const search = await searchBefore({ all, units, pass: best, end, instances, trialsMax: TRIALS_MAX - tried })
    tried += search.tried
    if (search.found !== undefined) {
      instances = search.found
      best = await pass(all, chosen, units, { instances })
      continue
    }
    if (search.exhausted || !search.sensitive || !differs(best)) break
    const closed = 'the result hangs on the clock, and not every way to begin instances before it was tried'
    const last = await pass(all, chosen, units, { instances, closed })
    const bound = boundReached(end, best.readings.count, tried)
    return { ...last, instancesTried: tried, findings: [...last.findings, bound] }
  }
  return { ...best, instancesTried: tried }
}

/** Whether a unit is blamed. */
export function differs({ judged }: Pick<Found, 'judged'>): boolean {
  return judged.judgements.some(({ verdict }) => verdict === 'mismatch')
}

/** The first evaluation at which a claim differs, or a checkpoint of the unit's own was not come to. */
function firstDifference({ options }: Material, { judged, compared }: Found): EvaluationKey | undefined {
  const isOwn = speaksForUnits(options)
  const claimed = judged.judgements[0]?.firstDivergence?.key
  const unreached = compared.open.find(({ signer }) => isOwn(signer))?.key
  if (claimed === undefined || unreached === undefined) return claimed ?? unreached
  return claimed.ordinate <= unreached.ordinate ? claimed : unreached
}

function boundReached(key: EvaluationKey, readings: number, tried: number): Finding {
  const detail =
    `the result hangs on the clock, which ${readings} evaluations up to it read; ${tried} ways to begin instances were tried, ` +
    'none of which agrees'
  return { code: 'SEARCH_BOUND_REACHED', severity: 'warning', attribution: 'auditor', key, detail }
}

interface SearchOptions {
  readonly all: Material
  readonly units: readonly string[]
  /** The pass in which the units differ. */
  readonly pass: Found
  /** Where they differ first. */
  readonly end: EvaluationKey
  readonly instances: Instances
  readonly trialsMax: number
}

interface Search {
  /** The instances with which the unit's claim is come to. */
  readonly found?: Instances
  readonly tried: number
  /** Whether every combination was tried. */
  readonly exhausted: boolean
  /** Whether the result may hang on instances: it was not the same in all trials, or they ran out. */
  readonly sensitive: boolean
}

async function searchBefore({ all, units, pass: differing, end, instances, trialsMax }: SearchOptions): Promise<Search> {
  const { options, checkpoints } = all
  const { readings, chosen } = differing
  const { profile } = chosen
  const own = ownMemories(checkpoints.found, speaksForUnits(options))
  const hashAfter: ReplayJob['hashAfter'] = ({ key }) => own.has(memoryAfter(key))
  const plan = () => all.plan(profile.blocks ?? 'all')
  const job = { ...jobOf({ ...all, plan, profile, units, instances, hashAfter }), end }
  const fits: Fits = async ({ key, outcome, stateHash }) => {
    const memory = own.get(memoryAfter(key))
    if (stateHash !== undefined && memory !== undefined && stateHash !== memory) return false
    return (
      outcome.kind !== 'result' || (await agreesWithClaims(options.inputs, options.run, units, key, outcome.text)) !== false
    )
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'ao-audit-search-'))
  try {
    const { choices, last, cut } = await memoriesBefore(job, fits, readings.last, folder)
    let tried = 0
    let sensitive = false
    for (const turned of combinations(choices.length)) {
      if (tried >= trialsMax) return { tried, sensitive: true, exhausted: false }
      tried++
      const [first, ...rest] = turned.flatMap((place) => choices[place] ?? [])
      if (first === undefined) break
      const trial = new Map(instances)
      for (const { reading } of [first, ...rest]) trial.set(keyText(reading.key), !reading.fresh)
      const begins: ReplayJob['begins'] = ({ key }) => trial.get(keyText(key))
      const result = await lastOf({ ...job, start: first.start, begins }, fits)
      sensitive ||= shown(result) !== shown(last)
      if (result !== undefined && (await fits(result))) return { found: trial, tried, sensitive, exhausted: false }
    }
    const exhausted = !cut && readings.count <= readings.last.length && choices.length <= COMBINED_MAX
    return { tried, sensitive, exhausted }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Whether neither a claim nor a checkpoint of the unit's own contradicts an evaluation. */
type Fits = (evaluation: Evaluation) => Promise<boolean>

interface Choices {
  readonly choices: readonly Choice[]
  readonly last: Evaluation | undefined
  /** A memory is not all that the instance held somewhere: it cannot be gone on from there. */
  readonly cut: boolean
}

/** Runs the job to its end once, and keeps the memory before each reading where a new instance would be another. */
async function memoriesBefore(job: ReplayJob, fits: Fits, readings: readonly Reading[], folder: string): Promise<Choices> {
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

/** The last evaluation of a job; undefined where one before it does not fit. */
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

/** Places to be turned over together: each alone from the last on, then all; of few, every combination. */
function* combinations(count: number): Generator<readonly number[]> {
  const all = Array.from({ length: count }, (_, place) => place)
  for (const place of [...all].reverse()) yield [place]
  if (count > COMBINED_MAX) return void (yield all)
  for (let mask = 3; mask < 2 ** count; mask++) {
    const chosen = all.filter((place) => (mask >> place) % 2 === 1)
    if (chosen.length > 1) yield chosen
  }
}
