/** The past of a unit, with the blocks that it may have known. */

import type { ExecutionProfile } from '../../replay/profile.ts'
import type { AuditContext } from '../context.ts'
import { pass } from '../pass.ts'
import { hasCrons } from '../subject.ts'
import { searchBlocks } from './blocks.ts'
import type { Explained } from './explain.ts'
import { type Hypothesis, inWords } from './hypothesis.ts'
import { trial } from './trial.ts'

export interface ByBlocks extends Pick<Explained, 'hypothesis' | 'search' | 'tried'> {}

/** The past that explains most, with the blocks that the unit may have known; unchanged if there are no crons. */
export async function byBlocks(context: AuditContext, hypothesis: Hypothesis, unit: string): Promise<ByBlocks> {
  if (!hasCrons(context.subject)) return { hypothesis, search: { kind: 'complete' }, tried: 0 }
  const free = { ...hypothesis, profile: freeOfBlocks(hypothesis.profile, context.options.profile) }
  const alone = await pass(context, free, [unit], { search: { kind: 'complete' } })
  const { found, search, tried } = await searchBlocks(context, alone)
  return { hypothesis: found.hypothesis, search, tried: tried + 1 }
}

/** Drops the blocks that a joint replay chose, because they are not this unit's; blocks from the user stay. */
function freeOfBlocks({ blocks, ...profile }: ExecutionProfile, given: ExecutionProfile | 'auto'): ExecutionProfile {
  return given !== 'auto' && given.blocks !== undefined && blocks !== undefined ? { ...profile, blocks } : profile
}

/** After another past was found, other blocks may explain the rest. */
export async function againByBlocks(
  context: AuditContext,
  unit: string,
  before: ByBlocks,
  explained: Explained
): Promise<Explained> {
  if (explained.differsAt === undefined || !hasCrons(context.subject)) return explained
  if (inWords(explained.hypothesis) === inWords(before.hypothesis)) {
    return explained.search.kind === 'open' ? explained : { ...explained, search: before.search }
  }
  const again = await byBlocks(context, explained.hypothesis, unit)
  const found = await trial(context, { unit }, again.hypothesis, { strict: false })
  const tried = explained.tried + again.tried + 1
  if (found.differsAt === undefined)
    return { ...explained, ...again, differsAt: undefined, search: { kind: 'complete' }, tried }
  return { ...explained, tried, search: explained.search.kind === 'open' ? explained.search : again.search }
}
