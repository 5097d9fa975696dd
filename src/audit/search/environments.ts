/** C environments that an honest unit may have (profiles §1.1). */
import { type ExecutionProfile, environmentOf, LEGACYNET, NAMED_PROFILES, profileOfEnvironment } from '../../replay/profile.ts'

/**
 * Lengths of a unit's program path, one for each class between 20 and 150 characters: all 8 lengths of a class give the same results,
 * because the string takes the same room on the heap, so one length stands for all.
 */
export const PROGRAM_PATH_CLASSES: readonly number[] = Array.from({ length: 18 }, (_, place) => 20 + 8 * place)
const NAME = /^a program path of about \d+ characters$/
const PATH_MAX_CHARS = 1024
/** A path as on a server's file system: absolute, with plain characters. */
const PLAUSIBLE_PATH = /^\/(?:[\w.@+ -]+\/)*[\w.@+ -]+$/
const LANGUAGE = /^LANG=[A-Za-z]{1,3}(?:_[A-Za-z]{2,4})?(?:\.[A-Za-z0-9-]{1,20})?$/

/** A unit whose program lies at a path of this many characters: the name itself does not matter. */
function programPathProfile(chars: number): ExecutionProfile {
  return {
    ...LEGACYNET,
    name: `a program path of about ${chars} characters`,
    environment: environmentOf(`/${'x'.repeat(chars - 1)}`)
  }
}

/**
 * The same environment with another path of the same length: if that changes a result, the result shows the path itself, which may
 * have any name on a unit. Empty if there is no path.
 */
export function renamedPath(profile: ExecutionProfile): ExecutionProfile[] {
  const path = profile.environment.at(-1)?.slice('_='.length) ?? ''
  if (path.length < 2) return []
  const renamed = `/${(path.includes('y') ? 'z' : 'y').repeat(path.length - 1)}`
  return [{ ...profile, environment: [...profile.environment.slice(0, -1), `_=${renamed}`] }]
}

/** Whether a profile is one of those above. */
export function isProgramPathClass({ name }: ExecutionProfile): boolean {
  return NAME.test(name)
}

/** All environments to try before anybody is blamed, the likeliest first. */
export function candidateEnvironments(ofCheckpoints: readonly (readonly string[])[]): ExecutionProfile[] {
  return [...NAMED_PROFILES, ...shownEnvironments(ofCheckpoints), ...PROGRAM_PATH_CLASSES.map(programPathProfile)]
}

/** The plausible environments among those that checkpoints' memories show. */
export function shownEnvironments(ofCheckpoints: readonly (readonly string[])[]): ExecutionProfile[] {
  return ofCheckpoints.filter(isPlausible).map((environment) => profileOfEnvironment(environment, nameOf(environment)))
}

function nameOf(environment: readonly string[]): string {
  return `a program at ${environment.at(-1)?.slice(2) ?? ''}`
}

/**
 * Whether strings are an environment as emscripten's loader 0.0.44 writes it, or empty: its names and values are fixed except for the
 * language and one path. A memory may contain arbitrary text: text of another shape is not a unit's environment.
 */
export function isPlausible(environment: readonly string[]): boolean {
  if (environment.length === 0) return true
  const [language = '', path = ''] = environment.slice(-2)
  const expected = environmentOf('').slice(0, -2)
  const begin = environment.slice(0, -2)
  return (
    begin.length === expected.length &&
    begin.every((text, place) => text === expected[place]) &&
    LANGUAGE.test(language) &&
    path.startsWith('_=') &&
    path.length <= PATH_MAX_CHARS &&
    PLAUSIBLE_PATH.test(path.slice(2))
  )
}
