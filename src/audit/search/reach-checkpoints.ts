/** A search for pasts that reach a unit's own checkpoints, once its claims are explained. */

import type { AuditContext } from '../context.ts'
import { shownEnvironments } from './environments.ts'
import { type Explained, type ExplainOptions, searchExplanations } from './explain.ts'
import { judgeFinally } from './final-judgement.ts'
import { plainly } from './hypothesis.ts'
import type { JudgedUnit } from './judged-unit.ts'
import { ownCheckpoints } from './own-checkpoints.ts'
import type { KnownProfile } from './profile-choice.ts'

/** Limits of replays for each of a unit's checkpoints, and in all. They are lower, because a memory alone blames nobody. */
const MEMORY_TRIALS_MAX = 40
const MEMORIES_TRIALS_MAX = 160
/** How many of the environments in a checkpoint's memory are tried for the checkpoint alone. */
const ALONE_ENVIRONMENTS = 2

/** After the claims are explained, its own checkpoints must be reached too, under the same past or under their own. */
export async function reachCheckpoints(
  context: AuditContext,
  known: KnownProfile,
  unit: string,
  options: Omit<ExplainOptions, 'target'>,
  explained: Explained
): Promise<JudgedUnit> {
  let present = explained
  let judged = await judgeFinally(context, known, unit, present)
  const elsewhere = new Set<string>()
  let trialsLeft = MEMORIES_TRIALS_MAX
  const bounded = () => ({ trialsMax: Math.min(trialsLeft, MEMORY_TRIALS_MAX) })
  for (const checkpoint of ownCheckpoints(context, judged.found, await context.checkpoints.all(), unit).unreached) {
    const isReached = ({ found }: JudgedUnit) =>
      found.compared.judged.some(({ report }) => report.id === checkpoint.id && report.status === 'match')
    if (checkpoint.standing !== 'verified' || isReached(judged)) continue
    if (trialsLeft <= 0) break
    const memory = { key: checkpoint.key, sha256: checkpoint.sha256 }
    const together = await searchExplanations(context, {
      ...options,
      ...bounded(),
      begun: present.hypothesis,
      target: { unit, memory }
    })
    trialsLeft -= together.tried
    if (together.differsAt === undefined) {
      present = { ...together, tried: together.tried + present.tried }
      judged = await judgeFinally(context, known, unit, present)
      continue
    }
    // It may come from another time, at which the unit ran differently: then its claims say nothing about it.
    for (const profile of shownEnvironments(checkpoint.environments ?? []).slice(0, ALONE_ENVIRONMENTS)) {
      const target = { unit, voice: 'checkpoint', memory } as const
      const alone = await searchExplanations(context, {
        ...options,
        ...bounded(),
        environments: [],
        begun: plainly(profile),
        target
      })
      trialsLeft -= alone.tried
      if (alone.differsAt === undefined) elsewhere.add(checkpoint.id)
      if (elsewhere.has(checkpoint.id)) break
    }
  }
  return { ...judged, reachedElsewhere: elsewhere }
}
