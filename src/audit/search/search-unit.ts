/** The search for an honest past of one unit, by its own claims alone. */

import type { Judgement } from '../../compare/comparison.ts'
import type { AuditContext } from '../context.ts'
import type { PassResult } from '../pass.ts'
import { againByBlocks, byBlocks } from './blocks-of-unit.ts'
import { candidateEnvironments } from './environments.ts'
import { type Explained, type ExplainOptions, searchExplanations } from './explain.ts'
import { judgeFinally } from './final-judgement.ts'
import { type JudgedUnit, judgementOf } from './judged-unit.ts'
import { misfitOf } from './misfit.ts'
import { type KnownProfile, speaksForUnits } from './profile-choice.ts'
import { reachCheckpoints } from './reach-checkpoints.ts'
import { trial } from './trial.ts'
import { judgeVoices } from './voices.ts'

/** The limit of replays in the search for one unit's explanation. */
const TRIALS_MAX = 400

export async function searchUnit(
  context: AuditContext,
  known: KnownProfile,
  joint: PassResult,
  unit: string
): Promise<JudgedUnit> {
  const base = await optionsFor(context, joint, unit)
  const ofBlocks = await byBlocks(context, base.begun, unit)
  const options = { ...base, begun: ofBlocks.hypothesis }
  const { contradicts } = judgementOf(joint, unit)
  // No past of one machine explains both of two answers.
  if (contradicts !== null)
    return judgeVoices(context, known, unit, options, { ofBlocks, firstCron: joint.blocks.firstCron, contradicts })
  const tried = (await asPattern(context, joint, unit)) ?? (await searchExplanations(context, { ...options, target: { unit } }))
  const explained = await againByBlocks(context, unit, ofBlocks, tried)
  const misfit = misfitOf(context, known, explained)
  if (misfit !== undefined) {
    const tried = { ...explained, hypothesis: joint.hypothesis }
    return judgeFinally(context, known, unit, tried, { misfit: misfit.detail, findings: [misfit] })
  }
  if (explained.differsAt === undefined) return reachCheckpoints(context, known, unit, options, explained)
  return judgeFinally(context, known, unit, explained)
}

/** Many instance boundaries become one pattern if the unit began an instance with every message. */
async function asPattern(context: AuditContext, joint: PassResult, unit: string): Promise<Explained | undefined> {
  const { profile } = joint.hypothesis
  const boundaries = boundariesIn(judgementOf(joint, unit).tolerances)
  if (boundaries <= 1 || profile.instances === 'per-message') return undefined
  const hypothesis = { ...joint.hypothesis, profile: { ...profile, instances: 'per-message' as const } }
  const found = await trial(context, { unit }, hypothesis, { strict: false })
  // More boundaries beside the pattern would allow any history.
  if (found.differsAt !== undefined || found.boundaries > 0) return undefined
  const { orderDiffers } = found
  return { hypothesis, differsAt: undefined, search: { kind: 'complete' }, orderDiffers, tried: 1, profiles: [profile.name] }
}

export function boundariesIn(tolerances: Judgement['tolerances']): number {
  return tolerances.find(({ kind }) => kind === 'instance-boundary')?.count ?? 0
}

async function optionsFor(context: AuditContext, joint: PassResult, unit: string): Promise<Omit<ExplainOptions, 'target'>> {
  const isOwn = speaksForUnits(context.options, unit)
  const own = (await context.checkpoints.all()).filter(({ signer, onTrust }) => onTrust !== true && isOwn(signer))
  const environments = own.flatMap(({ environments: shown = [] }) => shown)
  return {
    begun: joint.hypothesis,
    // The memory at the start contains its environment: no other can fit.
    environments: context.start === undefined ? candidateEnvironments(environments) : [],
    startedBehind: own.map(({ nonce }) => nonce),
    trialsMax: TRIALS_MAX
  }
}
