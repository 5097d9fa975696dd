/** Under which execution profile a process is replayed, and where that comes from (execution-profile.md). */
import type { Checkpoints } from './checkpoints.ts'
import { claimsOf } from './claims.ts'
import { agrees, compareResult } from './compare/result.ts'
import { jobOf } from './evaluate.ts'
import type { Finding } from './findings.ts'
import type { Inputs, Run } from './inputs.ts'
import type { Material } from './material.ts'
import type { Evaluation } from './records.ts'
import { type ExecutionProfile, LEGACYNET, NAMED_PROFILES, profileOfEnvironment, sameStrings } from './replay/profile.ts'
import { replay } from './replay/replay.ts'
import type { AuditRunOptions } from './run-options.ts'
import type { CheckedCheckpoint } from './verification/checkpoint.ts'

export interface ChosenProfile {
  readonly profile: ExecutionProfile
  readonly source: string
  readonly tried: readonly string[]
  /** A checkpoint of the audited unit shows it: then another order of tags is a difference like any other. */
  readonly proven: boolean
  /** The first claims have not decided yet. */
  readonly guessed?: boolean
}

/** What is taken where nothing tells. */
const DEFAULT_PROFILE: ChosenProfile = { profile: LEGACYNET, source: 'the default', tried: ['legacynet'], proven: false }

/** Evaluations that a trial looks at: the first claims that tell profiles apart come early, with the first table in a result. */
const TRIAL_EVALUATIONS = 40

/**
 * By the first verified checkpoint of an audited unit; undefined where it has none. One that is taken on trust shows no profile: a
 * profile that is proven narrows what is tried before somebody is blamed.
 */
async function profileByCheckpoint(
  { found, checked }: Checkpoints,
  speaksForUnit: (signer: string) => boolean
): Promise<ChosenProfile | undefined> {
  for (const one of found.filter(({ signer, onTrust }) => onTrust !== true && speaksForUnit(signer))) {
    const own = await checked(one)
    if (own.standing === 'verified') return profileOfCheckpoint(own, true)
  }
  return undefined
}

/** @param own whether an audited unit signed it: then it proves the unit's profile */
function profileOfCheckpoint({ id, environment = [] }: CheckedCheckpoint, own: boolean): ChosenProfile {
  const profile = profileOfEnvironment(environment, `checkpoint ${id}`)
  return { profile, source: `the environment in checkpoint ${id}`, tried: [profile.name], proven: own }
}

/** How many of the first claims agree with what was computed, to the order of tags. */
export interface FirstClaims {
  readonly agreeing: number
  readonly judged: number
}

/** Counts the first claims as their evaluations come by. */
export function createTrial(inputs: Inputs, run: Run) {
  const units = run.computes.map(({ url }) => url)
  let seen = 0
  let judged = 0
  let agreeing = 0

  async function take({ key, outcome }: Evaluation): Promise<void> {
    if (seen++ >= TRIAL_EVALUATIONS || outcome.kind !== 'result') return
    for (const claim of await claimsOf(inputs, run, units, key)) {
      judged++
      if (agrees(compareResult(claim, outcome.result, { strictTagOrder: true, maxDifferences: 1 }))) agreeing++
    }
  }

  return {
    counts: (): FirstClaims => ({ judged, agreeing }),
    ended: () => seen >= TRIAL_EVALUATIONS,
    take,
    /** Passes evaluations on. */
    async *watch(evaluations: AsyncIterable<Evaluation>): AsyncGenerator<Evaluation> {
      for await (const evaluation of evaluations) {
        await take(evaluation)
        yield evaluation
      }
    }
  }
}

/** Under which profile a replay begins, and what is known of it later: a memory takes a while to unpack. */
export interface ProfileChoice {
  readonly first: ExecutionProfile
  readonly known: Promise<KnownProfile>
}

export interface KnownProfile {
  readonly chosen: ChosenProfile
  /** The memory begun with, or a checkpoint of an audited unit, shows another environment than the profile given. */
  readonly misfit?: Finding
}

/**
 * The profile given, or the one that a memory shows: that of the start, else that of an audited unit's own checkpoint; else a guess,
 * over which the first claims decide as the audit comes by them (`settleProfile`). Most likely it is the default.
 */
export function chooseProfile({
  options,
  subject,
  checkpoints,
  start
}: Pick<Material, 'options' | 'subject' | 'checkpoints' | 'start'>): ProfileChoice {
  const isOwn = speaksForUnits(options)
  const { profile } = options
  const begunWith = start === undefined ? undefined : profileOfCheckpoint(start, isOwn(start.signer))

  async function find(): Promise<KnownProfile> {
    const shown = begunWith ?? (await profileByCheckpoint(checkpoints, isOwn))
    if (profile !== 'auto') return asGiven(profile, shown)
    return { chosen: shown ?? { ...DEFAULT_PROFILE, ...(subject.spoilt === undefined ? { guessed: true } : {}) } }
  }

  const known = find()
  // Awaited when the replay has begun.
  known.catch(() => {})
  return { first: profile === 'auto' ? (begunWith ?? DEFAULT_PROFILE).profile : profile, known }
}

function asGiven(profile: ExecutionProfile, shown: ChosenProfile | undefined): KnownProfile {
  const fits = shown !== undefined && sameStrings(shown.profile.environment, profile.environment)
  const chosen = { profile, source: 'as given', tried: [profile.name], proven: fits }
  if (shown === undefined || fits) return { chosen }
  const detail = `the profile ${profile.name} does not fit, ${shown.profile.name} does: ${shown.source} shows it`
  return { chosen, misfit: { code: 'PROFILE_DOES_NOT_FIT', severity: 'warning', attribution: 'auditor', detail } }
}

/** The guess, where the first claims agree with it; else the named profile with which most of them do. */
export async function settleProfile(
  all: Omit<Material, 'checks'>,
  guess: ChosenProfile,
  first: FirstClaims
): Promise<ChosenProfile> {
  const { options, subject, plan, start, drive, checkpoints } = all
  const { inputs, run } = options
  const tried = [guess.profile.name]
  let best = { profile: guess.profile, ...first }
  for (const profile of NAMED_PROFILES.filter(({ name }) => name !== guess.profile.name)) {
    if (best.agreeing === best.judged) break
    const planned = () => plan(profile.blocks ?? 'stepwise')
    const job = { options: { ...options, search: false }, subject, plan: planned, profile, units: [], drive, checkpoints }
    const trial = createTrial(inputs, run)
    for await (const evaluation of replay(jobOf({ ...job, ...(start === undefined ? {} : { start }) }))) {
      await trial.take(evaluation)
      if (trial.ended()) break
    }
    tried.push(profile.name)
    if (trial.counts().agreeing > best.agreeing) best = { profile, ...trial.counts() }
  }
  const { profile, agreeing, judged } = best
  const words = judged === 0 ? 'the default: no claim tells profiles apart' : `the first claims: ${agreeing} of ${judged} agree`
  return { profile, source: words, tried, proven: false }
}

/** Whether a signer is one of the audited units, as they or the user name them. */
export function speaksForUnits({ run, checkpointOwners }: AuditRunOptions): (signer: string) => boolean {
  const addresses = new Set([...checkpointOwners, ...run.computes.map(({ address }) => address)])
  return (signer) => addresses.has(signer)
}
