/** Judges every audited unit by its own claims: a joint replay first, then a search for each unit that differs. */

import type { SearchResult } from '../../attribution/rules.ts'
import type { Judgement } from '../../compare/comparison.ts'
import type { Finding } from '../../model/findings.ts'
import type { CheckedCheckpoint } from '../../verify/checkpoint.ts'
import type { AuditContext } from '../context.ts'
import { beginPass, NOT_SEARCHED_YET, type PassResult, pass } from '../pass.ts'
import type { Explained } from './explain.ts'
import { judgeFinally } from './final-judgement.ts'
import { plainly } from './hypothesis.ts'
import { type JudgedUnit, type JudgedUnits, judgementOf, profileSourceOf } from './judged-unit.ts'
import { misfitFinding } from './misfit.ts'
import { ownCheckpoints } from './own-checkpoints.ts'
import { chooseProfile, type KnownProfile, type ProfileChoice } from './profile-choice.ts'
import { boundariesIn, searchUnit } from './search-unit.ts'

/** Replays and judges; again for each unit that differs, or that agrees only under assumptions beyond the profile. */
export async function judgeUnits(context: AuditContext, choice: ProfileChoice): Promise<JudgedUnits> {
  const units = context.options.run.computes.map(({ url }) => url)
  const { joint, known } = await firstPass(context, choice, units)
  const judged: JudgedUnit[] = []
  for (const unit of units) {
    const one = await judgeUnit(context, known, joint, unit)
    judged.push(
      one.judgement.verdict === 'mismatch' && context.start !== undefined ? await fromModule(context, known, one) : one
    )
  }
  return { units: judged, joint }
}

/**
 * Judges a unit that differs after a memory taken on trust. Even if the unit signed that memory, it may have had another honest past:
 * it is blamed only if a replay from the module blames it too.
 */
async function fromModule(context: AuditContext, known: KnownProfile, judged: JudgedUnit): Promise<JudgedUnit> {
  const { start, ...whole } = context
  const { claimant, judgement, profile } = judged
  const again = await firstPass(whole, chooseProfile(whole), [claimant])
  const found = await judgeUnit(whole, again.known, again.joint, claimant)
  if (found.judgement.verdict === 'mismatch') return { ...found, findings: [...found.findings, alsoFromModule(claimant)] }
  const explained: Explained = {
    hypothesis: profile.hypothesis,
    search: { kind: 'open', reason: `a replay from the module, without the checkpoint ${start?.id}, does not blame it` },
    differsAt: judgement.firstDivergence?.key,
    orderDiffers: 0,
    tried: profile.trials,
    profiles: profile.tried
  }
  return judgeFinally(context, known, claimant, explained)
}

function alsoFromModule(claimant: string): Finding {
  const detail = 'before the unit was blamed, everything was replayed from the module: its claims differ there too'
  return { code: 'TRUST_LOWERED', severity: 'info', attribution: 'auditor', claimant, detail }
}

/** Begins the replay before the profile of a checkpoint is known, but judges nothing until then. */
async function firstPass(context: AuditContext, { first, known }: ProfileChoice, units: readonly string[]) {
  const { snapshots } = context.options
  const begun = await beginPass(context, plainly(first), units, { snapshots })
  try {
    const found = await known
    const how = judgedHow(context, found)
    if (found.profile === first) return { known: found, joint: await begun.judge(how) }
    await begun.end()
    return { known: found, joint: await pass(context, plainly(found.profile), units, { ...how, snapshots }) }
  } finally {
    await begun.end()
  }
}

const NOT_SEARCHED: SearchResult = { kind: 'open', reason: 'no other instance or profile was tried (--no-search)' }

function judgedHow({ options }: AuditContext, { misfits }: KnownProfile) {
  return { search: options.search ? NOT_SEARCHED_YET : NOT_SEARCHED, misfits }
}

async function judgeUnit(context: AuditContext, known: KnownProfile, joint: PassResult, unit: string): Promise<JudgedUnit> {
  const judgement = judgementOf(joint, unit)
  const { proven, unreached } = ownCheckpoints(context, joint, await context.checkpoints.all(), unit)
  const { search } = context.options
  const blocksFit = joint.blocks.units.get(unit)?.fits ?? true
  const misfit = known.misfits.get(unit)
  const open = search && misfit === undefined && (needsSearch(judgement, unreached) || !blocksFit)
  const disordered = judgement.tolerances.some(({ kind }) => kind === 'tag-order')
  if (open || (proven !== undefined && disordered && search)) return searchUnit(context, known, joint, unit)
  const { hypothesis } = joint
  return {
    claimant: unit,
    judgement,
    found: joint,
    profile: {
      hypothesis,
      source: proven ?? profileSourceOf(known, joint, unit),
      proven: proven !== undefined,
      tried: [hypothesis.profile.name],
      trials: 0
    },
    findings: misfit === undefined ? [] : [misfitFinding(misfit)],
    reachedElsewhere: new Set()
  }
}

/** Whether another past might explain anything. */
function needsSearch({ unexplained, tolerances }: Judgement, unreached: readonly CheckedCheckpoint[]): boolean {
  const disordered = tolerances.some(({ kind }) => kind === 'tag-order')
  return unexplained !== null || disordered || boundariesIn(tolerances) > 1 || unreached.length > 0
}
