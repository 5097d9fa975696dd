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
import { type Found, type Instances, type Material, pass } from './passes.ts'
import type { ChosenProfile } from './profile-choice.ts'
import { type EvaluationKey, keyText } from './records.ts'
import { moduleFormat } from './replay/formats.ts'
import type { ReplayJob, ReplayStart } from './replay/job.ts'
import { clockStart } from './replay/profile.ts'
import { replay } from './replay/replay.ts'
import type { Reading } from './states.ts'

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
 * @param found its pass, in which it differs
 * @returns a pass in which it differs no more, or later, where there is one. Otherwise `found`; or, where what the unit's result
 *   would be hangs on the clock and not every way was tried, a pass in which it is not blamed, and a finding that says so
 */
export async function searchInstances(all: Material, chosen: ChosenProfile, found: Found): Promise<Found> {
  const units = found.judged.judgements.map(({ claimant }) => claimant)
  let best = found
  let instances: Instances = new Map()
  let tried = 0
  while (best.readings.count > 0) {
    const { key } = best.judged.judgements[0]?.firstDivergence ?? {}
    if (key === undefined) break
    const search = await searchBefore({ all, units, pass: best, end: key, instances, trialsMax: TRIALS_MAX - tried })
    tried += search.tried
    if (search.found !== undefined) {
      instances = search.found
      best = await pass(all, chosen, units, { instances })
      continue
    }
    if (search.exhausted || !search.sensitive) break
    const closed = 'the result hangs on the clock, and not every way to begin instances before it was tried'
    const last = await pass(all, chosen, units, { instances, closed })
    const bound = boundReached(key, best.readings.count, tried)
    return { ...last, instancesTried: tried, findings: [...last.findings, bound] }
  }
  return { ...best, instancesTried: tried }
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
  const { inputs, run } = all.options
  const { readings, chosen } = differing
  const { profile } = chosen
  const job = jobOf({ ...all, plan: () => all.plan(profile.blocks ?? 'all'), profile, units, instances })
  const agrees: Agrees = (key, text) => agreesWithClaims(inputs, run, units, key, text)
  const folder = await mkdtemp(path.join(tmpdir(), 'ao-audit-search-'))
  try {
    const { choices, text, cut } = await memoriesBefore({ ...job, end }, agrees, readings.last, folder)
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
      const result = await resultAt({ ...job, start: first.start, end, begins }, agrees)
      sensitive ||= result !== text
      if (result !== undefined && (await agrees(end, result)) === true)
        return { found: trial, tried, sensitive, exhausted: false }
    }
    const exhausted = !cut && readings.count <= readings.last.length && choices.length <= COMBINED_MAX
    return { tried, sensitive, exhausted }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

type Agrees = (key: EvaluationKey, text: string) => Promise<boolean | undefined>

interface Choices {
  readonly choices: readonly Choice[]
  /** What the last evaluation answered. */
  readonly text: string | undefined
  /** A memory is not all that the instance held somewhere: it cannot be gone on from there. */
  readonly cut: boolean
}

/** Runs the job to its end once, and keeps the memory before each reading where a new instance would be another. */
async function memoriesBefore(job: ReplayJob, agrees: Agrees, readings: readonly Reading[], folder: string): Promise<Choices> {
  const places = new Map(
    readings.map((reading, place) => [keyText(reading.after), { reading, file: path.join(folder, `${place}.gz`) }])
  )
  const newClock = clockStart(moduleFormat(job.setup.format), job.profile)
  const choices: Choice[] = []
  let cut = false
  const kept: ReplayJob = {
    ...job,
    exportAfter: ({ key }) => places.get(keyText(key))?.file,
    onState({ key }, { memoryBytes, clock, movable }, file) {
      const place = places.get(keyText(key))
      if (place === undefined || file === undefined) return
      cut ||= !movable
      if (!movable || clock === newClock) return
      choices.push({
        reading: place.reading,
        start: { after: key, memory: { path: file, gzip: true, bytes: memoryBytes, clock } }
      })
    }
  }
  return { text: await resultAt(kept, agrees), choices, cut }
}

/** What the last evaluation of a job answers; undefined where one before it disagrees with what is claimed. */
async function resultAt(job: ReplayJob, agrees: Agrees): Promise<string | undefined> {
  let text: string | undefined
  for await (const { key, outcome } of replay(job)) {
    if (outcome.kind === 'inconclusive') return undefined
    if (outcome.kind !== 'result') continue
    if (job.end !== undefined && keyText(key) === keyText(job.end)) text = outcome.text
    else if ((await agrees(key, outcome.text)) === false) return undefined
  }
  return text
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
