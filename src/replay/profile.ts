/** Execution profiles: the inputs of a result besides module and messages. The sandbox receives them explicitly. */
import { AuditError } from '../model/errors.ts'
import type { ModuleFormat } from './formats.ts'

/**
 * The blocks that a unit knew: all of them (`all`), those of a unit that was asked message by message (`stepwise`), once
 * (`one-stream`) or for these times (a list, ms), all except these heights (`unknown`), or only these heights (`known`). The last
 * two may name times (`ends`, ms) at which a request ended an evaluation stream.
 */
export type KnownBlockSets =
  | 'all'
  | 'stepwise'
  | 'one-stream'
  | readonly number[]
  | { readonly unknown: readonly number[]; readonly ends?: readonly number[] }
  | { readonly known: readonly number[]; readonly ends?: readonly number[] }

/** The names of the profiles that come with this package. */
export type ProfileName = 'legacynet' | 'loader-0.0.49'

export interface ExecutionProfile {
  readonly name: string
  /** The C environment, `NAME=value`, in order; empty if the loader stubs it. */
  readonly environment: readonly string[]
  /**
   * The module's clock: its value at the start of an instance (undefined: that of the format) and the increment of each reading.
   */
  readonly clock: { readonly start: number | undefined; readonly step: number }
  /**
   * When the CU started an instance: once, with every message (and the crons before it), or once and before each of these nonces.
   */
  readonly instances: 'one' | 'per-message' | readonly number[]
  /** The blocks that the CU knew when crons fired; if absent, the audit finds them from the crons that the CU lists. */
  readonly blocks?: KnownBlockSets
  /**
   * The time zone of the CU's host, as `Intl` knows it; zone names are those of the locale `en-US`. If absent, modules see UTC, and
   * the audit blames nobody for a result if the module reads the zone.
   */
  readonly timeZone?: string
  /** The loader generation whose results the profile reproduces. */
  readonly loader: string
}

export interface NamedProfile extends ExecutionProfile {
  readonly name: ProfileName
}

/** Returns the C environment of loader 0.0.44. Only the last string, the CU's script path, depends on the host. */
export function environmentOf(scriptPath: string): readonly string[] {
  return ['USER=web_user', 'LOGNAME=web_user', 'PATH=/', 'PWD=/', 'HOME=/home/web_user', 'LANG=C.UTF-8', `_=${scriptPath}`]
}

/** The official image of the legacynet CU. */
export const LEGACYNET: NamedProfile = {
  name: 'legacynet',
  environment: environmentOf('/usr/app/src/effects/worker/evaluator/index.js'),
  clock: { start: undefined, step: 1 },
  instances: 'one',
  loader: '0.0.44'
}

/** Loader 0.0.47 and later, which stub the environment as empty. */
export const LOADER_0_0_49: NamedProfile = {
  name: 'loader-0.0.49',
  environment: [],
  clock: { start: undefined, step: 1 },
  instances: 'one',
  loader: '0.0.49'
}

export const NAMED_PROFILES: readonly NamedProfile[] = [LEGACYNET, LOADER_0_0_49]

/** Returns the profile that matches the environment found in a memory. */
export function profileOfEnvironment(environment: readonly string[], name: string): ExecutionProfile {
  if (environment.length === 0) return LOADER_0_0_49
  const same = NAMED_PROFILES.find((profile) => sameStrings(profile.environment, environment))
  return same ?? { ...LEGACYNET, name, environment }
}

export function sameStrings(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((text, place) => text === right[place])
}

/**
 * Whether the CU started an instance right before an evaluation. A CU that is asked message by message evaluates crons together
 * with the message after them.
 */
export function beginsInstance(
  { instances }: ExecutionProfile,
  { nonce, midStream }: { readonly nonce?: number | undefined; readonly midStream?: boolean | undefined }
): boolean {
  if (instances === 'one') return false
  if (instances === 'per-message') return midStream !== true
  return nonce !== undefined && instances.includes(nonce)
}

/**
 * Returns the profile with this name.
 *
 * @throws AuditError `USAGE` if no profile has this name
 */
export function namedProfile(name: string): NamedProfile {
  const profile = NAMED_PROFILES.find((candidate) => candidate.name === name)
  if (profile === undefined) {
    throw new AuditError('USAGE', `no profile is named ${JSON.stringify(name.slice(0, 80))}`, {
      hint: `profiles: ${NAMED_PROFILES.map((candidate) => candidate.name).join(', ')}`
    })
  }
  return profile
}

/** Returns the clock's value at the start of an instance. */
export function clockStart(format: ModuleFormat, profile: ExecutionProfile): number {
  return profile.clock.start ?? format.clockStart ?? 0
}
