/** Chooses the execution profile with which a replay begins (profiles §3). */

import { agrees, compareResult } from '../../compare/result.ts'
import { claimsOf } from '../../inputs/claim-reader.ts'
import type { Inputs } from '../../inputs/inputs.ts'
import type { Run } from '../../inputs/run-record.ts'
import type { Evaluation } from '../../model/records.ts'
import { type ExecutionProfile, LEGACYNET, profileOfEnvironment, sameStrings } from '../../replay/profile.ts'
import type { CheckedCheckpoint } from '../../verify/checkpoint.ts'
import type { Checkpoints } from '../checkpoints/judge-checkpoints.ts'
import type { AuditContext } from '../context.ts'
import type { AuditRunOptions } from '../run-options.ts'
import { isPlausible } from './environments.ts'

/** How many evaluations are counted as the first: the first table in a result distinguishes profiles, and comes early. */
const FIRST_EVALUATIONS = 40

/** How many of a unit's first claims agree with the computed results, including the order of tags. */
export interface FirstClaims {
  readonly agreeing: number
  readonly judged: number
}

/** Counts a unit's first claims while evaluations arrive. */
export function countFirstClaims(inputs: Inputs, run: Run, unit: string) {
  let seen = 0
  let judged = 0
  let agreeing = 0
  return {
    counts: (): FirstClaims => ({ judged, agreeing }),
    async take({ key, outcome, repeated }: Evaluation): Promise<void> {
      if (seen++ >= FIRST_EVALUATIONS || outcome.kind !== 'result' || repeated === true) return
      for (const claim of await claimsOf(inputs, run, [unit], key)) {
        judged++
        if (agrees(compareResult(claim, outcome.result, { strictTagOrder: true, maxDifferences: 1 }))) agreeing++
      }
    }
  }
}

/** The profile with which a replay begins, and the one that is known later, because a memory takes a while to unpack. */
export interface ProfileChoice {
  readonly first: ExecutionProfile
  readonly known: Promise<KnownProfile>
}

export interface KnownProfile {
  readonly profile: ExecutionProfile
  readonly source: string
  /** By a unit's URL: why the user's profile is not that of the unit, whose own memory shows another environment. */
  readonly misfits: ReadonlyMap<string, string>
}

/**
 * The given profile, or the one that a memory suggests: that of the start, else that of an audited unit's own checkpoint; else the
 * default. Text in a memory proves nothing: it only suggests the profile to begin with, and a replay that reaches the memory proves it.
 */
export function chooseProfile({
  options,
  checkpoints,
  start
}: Pick<AuditContext, 'options' | 'checkpoints' | 'start'>): ProfileChoice {
  const { profile } = options
  const begunWith = start === undefined ? undefined : suggestedBy(start)

  async function find(): Promise<KnownProfile> {
    const misfits = new Map<string, string>()
    if (profile === 'auto') {
      const shown = begunWith ?? (await suggestedByOwn(checkpoints, speaksForUnits(options)))
      return { ...(shown ?? { profile: LEGACYNET, source: 'the default' }), misfits }
    }
    for (const { url } of options.run.computes) {
      // Another unit's memory says nothing about this one.
      const shown = begunWith ?? (await suggestedByOwn(checkpoints, speaksForUnits(options, url)))
      if (shown === undefined || sameStrings(shown.profile.environment, profile.environment)) continue
      misfits.set(url, `the profile ${profile.name} does not fit, ${shown.profile.name} does: ${shown.source} shows it`)
    }
    return { profile, source: 'as given', misfits }
  }

  const known = find()
  // It is awaited after the replay has begun.
  known.catch(() => {})
  return { first: profile === 'auto' ? (begunWith?.profile ?? LEGACYNET) : profile, known }
}

interface SuggestedProfile extends Pick<KnownProfile, 'profile' | 'source'> {}

/** Uses the first verified checkpoint of an audited unit. A checkpoint taken on trust guides nothing. */
async function suggestedByOwn(
  { found, checked }: Checkpoints,
  isOwn: (signer: string) => boolean
): Promise<SuggestedProfile | undefined> {
  for (const one of found.filter(({ signer, onTrust }) => onTrust !== true && isOwn(signer))) {
    const own = await checked(one)
    if (own.standing === 'verified') return suggestedBy(own)
  }
  return undefined
}

/** The first plausible environment in its memory; if there is none, the loader stubbed it. */
function suggestedBy({ id, environments = [] }: CheckedCheckpoint): SuggestedProfile {
  const environment = environments.find(isPlausible) ?? []
  return { profile: profileOfEnvironment(environment, `checkpoint ${id}`), source: `the environment in checkpoint ${id}` }
}

/**
 * Whether a signer is one of the audited units, as they or the user name them. With several units, the user's addresses do not say
 * which unit they belong to.
 */
export function speaksForUnits({ run, checkpointOwners }: AuditRunOptions, unit?: string): (signer: string) => boolean {
  const named = run.computes.filter(({ url }) => unit === undefined || url === unit).map(({ address }) => address)
  const addresses = new Set([...(unit === undefined || run.computes.length === 1 ? checkpointOwners : []), ...named])
  return (signer) => addresses.has(signer)
}
