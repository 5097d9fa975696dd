/** Under which execution profile a process is replayed, and where that comes from (execution-profile.md). */
import type { Checkpoints } from './checkpoints.ts'
import { agrees, compareResult } from './compare/result.ts'
import type { Inputs, Run } from './inputs.ts'
import { type Claim, type Evaluation, keyText } from './records.ts'
import { type ExecutionProfile, LEGACYNET, NAMED_PROFILES, profileOfEnvironment } from './replay/profile.ts'
import type { CheckedCheckpoint } from './verification/checkpoint.ts'

export interface ChosenProfile {
  readonly profile: ExecutionProfile
  readonly source: string
  readonly tried: readonly string[]
  /** A checkpoint of the audited unit shows it: then another order of tags is a difference like any other. */
  readonly proven: boolean
}

/** What is taken where nothing tells. */
export const DEFAULT_PROFILE: ChosenProfile = { profile: LEGACYNET, source: 'the default', tried: ['legacynet'], proven: false }

/** Evaluations that a trial looks at: the first claims that tell profiles apart come early, with the first table in a result. */
const TRIAL_EVALUATIONS = 40

/** By the first verified checkpoint of an audited unit; undefined where it has none. */
export async function profileByCheckpoint(
  { found, checked }: Checkpoints,
  speaksForUnit: (signer: string) => boolean
): Promise<ChosenProfile | undefined> {
  for (const one of found.filter(({ signer }) => speaksForUnit(signer))) {
    const own = await checked(one)
    if (own.standing === 'verified') return profileOfCheckpoint(own, true)
  }
  return undefined
}

/** @param own whether an audited unit signed it: then it proves the unit's profile */
export function profileOfCheckpoint({ id, environment = [] }: CheckedCheckpoint, own: boolean): ChosenProfile {
  const profile = profileOfEnvironment(environment, `checkpoint ${id}`)
  return { profile, source: `the environment in checkpoint ${id}`, tried: [profile.name], proven: own }
}

export interface TrialOptions {
  readonly inputs: Inputs
  readonly run: Run
  /** Replays the process under a profile. */
  readonly replayed: (profile: ExecutionProfile) => AsyncIterable<Evaluation>
}

/** By the first claims: the named profile that most of them agree with to the order of tags. */
export async function profileByClaims({ inputs, run, replayed }: TrialOptions): Promise<ChosenProfile> {
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

/** Everything that units claim of one evaluation. */
export async function claimsOf(
  inputs: Inputs,
  run: Run,
  units: readonly string[],
  key: Claim['key']
): Promise<readonly Claim[]> {
  const wanted = keyText(key)
  const found: Claim[] = []
  for (const url of units) {
    for (const claim of await inputs.claimsAt(run, url, key.ordinate)) if (keyText(claim.key) === wanted) found.push(claim)
  }
  return found
}
