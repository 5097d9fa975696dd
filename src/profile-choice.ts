/** Under which execution profile a process is replayed, and where that comes from (execution-profile.md). */
import type { Checkpoints } from './checkpoints.ts'
import { claimsOf } from './claims.ts'
import { agrees, compareResult } from './compare/result.ts'
import { jobOf } from './evaluate.ts'
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

interface TrialOptions {
  readonly inputs: Inputs
  readonly run: Run
  /** Replays the process under a profile. */
  readonly replayed: (profile: ExecutionProfile) => AsyncIterable<Evaluation>
}

/** By the first claims: the named profile that most of them agree with to the order of tags. */
async function profileByClaims({ inputs, run, replayed }: TrialOptions): Promise<ChosenProfile> {
  const tried: string[] = []
  let best: { readonly profile: ExecutionProfile; readonly agreeing: number; readonly judged: number } | undefined
  for (const profile of NAMED_PROFILES) {
    const { agreeing, judged } = await trial(inputs, run, replayed(profile))
    tried.push(profile.name)
    if (best === undefined || agreeing > best.agreeing) best = { profile, agreeing, judged }
    if (agreeing === judged) break
  }
  const { profile = LEGACYNET, agreeing = 0, judged = 0 } = best ?? {}
  const source =
    judged === 0 ? 'the default: no claim tells profiles apart' : `the first claims: ${agreeing} of ${judged} agree`
  return { profile, source, tried, proven: false }
}

async function trial(inputs: Inputs, run: Run, evaluations: AsyncIterable<Evaluation>) {
  let seen = 0
  let judged = 0
  let agreeing = 0
  const units = run.computes.map(({ url }) => url)
  for await (const { key, outcome } of evaluations) {
    if (outcome.kind === 'result') {
      for (const claim of await claimsOf(inputs, run, units, key)) {
        judged++
        const comparison = compareResult(claim, outcome.result, { strictTagOrder: true, maxDifferences: 1 })
        if (agrees(comparison)) agreeing++
      }
    }
    if (++seen >= TRIAL_EVALUATIONS) break
  }
  return { judged, agreeing }
}

/** The profile given, or the one that a checkpoint of an audited unit shows, or the one that the first claims fit. */
export async function chooseProfile({
  options,
  subject,
  plan,
  checkpoints,
  start,
  drive
}: Omit<Material, 'checks'>): Promise<ChosenProfile> {
  const { inputs, run, profile } = options
  const shown = await shownProfile({ options, checkpoints, ...(start === undefined ? {} : { start }) })
  if (profile !== 'auto') {
    const proven = shown !== undefined && sameStrings(shown.profile.environment, profile.environment)
    return { profile, source: 'as given', tried: [profile.name], proven }
  }
  if (shown !== undefined || subject.spoilt !== undefined) return shown ?? DEFAULT_PROFILE
  const replayed = (tried: ExecutionProfile) => {
    const planned = () => plan(tried.blocks ?? 'stepwise')
    const job = { options: { ...options, search: false }, subject, plan: planned, profile: tried, units: [], drive }
    return replay(jobOf({ ...job, ...(start === undefined ? {} : { start }) }))
  }
  return profileByClaims({ inputs, run, replayed })
}

export type Shown = Pick<Material, 'options' | 'checkpoints' | 'start'>

/** The profile that a memory shows: that of the start, else that of an audited unit's own checkpoint. */
export async function shownProfile({ options, checkpoints, start }: Shown): Promise<ChosenProfile | undefined> {
  const isOwn = speaksForUnits(options)
  return start === undefined ? profileByCheckpoint(checkpoints, isOwn) : profileOfCheckpoint(start, isOwn(start.signer))
}

/** Whether a signer is one of the audited units, as they or the user name them. */
export function speaksForUnits({ run, checkpointOwners }: AuditRunOptions): (signer: string) => boolean {
  const addresses = new Set([...checkpointOwners, ...run.computes.map(({ address }) => address)])
  return (signer) => addresses.has(signer)
}
