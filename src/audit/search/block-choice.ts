/** Which blocks a unit may have known when crons fired: candidates, by which crons it lists (profiles §1.9). */
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { precedes } from '../../inputs/evaluation-order.ts'
import { AuditError } from '../../model/errors.ts'
import { type EvaluationKey, keyText } from '../../model/records.ts'
import type { PlannedEvaluation } from '../../replay/plan/planned.ts'
import type { KnownBlockSets } from '../../replay/profile.ts'
import type { SubjectPlan } from '../subject.ts'
import { isBehind, type ListedCrons, type ListingRange, readListedCrons } from './listed-crons.ts'

/** A set of blocks, and how what fires with it stands to what is listed. */
export interface BlockCandidate {
  readonly set: KnownBlockSets
  /** What fires, and with which `Block-Height`: two sets of one digest are the same to every unit. */
  readonly digest: string
  /** By a unit's URL. */
  readonly units: ReadonlyMap<string, UnitStanding>
  /** The first cron that fires behind the place where the replay begins. */
  readonly firstCron: EvaluationKey | undefined
}

/** How what fires stands to what one unit lists. */
export interface UnitStanding {
  /** Planned and asked for, but not listed, by `keyText`: the set fits only if each of them fails. */
  readonly unlisted: ReadonlySet<string>
  /** Listed and not planned, by `keyText`: the set does not fit. */
  readonly unplanned: ReadonlySet<string>
  /** The first planned cron that the unit was not asked about: which blocks it knew is not known from there on. */
  readonly unaskedFrom: EvaluationKey | undefined
}

export interface BlockChoice extends ListingRange {
  readonly plan: SubjectPlan['plan']
  readonly units: readonly string[]
  readonly signal?: AbortSignal
}

/** Tries sets against what the units list. */
export interface BlockChooser {
  /** A set that is given. */
  candidate(set: KnownBlockSets): Promise<BlockCandidate>
  /**
   * The plain sets, and what is found by asking for some messages twice; each of them differs from the others. The best come
   * first: nothing that is listed is missing, little that fires is not listed.
   *
   * @param failed crons that were computed and failed, by `keyText`: that they are not listed says nothing
   */
  candidates(failed?: ReadonlySet<string>): Promise<readonly [BlockCandidate, ...BlockCandidate[]]>
}

/** Plans that are made while looking for times at which the unit was asked twice. */
const SEARCH_MAX = 256

/** @throws AuditError where the inputs cannot be read; `INTERRUPTED` */
export async function createBlockChooser(choice: BlockChoice): Promise<BlockChooser> {
  const { plan, after, signal } = choice
  const listed = await Promise.all(choice.units.map((unit) => readListedCrons(choice, unit)))
  const made = new Map<string, BlockCandidate>()

  async function candidate(set: KnownBlockSets): Promise<BlockCandidate> {
    const name = JSON.stringify(set)
    const known = made.get(name) ?? (await standingOf(set, plan(set), listed, after))
    if (signal?.aborted === true) throw new AuditError('INTERRUPTED', 'interrupted')
    if (typeof set === 'string') made.set(name, known)
    // A search makes hundreds of plans, of a short process without waiting for anything.
    await setImmediate()
    return known
  }

  return {
    candidate,
    async candidates(failed = new Set()) {
      const stepwise = await candidate('stepwise')
      const named = [stepwise, await candidate('one-stream'), await candidate('all')]
      // A cron that no plain set explains away failed, or was left out.
      const common = [...oddKeys(stepwise, 'unlisted')].filter((key) => named.every((one) => oddKeys(one, 'unlisted').has(key)))
      const excused = new Set([...failed, ...common])
      const isFine = named.some((one) => differsAt(one, excused) === Number.POSITIVE_INFINITY)
      const twice = isFine && failed.size === 0 ? [] : [await askedTwice(choice, stepwise, candidate, excused)]
      const [best = stepwise, ...others] = distinct([...named, ...twice].sort((left, right) => oddness(left) - oddness(right)))
      return [best, ...others]
    }
  }
}

/** Of sets with which the same fires, the first. */
function distinct(candidates: readonly BlockCandidate[]): BlockCandidate[] {
  const digests = candidates.map(({ digest }) => digest)
  return candidates.filter(({ digest }, place) => digests.indexOf(digest) === place)
}

/** What is listed and not planned counts above all else. */
function oddness(candidate: BlockCandidate): number {
  const unplanned = oddKeys(candidate, 'unplanned').size
  return (unplanned > 0 ? 1e9 + unplanned : 0) + oddKeys(candidate, 'unlisted').size
}

function oddKeys({ units }: BlockCandidate, kind: 'unlisted' | 'unplanned'): ReadonlySet<string> {
  return new Set([...units.values()].flatMap((standing) => [...standing[kind]]))
}

/** The lowest ordinate at which a cron is listed and not planned, or planned and not listed and not excused. */
function differsAt(candidate: BlockCandidate, excused: ReadonlySet<string>): number {
  let least = Number.POSITIVE_INFINITY
  for (const key of oddKeys(candidate, 'unplanned')) least = Math.min(least, Number.parseInt(key, 10))
  for (const key of oddKeys(candidate, 'unlisted')) if (!excused.has(key)) least = Math.min(least, Number.parseInt(key, 10))
  return least
}

/**
 * A unit that was asked message by message and for some of them twice (for a result, then for the state): each such question is
 * a stream of its own, and may make it load blocks. Doubles one question after another, as long as the first difference moves on.
 */
async function askedTwice(
  { inputs, run }: BlockChoice,
  stepwise: BlockCandidate,
  candidate: BlockChooser['candidate'],
  excused: ReadonlySet<string>
): Promise<BlockCandidate> {
  const times: number[] = []
  for await (const { timestamp } of inputs.schedule.messages(run, 0, run.to)) times.push(timestamp)
  const doubled = new Set<number>()
  const asked = (more: number) => times.flatMap((time, nonce) => (doubled.has(nonce) || nonce === more ? [time, time] : [time]))
  let best = stepwise
  let left = SEARCH_MAX
  for (let moved = true; moved; ) {
    moved = false
    const from = differsAt(best, excused)
    if (from === Number.POSITIVE_INFINITY) break
    for (let nonce = Math.min(from, times.length - 1); nonce >= 0 && left > 0 && !moved; nonce--, left--) {
      if (doubled.has(nonce)) continue
      const next = await candidate(asked(nonce))
      moved = differsAt(next, excused) > from
      if (!moved) continue
      best = next
      doubled.add(nonce)
    }
  }
  return best
}

/** Goes through a plan once, and holds it against every unit's listings. */
async function standingOf(
  set: KnownBlockSets,
  plan: AsyncIterable<PlannedEvaluation>,
  listed: readonly ListedCrons[],
  after: EvaluationKey | undefined
): Promise<BlockCandidate> {
  const hash = createHash('sha256')
  const standings = listed.map(({ unit, crons, asked }) => ({
    unit,
    crons,
    asked,
    planned: new Set<string>(),
    unlisted: new Set<string>(),
    unaskedFrom: undefined as EvaluationKey | undefined
  }))
  let firstCron: EvaluationKey | undefined
  let end: EvaluationKey | undefined
  for await (const { key, work } of plan) {
    if (work.kind !== 'skip') end = key
    if (key.cron === undefined || !isBehind(key, after)) continue
    firstCron ??= key
    const name = keyText(key)
    hash.update(JSON.stringify([name, work.kind === 'run' ? work.message['Block-Height'] : null]))
    for (const standing of standings) {
      // Blocks that nobody has: which crons fire is not known from here on.
      if (work.kind !== 'run') standing.unaskedFrom ??= key
      else if (standing.crons.has(name)) standing.planned.add(name)
      else if (standing.asked(key)) standing.unlisted.add(name)
      else standing.unaskedFrom ??= key
    }
  }
  const units = standings.map(({ unit, crons, planned, unlisted, unaskedFrom }): [string, UnitStanding] => {
    const missing = [...crons].filter(([name, key]) => !planned.has(name) && !(end !== undefined && precedes(end, key)))
    return [unit, { unlisted, unplanned: new Set(missing.map(([name]) => name)), unaskedFrom }]
  })
  return { set, digest: hash.digest('base64url'), units: new Map(units), firstCron }
}
