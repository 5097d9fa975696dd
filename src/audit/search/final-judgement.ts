/** The last judgement of a unit for which a search has ended. */

import type { SearchResult, Since } from '../../attribution/rules.ts'
import type { Finding } from '../../model/findings.ts'
import { type Claim, type EvaluationKey, keyText } from '../../model/records.ts'
import { defined } from '../../util/defined.ts'
import type { AuditContext } from '../context.ts'
import { type PassOptions, type PassResult, pass } from '../pass.ts'
import type { Explained } from './explain.ts'
import { assumptionsOf, type Hypothesis, inWords } from './hypothesis.ts'
import { type JudgedUnit, judgementOf, profileSourceOf } from './judged-unit.ts'
import { ownCheckpoints } from './own-checkpoints.ts'
import type { KnownProfile } from './profile-choice.ts'
import { withVoice } from './trial.ts'

interface HowFinished {
  readonly misfit?: string
  readonly severalVoices?: Since
  readonly voice?: Claim['kind']
  readonly findings?: readonly Finding[]
}

/** Judges the unit once more, under the result of the search. */
export async function judgeFinally(
  context: AuditContext,
  known: KnownProfile,
  unit: string,
  { hypothesis, search, orderDiffers, differsAt, tried, profiles }: Explained,
  { misfit, severalVoices, voice, findings = [] }: HowFinished = {}
): Promise<JudgedUnit> {
  const ofVoice = { ...context, options: { ...context.options, inputs: withVoice(context.options.inputs, voice) } }
  const assumed = assumptionsOf(hypothesis, known.profile)
  const why = misfit ?? disorder(orderDiffers, context.options.maxExplanations)
  const how: PassOptions = {
    search,
    given: assumed,
    ...defined({
      assumedProfile: assumed.length === 0 ? undefined : inWords(hypothesis),
      misfits: why === undefined ? undefined : new Map([[unit, why]]),
      severalVoices
    })
  }
  let found = await pass(ofVoice, hypothesis, [unit], how)
  const { proven } = ownCheckpoints(ofVoice, found, await ofVoice.checkpoints.all(), unit)
  const disordered = judgementOf(found, unit).tolerances.some(({ kind }) => kind === 'tag-order')
  if (proven !== undefined && disordered) found = await pass(ofVoice, hypothesis, [unit], { ...how, strictTagOrder: true })
  // The search examined the difference at which it ended: for another one it may have missed an explanation.
  if (isBlamedBeside(found, unit, differsAt))
    found = await pass(ofVoice, hypothesis, [unit], { ...how, search: ENDED_ELSEWHERE })
  const judgement = judgementOf(found, unit)
  const source = proven ?? (assumed.length > 0 ? 'every claim; assumed, not proven' : profileSourceOf(known, found, unit))
  return {
    claimant: unit,
    judgement,
    found,
    profile: { hypothesis, source, proven: proven !== undefined, tried: profiles, trials: tried },
    findings: [
      ...findings,
      ...(assumed.length === 0 ? [] : [assumption(unit, hypothesis)]),
      ...(search.kind === 'open' && differsAt !== undefined ? [boundReached(unit, differsAt, search.reason)] : [])
    ],
    reachedElsewhere: new Set()
  }
}

const ENDED_ELSEWHERE: SearchResult = { kind: 'open', reason: 'the search for explanations ended at another difference' }

function isBlamedBeside(found: PassResult, unit: string, differsAt: EvaluationKey | undefined): boolean {
  const { verdict, firstDivergence } = judgementOf(found, unit)
  if (verdict !== 'mismatch' || firstDivergence === null) return false
  return differsAt === undefined || keyText(firstDivergence.key) !== keyText(differsAt)
}

function disorder(orderDiffers: number, allowed: number): string | undefined {
  if (orderDiffers <= allowed) return undefined
  return `${orderDiffers} results before it have another order of tags than the unit's: its environment is not known`
}

function assumption(claimant: string, hypothesis: Hypothesis): Finding {
  const detail = `the unit's claims agree under an assumption that nothing proves: ${inWords(hypothesis)}`
  return { code: 'PROFILE_ASSUMED', severity: 'info', attribution: 'auditor', claimant, detail }
}

function boundReached(claimant: string, key: EvaluationKey, detail: string): Finding {
  return { code: 'SEARCH_BOUND_REACHED', severity: 'warning', attribution: 'auditor', claimant, key, detail }
}
