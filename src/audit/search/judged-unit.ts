/** The judgement of a unit, with the replay that it was made over. */

import type { Judgement } from '../../compare/comparison.ts'
import type { Finding } from '../../model/findings.ts'
import { bestOf, type JudgedCheckpoint } from '../checkpoints/judge-checkpoints.ts'
import type { PassResult } from '../pass.ts'
import type { Hypothesis } from './hypothesis.ts'
import type { KnownProfile } from './profile-choice.ts'

/** The judgement of one unit, and the past under which it was made. */
export interface JudgedUnit {
  readonly claimant: string
  readonly judgement: Judgement
  /** The pass over which it was judged. */
  readonly found: PassResult
  readonly profile: UnitProfile
  /** Findings about the profile and the search. */
  readonly findings: readonly Finding[]
  /** Own checkpoints that are reached under a different past than its claims. */
  readonly reachedElsewhere: ReadonlySet<string>
}

export interface UnitProfile {
  readonly hypothesis: Hypothesis
  readonly source: string
  /** Whether a replay under it reached one of the unit's own checkpoints. */
  readonly proven: boolean
  readonly tried: readonly string[]
  /** The number of replays in the search for an explanation. */
  readonly trials: number
}

export interface JudgedUnits {
  readonly units: readonly JudgedUnit[]
  /** The joint pass. */
  readonly joint: PassResult
}

/** Every checkpoint as judged in the replay that it fits best. */
export function checkpointsOf({ units, joint }: JudgedUnits): readonly JudgedCheckpoint[] {
  const elsewhere = new Set(units.flatMap(({ reachedElsewhere }) => [...reachedElsewhere]))
  return bestOf([joint.compared, ...units.map(({ found }) => found.compared)], elsewhere)
}

export function judgementOf({ judged }: PassResult, unit: string): Judgement {
  const judgement = judged.judgements.find(({ claimant }) => claimant === unit)
  if (judgement === undefined) throw new Error(`the unit ${unit} was not judged`)
  return judgement
}

export function profileSourceOf({ source }: KnownProfile, { firstClaims }: PassResult, unit: string): string {
  if (source !== 'the default') return source
  const { agreeing, judged } = firstClaims.get(unit) ?? { agreeing: 0, judged: 0 }
  return judged === 0 ? 'the default: no claim distinguishes profiles' : `the first claims: ${agreeing} of ${judged} agree`
}
