/** Execution profiles: the inputs of a result besides module and messages, handed to the sandbox explicitly. */
import { AuditError } from '../model/errors.ts'
import type { ModuleFormat } from './formats.ts'

/**
 * Every block there is; those of a unit that was asked message by message, of one that was asked once, or of one that was asked
 * for these times, ms; or every block but those of these heights, or these alone.
 */
export type KnownBlockSets =
  | 'all'
  | 'stepwise'
  | 'one-stream'
  | readonly number[]
  | { readonly unknown: readonly number[] }
  | { readonly known: readonly number[] }

export interface ExecutionProfile {
  readonly name: string
  /** The C environment, `NAME=value`, in order; empty where the loader stubs it. */
  readonly environment: readonly string[]
  /** The module's clock: where it stands when an instance begins (undefined: the format's own) and what a reading adds. */
  readonly clock: { readonly start: number | undefined; readonly step: number }
  /** Where the CU began an instance: once, with every message (and the crons before it), or once and before each of these nonces. */
  readonly instances: 'one' | 'per-message' | readonly number[]
  /** Which blocks the CU knew when crons fired; found out by what it lists where not given. */
  readonly blocks?: KnownBlockSets
  /**
   * The time zone of the CU's host, as `Intl` knows it; names of zones are those of the locale `en-US`. Where it is not stated modules
   * are shown UTC, and nobody is blamed where one looks.
   */
  readonly timeZone?: string
  /** The loader generation whose results the profile reproduces. */
  readonly loader: string
}

/** The C environment of loader 0.0.44; only the last string depends on the host: the CU's script path. */
export function environmentOf(scriptPath: string): readonly string[] {
  return ['USER=web_user', 'LOGNAME=web_user', 'PATH=/', 'PWD=/', 'HOME=/home/web_user', 'LANG=C.UTF-8', `_=${scriptPath}`]
}

/** The official image of the legacynet CU. */
export const LEGACYNET: ExecutionProfile = {
  name: 'legacynet',
  environment: environmentOf('/usr/app/src/effects/worker/evaluator/index.js'),
  clock: { start: undefined, step: 1 },
  instances: 'one',
  loader: '0.0.44'
}

/** Loader 0.0.47 and later: the environment is stubbed empty. */
export const LOADER_0_0_49: ExecutionProfile = {
  name: 'loader-0.0.49',
  environment: [],
  clock: { start: undefined, step: 1 },
  instances: 'one',
  loader: '0.0.49'
}

export const NAMED_PROFILES: readonly ExecutionProfile[] = [LEGACYNET, LOADER_0_0_49]

/** The profile that the environment in a memory shows. */
export function profileOfEnvironment(environment: readonly string[], name: string): ExecutionProfile {
  if (environment.length === 0) return LOADER_0_0_49
  const same = NAMED_PROFILES.find((profile) => sameStrings(profile.environment, environment))
  return same ?? { ...LEGACYNET, name, environment }
}

export function sameStrings(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((text, place) => text === right[place])
}

/** Whether the CU began an instance right before an evaluation. Asked message by message, it evaluates crons along with the next one. */
export function beginsInstance(
  { instances }: ExecutionProfile,
  { nonce, midStream }: { readonly nonce?: number | undefined; readonly midStream?: boolean | undefined }
): boolean {
  if (instances === 'one') return false
  if (instances === 'per-message') return midStream !== true
  return nonce !== undefined && instances.includes(nonce)
}

/**
 * A profile by name.
 *
 * @throws AuditError `USAGE`: no profile has that name.
 */
export function namedProfile(name: string): ExecutionProfile {
  const profile = NAMED_PROFILES.find((candidate) => candidate.name === name)
  if (profile === undefined) {
    throw new AuditError('USAGE', `no profile is named ${JSON.stringify(name.slice(0, 80))}`, {
      hint: `profiles: ${NAMED_PROFILES.map((candidate) => candidate.name).join(', ')}`
    })
  }
  return profile
}

/** Where the clock stands when an instance begins. */
export function clockStart(format: ModuleFormat, profile: ExecutionProfile): number {
  return profile.clock.start ?? format.clockStart ?? 0
}
