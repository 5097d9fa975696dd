/** Which blocks a unit knew when crons fired: found out by which crons it lists (execution-profile.md, "the blocks the CU knew"). */
import type { Inputs, Run } from './inputs.ts'
import { type EvaluationKey, keyText } from './records.ts'
import type { KnownBlockSets } from './replay/profile.ts'
import type { SubjectPlan } from './subject.ts'

export interface ChosenBlocks {
  readonly set: KnownBlockSets
  /** The unit lists just the crons that fire with these blocks, from where the memory comes from on. */
  readonly settled: boolean
  /** Other sets of which the same is true: they may give a cron another block. */
  readonly others: readonly KnownBlockSets[]
}

export interface BlockChoice {
  readonly inputs: Inputs
  readonly run: Run
  /** The first ordinate about which the units were asked. */
  readonly claimsFrom: number
  /** Where the memory comes from that the replay begins with. */
  readonly after?: EvaluationKey
}

interface Standing {
  readonly set: KnownBlockSets
  /** Crons fire that nobody was asked about. */
  readonly unasked: boolean
  /** The lowest ordinate at which a cron is listed and not planned, or planned and not listed. */
  readonly differsAt: number
}

const NAMED_SETS: readonly KnownBlockSets[] = ['stepwise', 'one-stream', 'all']
/** Plans that are made while looking for times at which the unit was asked twice. */
const SEARCH_MAX = 256

/**
 * Tries the plain cases; then a unit that was asked message by message and for some of them twice (for a result, then for the
 * state): each such question is a stream of its own, and may make it load blocks.
 */
export async function chooseBlocks(
  { inputs, run, claimsFrom, after }: BlockChoice,
  plan: SubjectPlan['plan'],
  given: KnownBlockSets | undefined,
  units: readonly string[]
): Promise<ChosenBlocks> {
  const asked = (key: EvaluationKey) => key.ordinate >= claimsFrom && isBehind(key, after)
  const listed = await listedCrons(inputs, { ...run, from: claimsFrom }, units, asked)
  const standing = async (set: KnownBlockSets): Promise<Standing> => {
    const planned = new Set<string>()
    let unasked = false
    for await (const { key } of plan(set)) {
      if (key.cron === undefined || !isBehind(key, after)) continue
      if (asked(key)) planned.add(keyText(key))
      else unasked = true
    }
    const odd = [...planned].filter((key) => !listed.has(key)).concat([...listed].filter((key) => !planned.has(key)))
    const differsAt = odd.reduce((least, key) => Math.min(least, Number.parseInt(key, 10)), Number.POSITIVE_INFINITY)
    return { set, unasked, differsAt }
  }
  if (given !== undefined) return { set: given, settled: isSettled(await standing(given)), others: [] }
  const tried: Standing[] = []
  for (const set of NAMED_SETS) tried.push(await standing(set))
  const [stepwise] = tried
  // Asked for each message once is stepwise.
  const differs = stepwise !== undefined && stepwise.differsAt < Number.POSITIVE_INFINITY
  const twice = differs ? await refined(stepwise, await messageTimes(inputs, run), standing) : undefined
  if (twice !== undefined && twice !== stepwise) tried.push(twice)
  const best = tried.reduce((left, right) => (right.differsAt > left.differsAt ? right : left))
  const others = tried.filter((one) => one !== best && isSettled(one)).map(({ set }) => set)
  return { set: best.set, settled: isSettled(best), others }
}

function isSettled({ differsAt, unasked }: Standing): boolean {
  return differsAt === Number.POSITIVE_INFINITY && !unasked
}

/** Whether a cron fires behind the place where a memory lies. */
function isBehind({ ordinate, timestamp }: EvaluationKey, place: EvaluationKey | undefined): boolean {
  if (place === undefined || ordinate > place.ordinate) return true
  return ordinate === place.ordinate && (place.cron === undefined || timestamp > place.timestamp)
}

/** Doubles one question after another, as long as the first difference moves on. */
async function refined(
  begun: Standing,
  times: readonly number[],
  standing: (set: KnownBlockSets) => Promise<Standing>
): Promise<Standing> {
  let best = begun
  let left = SEARCH_MAX
  const doubled = new Set<number>()
  const asked = (more: number) => times.flatMap((time, nonce) => (doubled.has(nonce) || nonce === more ? [time, time] : [time]))
  while (best.differsAt < Number.POSITIVE_INFINITY) {
    let moved = false
    for (let nonce = Math.min(best.differsAt, times.length - 1); nonce >= 0 && left > 0 && !moved; nonce--, left--) {
      if (doubled.has(nonce)) continue
      const next = await standing(asked(nonce))
      moved = next.differsAt > best.differsAt
      if (moved) {
        best = next
        doubled.add(nonce)
      }
    }
    if (!moved) break
  }
  return best
}

async function listedCrons(
  inputs: Inputs,
  run: Run,
  units: readonly string[],
  asked: (key: EvaluationKey) => boolean
): Promise<Set<string>> {
  const listed = new Set<string>()
  for (const unit of units) {
    for await (const { key } of inputs.claims(run, unit)) if (key.cron !== undefined && asked(key)) listed.add(keyText(key))
  }
  return listed
}

async function messageTimes(inputs: Inputs, run: Run): Promise<readonly number[]> {
  const times: number[] = []
  for await (const { timestamp } of inputs.schedule(run, 0, run.to)) times.push(timestamp)
  return times
}
