/**
 * Looks for an honest explanation of what one unit claims: a past under which re-execution gives all of it.
 *
 * Candidates are environments × duplicates × known blocks × time zones × instance boundaries, each tried by the unit's own claims. One
 * that moves the first difference further is kept, and the others are tried again from there. Where none does, the unit is blamed
 * only if what was computed at the difference was the same under every candidate that came that far.
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
  /** Where the unit's claims are not reached even so; undefined: all of them are. */
  readonly differsAt: EvaluationKey | undefined
  readonly search: SearchResult
  /** Evaluations before that which agree but for the order of tags. */
  readonly orderDiffers: number
  /** Replays that it took. */
  readonly tried: number
  /** Names of the profiles that were tried. */
  readonly profiles: readonly string[]
}

export interface ExplainOptions {
  readonly target: Target
  /** Where to begin. */
  readonly begun: Hypothesis
  /** Environments to be tried; none where the replay began with a memory, which has its own in it. */
  readonly environments: readonly ExecutionProfile[]
  /** Nonces behind which the unit may have started: those of its checkpoints. */
  readonly startedBehind: readonly number[]
  /** Replays, in all. */
  readonly trialsMax: number
}

/** Evaluations that tell environments apart: the first table in a result does. */
const SAMPLE_EVALUATIONS = 20
/** In one search over instances. */
const INSTANCE_TRIALS_MAX = 64

/** Searches until all that is claimed is reached, or nothing is left to be tried. */
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
  /** What was computed at the present difference, under every candidate that came that far. */
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

  /** Candidates that came just as far were left, or one was taken that others may be mistaken for: then a difference blames nobody. */
  let ambiguous = false

  /** What the first claims showed already: another environment that differs at the same place. */
  function sampleAt({ profile }: Hypothesis, place: EvaluationKey | undefined): TrialResult | undefined {
    const sample = chosen.samples.get(environmentText(profile))
    if (place === undefined || !isAsBegun(best, begun) || (strict && sample?.orderDiffers !== 0)) return undefined
    return sample?.differsAt !== undefined && keyText(sample.differsAt) === keyText(place) ? sample : undefined
  }

  /** Tries every candidate, and takes the one that moves the difference furthest. */
  async function improve(): Promise<boolean> {
    let furthest: { readonly candidate: Hypothesis; readonly next: TrialResult; readonly alone: boolean } | undefined
    /** Whether it explains all. */
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

  /** Instances that begin elsewhere: one with every message, then at each of the last readings of the clock. */
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
    // A unit that restarted from an older memory goes on with another history than the one of what it answered before.
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
      // It may be the order of tags alone, under an environment that is none of those: what lies behind it is to be explained, too.
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
  if (ambiguous) return ended(undecided('what is assumed of the unit', 2, tried))
  if (shown.size > 1) return ended(undecided('how the unit came there', shown.size, tried))
  // A memory alone blames nobody.
  if (end === undefined || target.memory !== undefined) return ended({ kind: 'complete' })
  const { environments, startedBehind } = options
  // The first claims tell of some already.
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

/** Whether nothing but the environment is another than the search began with. */
function isAsBegun({ profile, instances, evaluates }: Hypothesis, begun: Hypothesis): boolean {
  const { timeZone, blocks, instances: way } = profile
  const same = timeZone === begun.profile.timeZone && blocks === begun.profile.blocks && way === begun.profile.instances
  return same && instances.size === begun.instances.size && evaluates.size === begun.evaluates.size
}

const UNKNOWN_ZONE: SearchResult = {
  kind: 'open',
  reason: 'the module asked for the time zone, which was assumed and may have changed on the way'
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

/** Where a trial differs, seen from another one. */
function orderOf({ differsAt, stoppedAt }: TrialResult, best: TrialResult): 'further' | 'same' | 'earlier' {
  if (best.differsAt === undefined) return 'earlier'
  const place = differsAt ?? stoppedAt
  if (place === undefined || isBefore(best.differsAt, place)) return 'further'
  if (differsAt === undefined) return 'earlier'
  return keyText(differsAt) === keyText(best.differsAt) ? 'same' : 'earlier'
}

/** What differs from the present hypothesis in one assumption. */
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

/** Another environment; all else of the profile stays. */
function under({ name, environment, loader }: ExecutionProfile, profile: ExecutionProfile): ExecutionProfile {
  return { ...profile, name, environment, loader }
}

/** Environments, by how many of the first claims they reproduce. */
interface Sampler {
  /** Its environment reproduces more of them than any other that was looked at. */
  readonly profile: ExecutionProfile
  /** It reproduces the order of tags of all first claims: another order is no honest unit's under it. */
  readonly exact: boolean
  /** Those that reproduce just as many: nothing tells yet which is the unit's. */
  tied(): Promise<readonly ExecutionProfile[]>
  /** What came of the first claims under each that was looked at, by its text; all else as the search began with. */
  readonly samples: ReadonlyMap<string, TrialResult>
}

/**
 * Chooses by the first claims: under its own environment an honest unit's claims are reproduced to the last character, under
 * another the order of tags shows it soon. Others are not looked at while the one begun with reproduces all.
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
  /** One that misses more of the first claims than the best so far is not the unit's. */
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

/** Claims that it does not reproduce to the last character. */
function missesOf({ differing, orderDiffers }: TrialResult): number {
  return differing + orderDiffers
}
