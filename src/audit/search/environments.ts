/** C environments that an honest unit may have (profiles §1.1). */
import { type ExecutionProfile, environmentOf, LEGACYNET, NAMED_PROFILES, profileOfEnvironment } from '../../replay/profile.ts'

/**
 * Lengths of a unit's program path, one for each class that meets 20 to 150 characters: within a class of 8 results are the same, for
 * the string's room on the heap is, so one length of every eight stands for all.
 */
export const PROGRAM_PATH_CLASSES: readonly number[] = Array.from({ length: 18 }, (_, place) => 20 + 8 * place)
const NAME = /^a program path of about \d+ characters$/
const PATH_MAX_CHARS = 1024
/** A path as file systems of servers have it: absolute, of plain characters. */
const PLAUSIBLE_PATH = /^\/(?:[\w.@+ -]+\/)*[\w.@+ -]+$/
const LANGUAGE = /^LANG=[A-Za-z]{1,3}(?:_[A-Za-z]{2,4})?(?:\.[A-Za-z0-9-]{1,20})?$/

/** A unit whose program lies at a path of so many characters: what it is called does not matter. */
function programPathProfile(chars: number): ExecutionProfile {
  return {
    ...LEGACYNET,
    name: `a program path of about ${chars} characters`,
    environment: environmentOf(`/${'x'.repeat(chars - 1)}`)
  }
}

/**
 * The same environment with another path of the same length: where a result is another then, it shows the path itself, which a unit
 * may have called anything. None where there is no path.
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

/** All that are tried before anybody is blamed, the likeliest first. */
export function candidateEnvironments(ofCheckpoints: readonly (readonly string[])[]): ExecutionProfile[] {
  return [...NAMED_PROFILES, ...shownEnvironments(ofCheckpoints), ...PROGRAM_PATH_CLASSES.map(programPathProfile)]
}

/** Of what checkpoints' memories show, what may be an environment. */
export function shownEnvironments(ofCheckpoints: readonly (readonly string[])[]): ExecutionProfile[] {
  return ofCheckpoints.filter(isPlausible).map((environment) => profileOfEnvironment(environment, nameOf(environment)))
}

function nameOf(environment: readonly string[]): string {
  return `a program at ${environment.at(-1)?.slice(2) ?? ''}`
}

/**
 * Whether strings are an environment as emscripten's loader 0.0.44 lays it down, or none: its names and values are fixed but for
 * the language and one path. Text in a memory may be anybody's: what has another shape is no unit's environment.
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
