/** The assumptions of a replay about a unit's past, besides module and messages: one candidate for an honest explanation. */
import type { Tolerance, ToleranceKind } from '../../compare/comparison.ts'
import { type ExecutionProfile, sameStrings } from '../../replay/profile.ts'
import { isProgramPathClass, PROGRAM_PATH_CLASSES } from './environments.ts'

/** Exceptions from the profile, by `keyText`: whether an instance began before this evaluation. */
export type Instances = ReadonlyMap<string, boolean>

export interface Hypothesis {
  readonly profile: ExecutionProfile
  readonly instances: Instances
  /** Nonces of duplicates that the unit is assumed to have evaluated although its rules skip them. */
  readonly evaluates: ReadonlySet<number>
}

/** A unit that did only what the profile says. */
export function plainly(profile: ExecutionProfile): Hypothesis {
  return { profile, instances: new Map(), evaluates: new Set() }
}

/** How many alternatives a liar could choose from. */
const TIME_ZONES_TRIED = 40
const BLOCK_SETS_TRIED = 256

/**
 * The tolerances that follow from the assumptions made before the replay, so that they are counted.
 *
 * @param begun the profile that the audit would have used without the unit's claims
 */
export function assumptionsOf({ profile, evaluates }: Hypothesis, begun: ExecutionProfile): Tolerance[] {
  const found: Tolerance[] = []
  const assume = (kind: ToleranceKind, count: number, bits: number) => found.push({ kind, count, bits })
  const other = !sameStrings(profile.environment, begun.environment)
  if (other && isProgramPathClass(profile)) assume('program-path', 1, Math.log2(PROGRAM_PATH_CLASSES.length))
  if (profile.timeZone !== begun.timeZone) assume('time-zone', 1, Math.log2(TIME_ZONES_TRIED))
  if (profile.instances === 'per-message' && begun.instances !== 'per-message') assume('instances-per-message', 1, 1)
  if (typeof profile.blocks === 'object' && profile.blocks !== begun.blocks)
    assume('known-blocks', 1, Math.log2(BLOCK_SETS_TRIED))
  if (evaluates.size > 0) assume('duplicate-evaluated', evaluates.size, evaluates.size)
  return found
}

/** Names the profile, and the assumptions beyond the one that the audit began with. */
export function inWords({ profile, instances, evaluates }: Hypothesis): string {
  const named = profile.timeZone === undefined ? profile.name : `${profile.name}, time zone ${profile.timeZone}`
  const twins = [...evaluates].sort((left, right) => left - right)
  return [
    named,
    ...(profile.instances === 'per-message' ? ['an instance with every message'] : []),
    ...(instances.size === 0 ? [] : [`${instances.size} other instance ${instances.size === 1 ? 'boundary' : 'boundaries'}`]),
    ...(twins.length === 0 ? [] : [`nonce ${twins.join(', ')} evaluated although a duplicate`])
  ].join('; ')
}
