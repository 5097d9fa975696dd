/** Which blocks a unit knew when crons fired: found out by which crons it lists (execution-profile.md, "the blocks the CU knew"). */
import type { Inputs, Run } from './inputs.ts'
import { keyText } from './records.ts'
import type { KnownBlockSets } from './replay/profile.ts'
import type { SubjectPlan } from './subject.ts'

export interface ChosenBlocks {
  readonly set: KnownBlockSets
  /** The unit lists just the crons that fire with these blocks; one that failed it does not list. */
  readonly settled: boolean
}

interface Standing {
  readonly set: KnownBlockSets
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
  { inputs, run }: { readonly inputs: Inputs; readonly run: Run },
  plan: SubjectPlan['plan'],
  given: KnownBlockSets | undefined,
  units: readonly string[]
): Promise<ChosenBlocks> {
  const listed = await listedCrons(inputs, run, units)
  const standing = async (set: KnownBlockSets): Promise<Standing> => {
    const planned = new Set<string>()
    for await (const { key } of plan(set)) if (key.cron !== undefined && key.ordinate >= run.from) planned.add(keyText(key))
    const odd = [...planned].filter((key) => !listed.has(key)).concat([...listed].filter((key) => !planned.has(key)))
    return { set, differsAt: Math.min(Number.POSITIVE_INFINITY, ...odd.map((key) => Number.parseInt(key, 10))) }
  }
  if (given !== undefined) return { set: given, settled: (await standing(given)).differsAt === Number.POSITIVE_INFINITY }
  const tried: Standing[] = []
  for (const set of NAMED_SETS) tried.push(await standing(set))
  const times = await messageTimes(inputs, run)
  tried.push(await refined({ set: times, differsAt: tried[0]?.differsAt ?? 0 }, times, standing))
  const best = tried.reduce((left, right) => (right.differsAt > left.differsAt ? right : left))
  return { set: best.set, settled: best.differsAt === Number.POSITIVE_INFINITY }
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

async function listedCrons(inputs: Inputs, run: Run, units: readonly string[]): Promise<Set<string>> {
  const listed = new Set<string>()
  for (const unit of units) {
    for await (const { key } of inputs.claims(run, unit)) if (key.cron !== undefined) listed.add(keyText(key))
  }
  return listed
}

async function messageTimes(inputs: Inputs, run: Run): Promise<readonly number[]> {
  const times: number[] = []
  for await (const { timestamp } of inputs.schedule(run, 0, run.to)) times.push(timestamp)
  return times
}
