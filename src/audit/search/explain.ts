/**
 * Looks for an honest explanation of one unit's claims: a past under which re-execution gives all of them.
 *
 * Candidates are environments × duplicates × known blocks × time zones × instance boundaries, each tried against the unit's own
 * claims. A candidate that moves the first difference further is kept, and the others are tried again from there. If none does, the
 * unit is blamed only if every candidate that came that far computed the same at the difference.
 */
import PQueue from 'p-queue'
import type { SearchResult } from '../../attribution/rules.ts'
import { type EvaluationKey, keyText } from '../../model/records.ts'
import { type ExecutionProfile, sameStrings } from '../../replay/profile.ts'
import { createChildPool } from '../../replay/sandbox/sandbox.ts'
import { TIME_ZONES } from '../../replay/time-zones.ts'
import { counted } from '../../util/counted.ts'
import type { AuditContext } from '../context.ts'
import { renamedPath } from './environments.ts'
import { duplicateSets } from './evaluated-duplicates.ts'
import type { Hypothesis } from './hypothesis.ts'
import { searchInstances } from './instances.ts'
import { ANOTHER_PAST, searchOtherPasts } from './other-pasts.ts'
import { isBefore, type Target, type TrialResult, trial } from './trial.ts'

export interface Explained {
  readonly hypothesis: Hypothesis
  /** The first claim that is still not reached; undefined if all of them are. */
  readonly differsAt: EvaluationKey | undefined
  readonly search: SearchResult
  /** How many evaluations before that agree except for the order of tags. */
  readonly orderDiffers: number
  /** How many replays it took. */
  readonly tried: number
  /** The names of all tried profiles. */
  readonly profiles: readonly string[]
}

export interface ExplainOptions {
  readonly target: Target
  /** The hypothesis to begin with. */
  readonly begun: Hypothesis
  /** Environments to try; none if the replay began with a memory, which contains its own. */
  readonly environments: readonly ExecutionProfile[]
  /** Nonces after which the unit may have started: those of its checkpoints. */
  readonly startedBehind: readonly number[]
  /** The total limit of replays. */
  readonly trialsMax: number
}

/** How many evaluations distinguish environments: the first table in a result does. */
const SAMPLE_EVALUATIONS = 20
/** The limit of replays in one search over instances. */
const INSTANCE_TRIALS_MAX = 64

/** Searches until all claims are reached, or nothing is left to try. */
export async function searchExplanations(context: AuditContext, options: ExplainOptions): Promise<Explained> {
  const pool = createChildPool()
  try {
    return await search({ ...context, options: { ...context.options, spare: pool } }, options)
  } finally {
    pool.close()
  }
}

async function search(context: AuditContext, options: ExplainOptions): Promise<Explained> {
  const { target, begun, trialsMax } = options
  const profiles = new Set([begun.profile.name])
  /** The results at the present difference, under every candidate that came that far. */
  const shown = new Set<string | undefined>()
  let tried = 0
  let strict = false

  async function tryOut(hypothesis: Hypothesis): Promise<TrialResult> {
    tried++
    profiles.add(hypothesis.profile.name)
    return trial(context, target, hypothesis, { strict })
  }

  const chosen = await chooseEnvironment(context, options, (name) => {
    tried++
    profiles.add(name)
  })
  let best: Hypothesis = { ...begun, profile: chosen.profile }
  strict = chosen.exact
  let result = await tryOut(best)
  const ended = (search: SearchResult): Explained => ({
    hypothesis: best,
    differsAt: result.differsAt,
    search,
    orderDiffers: result.orderDiffers,
    tried,
    profiles: [...profiles]
  })

  /** Whether a candidate was taken although another one came just as far: then a difference blames nobody. */
  let ambiguous = false

  /** The known result of the first claims, if this environment differs at the same place. */
  function sampleAt({ profile }: Hypothesis, place: EvaluationKey | undefined): TrialResult | undefined {
    const sample = chosen.samples.get(environmentText(profile))
    if (place === undefined || !isAsBegun(best, begun) || (strict && sample?.orderDiffers !== 0)) return undefined
    return sample?.differsAt !== undefined && keyText(sample.differsAt) === keyText(place) ? sample : undefined
  }

  /** Tries every candidate, and takes the one that moves the difference furthest. */
  async function improve(): Promise<boolean> {
    let furthest: { readonly candidate: Hypothesis; readonly next: TrialResult; readonly alone: boolean } | undefined
    /** Notes a candidate; returns whether it explains everything. */
    function take(candidate: Hypothesis, next: TrialResult): boolean {
      const order = orderOf(next, result)
      if (order === 'same') shown.add(next.shown)
      if (order !== 'further') return false
      const place = furthest === undefined ? 'further' : orderOf(next, furthest.next)
      if (place === 'further') furthest = { candidate, next, alone: true }
      else if (place === 'same' && furthest !== undefined) furthest = { ...furthest, alone: false }
      return next.differsAt === undefined
    }
    for (const candidate of candidatesFor(options, best, result)) {
      if (tried >= trialsMax || take(candidate, await tryOut(candidate))) break
    }
    if (furthest?.next.differsAt !== undefined || furthest === undefined) {
      // Not a candidate, but a question: does the result show the path itself?
      for (const profile of result.readsEnvironment ? renamedPath(best.profile) : []) {
        const renamed = await tryOut({ ...best, profile })
        if (orderOf(renamed, result) !== 'earlier') shown.add(renamed.differsAt === undefined ? 'another' : renamed.shown)
      }
      const others = (result.readsEnvironment ? await chosen.tied() : []).slice(0, Math.max(0, trialsMax - tried))
      const candidates = others.map((other) => ({ ...best, profile: under(other, best.profile) }))
      const queue = new PQueue({ concurrency: context.options.jobs })
      const results = await queue.addAll(
        candidates.map((candidate) => async () => sampleAt(candidate, result.differsAt) ?? (await tryOut(candidate)))
      )
      for (const [place, next] of results.entries()) {
        const candidate = candidates[place]
        if (candidate !== undefined && take(candidate, next)) break
      }
    }
    if (furthest === undefined) return false
    ambiguous ||= !furthest.alone
    ;[best, result] = [furthest.candidate, furthest.next]
    return true
  }

  /** Tries other places where instances begin: one with every message, then at each of the last readings of the clock. */
  async function reinstance(end: EvaluationKey): Promise<SearchResult | 'further'> {
    const pattern: Hypothesis = { ...best, instances: new Map(), profile: { ...best.profile, instances: 'per-message' } }
    const isPattern = best.profile.instances === 'per-message'
    const everywhere = isPattern ? undefined : await tryOut(pattern)
    if (everywhere !== undefined && everywhere.differsAt === undefined && everywhere.boundaries === 0) {
      ;[best, result] = [pattern, everywhere]
      return 'further'
    }
    const trialsLeft = Math.min(INSTANCE_TRIALS_MAX, trialsMax - tried)
    const { readings } = result
    const instances = await searchInstances(context, target, best, { end, readings, trialsMax: trialsLeft })
    tried += instances.tried
    if (instances.found !== undefined) {
      const candidate = { ...best, instances: instances.found }
      const next = await tryOut(candidate)
      if (orderOf(next, result) === 'further') {
        ;[best, result] = [candidate, next]
        return 'further'
      }
    }
    // A unit that restarted from an older memory continues with another history than that of its earlier answers.
    const restarted = await searchInstances(context, target, best, { end, readings, trialsMax: trialsLeft, restarted: true })
    tried += restarted.tried
    const isFurther = everywhere !== undefined && orderOf(everywhere, result) === 'further'
    const mayBe = isFurther || restarted.found !== undefined
    const isOpen = isPattern || mayBe || [instances, restarted].some(({ sensitive, exhausted }) => sensitive && !exhausted)
    return isOpen ? undecided('when its instances began', readings.count, tried) : { kind: 'complete' }
  }

  for (;;) {
    const { differsAt, readings } = result
    if (differsAt === undefined) return ended({ kind: 'complete' })
    shown.clear()
    shown.add(result.shown)
    if (await improve()) continue
    if (tried >= trialsMax) return ended(outOfTrials(tried))
    const clocks = readings.count === 0 ? ({ kind: 'complete' } as const) : await reinstance(differsAt)
    if (clocks === 'further') continue
    if (strict) {
      // Perhaps only the order of tags differs, under an unknown environment: later differences need an explanation, too.
      strict = false
      const next = await tryOut(best)
      const isFurther = orderOf(next, result) === 'further'
      result = next
      if (isFurther) continue
    }
    if (clocks.kind === 'open') return ended(clocks)
    break
  }
  const end = result.differsAt
  if (best.profile.timeZone !== begun.profile.timeZone) return ended(UNKNOWN_ZONE)
  if (ambiguous) return ended(undecided('an assumption about the unit', 2, tried))
  if (shown.size > 1) return ended(undecided('how the unit reached it', shown.size, tried))
  // A memory alone blames nobody.
  if (end === undefined || target.memory !== undefined) return ended({ kind: 'complete' })
  const { environments, startedBehind } = options
  // The trials of the first claims decide some of them already.
  const known = (profile: ExecutionProfile) =>
    isAsBegun(best, begun) ? chosen.samples.get(environmentText(profile))?.looked.get(keyText(end)) : undefined
  if (environments.some((profile) => known(profile) === true)) return ended(ANOTHER_PAST)
  const others = await searchOtherPasts(context, {
    target,
    best,
    end,
    environments: environments.filter((profile) => known(profile) === undefined),
    startedBehind,
    trialsMax: trialsMax - tried
  })
  tried += others.tried
  return ended(others.search)
}

function environmentText({ environment }: ExecutionProfile): string {
  return environment.join('\n')
}

/** Whether only the environment differs from the hypothesis that the search began with. */
function isAsBegun({ profile, instances, evaluates }: Hypothesis, begun: Hypothesis): boolean {
  const { timeZone, blocks, instances: way } = profile
  const same = timeZone === begun.profile.timeZone && blocks === begun.profile.blocks && way === begun.profile.instances
  return same && instances.size === begun.instances.size && evaluates.size === begun.evaluates.size
}

const UNKNOWN_ZONE: SearchResult = {
  kind: 'open',
  reason: 'the module asked for the time zone, which was assumed and may have changed in between'
}

function outOfTrials(tried: number): SearchResult {
  const some = counted(tried, 'explanation was', 'explanations were')
  return { kind: 'open', reason: `${some} tried, which is the limit, and some were left` }
}

function undecided(what: string, ways: number, tried: number): SearchResult {
  return {
    kind: 'open',
    reason: `the result depends on ${what} (${counted(ways, 'way')}), and not every combination was tried (${counted(tried, 'was', 'were')})`
  }
}

/** Whether a trial differs further on than another one, at the same place, or earlier. */
function orderOf({ differsAt, stoppedAt }: TrialResult, best: TrialResult): 'further' | 'same' | 'earlier' {
  if (best.differsAt === undefined) return 'earlier'
  const place = differsAt ?? stoppedAt
  if (place === undefined || isBefore(best.differsAt, place)) return 'further'
  if (differsAt === undefined) return 'earlier'
  return keyText(differsAt) === keyText(best.differsAt) ? 'same' : 'earlier'
}

/** Hypotheses that differ from the present one in one assumption. */
function* candidatesFor(
  { startedBehind }: ExplainOptions,
  best: Hypothesis,
  { twins, readsTimeZone }: TrialResult
): Generator<Hypothesis> {
  const { profile, evaluates } = best
  for (const set of duplicateSets(twins, startedBehind)) yield { ...best, evaluates: new Set([...evaluates, ...set]) }
  for (const timeZone of readsTimeZone ? TIME_ZONES : []) {
    if (timeZone !== profile.timeZone) yield { ...best, profile: { ...profile, timeZone } }
  }
}

/** The profile with another environment. */
function under({ name, environment, loader }: ExecutionProfile, profile: ExecutionProfile): ExecutionProfile {
  return { ...profile, name, environment, loader }
}

/** The choice between environments, by the number of first claims that each reproduces. */
interface Sampler {
  /** Its environment reproduces more of them than any other examined one. */
  readonly profile: ExecutionProfile
  /** It reproduces the order of tags of all first claims: under it no honest unit has another order. */
  readonly exact: boolean
  /** Environments that reproduce just as many: it is still open which is the unit's. */
  tied(): Promise<readonly ExecutionProfile[]>
  /** The result of the first claims under each examined environment, by its text; all else is as at the start of the search. */
  readonly samples: ReadonlyMap<string, TrialResult>
}

/**
 * Chooses by the first claims: an honest unit's own environment reproduces its claims to the last character; another one soon shows
 * in the order of tags. Others are examined only if the first environment does not reproduce all.
 */
async function chooseEnvironment(
  context: AuditContext,
  { target, begun, environments }: ExplainOptions,
  onTried: (name: string) => void
): Promise<Sampler> {
  const sample = (profile: ExecutionProfile) => {
    onTried(profile.name)
    return trial(context, target, { ...begun, profile }, { strict: false, evaluations: SAMPLE_EVALUATIONS, goesOn: true })
  }
  const first = await sample(begun.profile)
  let best = { profile: begun.profile, result: first }
  let tied: ExecutionProfile[] | undefined
  const samples = new Map<string, TrialResult>()
  /** Examines the others. One that misses more of the first claims than the best so far is not the unit's. */
  async function lookAtAll(): Promise<readonly ExecutionProfile[]> {
    if (tied !== undefined) return tied
    tied = []
    const queue = new PQueue({ concurrency: context.options.jobs })
    await queue.addAll(
      environments
        .filter(({ environment }) => !sameStrings(environment, begun.profile.environment))
        .map((other) => async () => {
          const profile = under(other, begun.profile)
          const result = await sample(profile)
          samples.set(environmentText(profile), result)
          if (missesOf(result) < missesOf(best.result)) {
            best = { profile, result }
            tied = []
          } else if (missesOf(result) === missesOf(best.result)) tied?.push(other)
        })
    )
    return tied
  }
  if (missesOf(first) > 0 && first.readsEnvironment) await lookAtAll()
  const { agreeing, orderDiffers } = best.result
  return {
    profile: best.profile,
    exact: agreeing > 0 && orderDiffers === 0,
    tied: lookAtAll,
    samples
  }
}

/** How many claims it does not reproduce to the last character. */
function missesOf({ differing, orderDiffers }: TrialResult): number {
  return differing + orderDiffers
}
