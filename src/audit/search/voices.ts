/** A unit that contradicts itself: each of its two voices is explained by itself. */

import type { SearchResult, Since } from '../../attribution/rules.ts'
import type { Claim, EvaluationKey } from '../../model/records.ts'
import type { AuditContext } from '../context.ts'
import type { ByBlocks } from './blocks-of-unit.ts'
import { type ExplainOptions, searchExplanations } from './explain.ts'
import { judgeFinally } from './final-judgement.ts'
import { inWords } from './hypothesis.ts'
import type { JudgedUnit } from './judged-unit.ts'
import { misfitOf } from './misfit.ts'
import type { KnownProfile } from './profile-choice.ts'
import { isBefore } from './trial.ts'

/**
 * Several machines may answer at one URL: each of its two voices is explained by itself. If both are, nobody is blamed; if one has no
 * honest explanation, that one is judged.
 */
export async function judgeVoices(
  context: AuditContext,
  known: KnownProfile,
  unit: string,
  options: Omit<ExplainOptions, 'target'>,
  { ofBlocks, firstCron, contradicts }: Contradiction
): Promise<JudgedUnit> {
  const ofVoice = async (voice: Claim['kind']) => {
    const of = await searchExplanations(context, { ...options, target: { unit, voice } })
    if (of.search.kind === 'open' || of.differsAt === undefined || firstCron === undefined) return { voice, of }
    if (isBefore(of.differsAt, firstCron)) return { voice, of }
    return { voice, of: { ...of, search: voice === 'result' ? OTHER_BLOCKS : ofBlocks.search } }
  }
  const voices = [await ofVoice('result'), await ofVoice('listed')] as const
  for (const { of } of voices) {
    const misfit = misfitOf(context, known, of)
    if (misfit === undefined) continue
    return judgeFinally(
      context,
      known,
      unit,
      { ...of, hypothesis: options.begun },
      { misfit: misfit.detail, findings: [misfit] }
    )
  }
  const unexplained = voices.filter(({ of }) => of.differsAt !== undefined)
  const judged = unexplained.find(({ of }) => of.search.kind === 'complete') ?? unexplained[0]
  if (judged === undefined) return judgeFinally(context, known, unit, voices[0].of, { severalVoices: contradicts })
  const [first, second] = voices.map(({ of }) => inWords(of.hypothesis))
  return judgeFinally(context, known, unit, judged.of, first === second ? {} : { voice: judged.voice })
}

interface Contradiction {
  readonly ofBlocks: ByBlocks
  /** Nothing before it depends on blocks. */
  readonly firstCron: EvaluationKey | undefined
  readonly contradicts: Since
}

/** The machine that answers `/result` has no listing there. */
const OTHER_BLOCKS: SearchResult = {
  kind: 'open',
  reason: 'its /result may come from another machine than its listings, and that machine may have known other blocks'
}
