/** Candidates for the blocks that a unit knew when crons fired, compared with the crons that it lists (profiles §1.9). */
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { precedes } from '../../inputs/evaluation-order.ts'
import { AuditError } from '../../model/errors.ts'
import { type EvaluationKey, keyText } from '../../model/records.ts'
import type { PlannedEvaluation } from '../../replay/plan/planned.ts'
import type { KnownBlockSets } from '../../replay/profile.ts'
import type { SubjectPlan } from '../subject.ts'
import { isBehind, type ListedCrons, type ListingRange, readListedCrons } from './listed-crons.ts'

/** A set of blocks, and how the crons that fire with it compare with the listed ones. */
export interface BlockCandidate {
  readonly set: KnownBlockSets
  /** A hash of the crons that fire, each with its `Block-Height`: sets with the same digest have the same effect on every unit. */
  readonly digest: string
  /** By a unit's URL. */
  readonly units: ReadonlyMap<string, UnitStanding>
  /** The first cron that fires after the start of the replay. */
  readonly firstCron: EvaluationKey | undefined
}

/** How the crons that fire compare with those that one unit lists. */
export interface UnitStanding {
  /** Crons that are planned and asked about, but not listed, by `keyText`: the set fits only if each of them fails. */
  readonly unlisted: ReadonlySet<string>
  /** Crons that are listed but not planned, by `keyText`: the set does not fit. */
  readonly unplanned: ReadonlySet<string>
  /** The first planned cron that the unit was not asked about: from there on nothing shows which blocks it knew. */
  readonly unaskedFrom: EvaluationKey | undefined
}

export interface BlockChoice extends ListingRange {
  readonly plan: SubjectPlan['plan']
  readonly units: readonly string[]
  readonly signal?: AbortSignal
}

/** Tries sets against the listings of the units. */
export interface BlockChooser {
  /** Tries a given set. */
  candidate(set: KnownBlockSets): Promise<BlockCandidate>
  /**
   * The plain sets, and the best set of a unit that was asked for some messages twice; all of them differ from each other. The best
   * come first: no listed cron is missing, and few crons fire without being listed.
   *
   * @param failed crons that were computed and failed, by `keyText`: no unit lists them
   */
  candidates(failed?: ReadonlySet<string>): Promise<readonly [BlockCandidate, ...BlockCandidate[]]>
}

/** How many plans a search for repeated questions makes. */
const SEARCH_MAX = 256

/** @throws AuditError if the inputs cannot be read; `INTERRUPTED` */
export async function createBlockChooser(choice: BlockChoice): Promise<BlockChooser> {
  const { plan, after, signal } = choice
  const listed = await Promise.all(choice.units.map((unit) => readListedCrons(choice, unit)))
  const made = new Map<string, BlockCandidate>()

  async function candidate(set: KnownBlockSets): Promise<BlockCandidate> {
    const name = JSON.stringify(set)
    const known = made.get(name) ?? (await standingOf(set, plan(set), listed, after))
    if (signal?.aborted === true) throw new AuditError('INTERRUPTED', 'interrupted')
    if (typeof set === 'string') made.set(name, known)
    // A search makes hundreds of plans; for a short process nothing else would yield.
    await setImmediate()
    return known
  }

  return {
    candidate,
    async candidates(failed = new Set()) {
      const stepwise = await candidate('stepwise')
      const named = [stepwise, await candidate('one-stream'), await candidate('all')]
      // A cron that is unlisted under every plain set failed, or was left out.
      const common = [...oddKeys(stepwise, 'unlisted')].filter((key) => named.every((one) => oddKeys(one, 'unlisted').has(key)))
      const excused = new Set([...failed, ...common])
      const isFine = named.some((one) => differsAt(one, excused) === Number.POSITIVE_INFINITY)
      const twice = isFine && failed.size === 0 ? [] : [await askedTwice(choice, stepwise, candidate, excused)]
      const [best = stepwise, ...others] = distinct([...named, ...twice].sort((left, right) => oddness(left) - oddness(right)))
      return [best, ...others]
    }
  }
}

/** Keeps the first of sets with the same digest. */
function distinct(candidates: readonly BlockCandidate[]): BlockCandidate[] {
  const digests = candidates.map(({ digest }) => digest)
  return candidates.filter(({ digest }, place) => digests.indexOf(digest) === place)
}

/** Crons that are listed but not planned count more than anything else. */
function oddness(candidate: BlockCandidate): number {
  const unplanned = oddKeys(candidate, 'unplanned').size
  return (unplanned > 0 ? 1e9 + unplanned : 0) + oddKeys(candidate, 'unlisted').size
}

function oddKeys({ units }: BlockCandidate, kind: 'unlisted' | 'unplanned'): ReadonlySet<string> {
  return new Set([...units.values()].flatMap((standing) => [...standing[kind]]))
}

/** The lowest ordinate at which a cron is listed but not planned, or planned but neither listed nor excused. */
function differsAt(candidate: BlockCandidate, excused: ReadonlySet<string>): number {
  let least = Number.POSITIVE_INFINITY
  for (const key of oddKeys(candidate, 'unplanned')) least = Math.min(least, Number.parseInt(key, 10))
  for (const key of oddKeys(candidate, 'unlisted')) if (!excused.has(key)) least = Math.min(least, Number.parseInt(key, 10))
  return least
}

/**
 * Assumes a unit that was asked message by message, and for some messages twice (for a result, then for the state): each question is
 * a stream of its own, and may make it load blocks. Doubles one question after another as long as the first difference moves on.
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

/** Goes through a plan once, and compares it with every unit's listings. */
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
      // Nobody has the blocks: from here on nothing shows which crons fire.
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
