/** Execution profiles: the inputs of a result besides module and messages, handed to the sandbox explicitly. */
import { AuditError } from '../errors.ts'

export interface ExecutionProfile {
  readonly name: string
  /** The C environment, `NAME=value`, in order; empty where the loader stubs it. */
  readonly environment: readonly string[]
  /** The module's clock: where it stands when an instance begins (undefined: the format's own) and what a reading adds. */
  readonly clock: { readonly start: number | undefined; readonly step: number }
  /** Whether the CU is thought to have begun an instance with every message or one for the whole stream. */
  readonly instances: 'one' | 'per-message'
  /** The loader generation whose results the profile reproduces. */
  readonly loader: string
}

/** The C environment of loader 0.0.44; only the last string depends on the host: the CU's script path. */
export function environmentOf(scriptPath: string): readonly string[] {
  return [
    'USER=web_user',
    'LOGNAME=web_user',
    'PATH=/',
    'PWD=/',
    'HOME=/home/web_user',
    'LANG=C.UTF-8',
    `_=${scriptPath}`
  ]
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
