/** Whether a set of known blocks fits a unit: what a replay under it shows of the crons that the unit does not list. */

import { canonicalResult } from '../../compare/canonical.ts'
import type { JudgedEvaluation, Judgement } from '../../compare/comparison.ts'
import { evaluationName } from '../../compare/tally.ts'
import { precedes } from '../../inputs/evaluation-order.ts'
import type { Finding } from '../../model/findings.ts'
import { type Evaluation, type EvaluationKey, keyText, memoryAfter } from '../../model/records.ts'
import type { BlockCandidate, UnitStanding } from './block-choice.ts'

/** How the set stands to one unit. */
export interface UnitBlocks {
  /**
   * All that the unit lists was planned, and all that it was asked about and does not list failed, or was evaluated by the unit's
   * own word: what it claims may be held against a replay under this set.
   */
  readonly fits: boolean
  /** Crons that it was asked about, does not list, and that did not fail: a set found by leaving these out settles nothing. */
  readonly leftOut: readonly EvaluationKey[]
  /** Those of them, by `keyText`, behind which the replay came to a memory that the unit signed: it evaluated them. */
  readonly shown: ReadonlySet<string>
  /** Crons that it does not list and that failed, by `keyText`: no unit lists them. */
  readonly failed: ReadonlySet<string>
  /** The first cron that lies behind the end of its listings and did not fail, and how many do. */
  readonly behindListings: { readonly first: EvaluationKey | undefined; readonly count: number }
}

/** What is taken for true of a unit while its evaluations are judged. */
export type AssumedBlocks = ReadonlyMap<string, Pick<UnitBlocks, 'fits' | 'shown'>>

/** What is assumed before anything is computed: that all that is not listed fails. */
export function assumedAtFirst({ units }: BlockCandidate): AssumedBlocks {
  return new Map([...units].map(([unit, { unplanned }]) => [unit, { fits: unplanned.size === 0, shown: new Set<string>() }]))
}

export interface BlockWatch {
  /** Takes every evaluation, in order. */
  take(evaluation: Evaluation): void
  /** By a unit's URL; to be asked when the replay has ended. */
  found(): ReadonlyMap<string, UnitBlocks>
}

/** @param ownMemories what a unit signed, by the place of the memory */
export function createBlockWatch(
  candidate: BlockCandidate,
  ownMemories: (unit: string) => ReadonlyMap<string, string>
): BlockWatch {
  const units = [...candidate.units].map(([unit, standing]) => ({
    unit,
    standing,
    own: ownMemories(unit),
    leftOut: [] as EvaluationKey[],
    shown: 0,
    failed: new Set<string>(),
    behind: { first: undefined as EvaluationKey | undefined, count: 0 }
  }))
  return {
    take({ key, outcome, stateHash }) {
      for (const unit of units) {
        const { unlisted, unaskedFrom } = unit.standing
        if (key.cron !== undefined && outcome.kind === 'result') {
          const name = keyText(key)
          const asked = unlisted.has(name)
          if (isFailure(outcome)) unit.failed.add(name)
          else if (asked) unit.leftOut.push(key)
          else if (unaskedFrom !== undefined && !precedes(key, unaskedFrom)) {
            unit.behind.first ??= key
            unit.behind.count++
          }
        }
        if (stateHash !== undefined && unit.own.get(memoryAfter(key)) === stateHash) unit.shown = unit.leftOut.length
      }
    },
    found: () =>
      new Map(
        units.map(({ unit, standing, leftOut, shown, failed, behind }): [string, UnitBlocks] => [
          unit,
          {
            fits: standing.unplanned.size === 0 && shown === leftOut.length,
            leftOut,
            shown: new Set(leftOut.slice(0, shown).map(keyText)),
            failed,
            behindListings: behind
          }
        ])
      )
  }
}

function isFailure({ result }: Extract<Evaluation['outcome'], { kind: 'result' }>): boolean {
  return Boolean(canonicalResult(result).Error)
}

/**
 * Whether the blocks decide nothing about an evaluation, or the set is that of the unit: before the first cron of any candidate no
 * cron can have fired otherwise; behind the end of the unit's listings which fired is not known.
 */
export function blocksAreKnown(
  key: EvaluationKey,
  firstCron: EvaluationKey | undefined,
  { unaskedFrom }: Pick<UnitStanding, 'unaskedFrom'>,
  { fits }: Pick<UnitBlocks, 'fits'>
): boolean {
  if (firstCron === undefined || precedes(key, firstCron)) return true
  return fits && (unaskedFrom === undefined || precedes(key, unaskedFrom))
}

/** The first cron that fires under any of the candidates. */
export function firstCronOf(candidates: readonly BlockCandidate[]): EvaluationKey | undefined {
  return candidates.reduce<EvaluationKey | undefined>(
    (first, { firstCron }) =>
      first === undefined || (firstCron !== undefined && precedes(firstCron, first)) ? firstCron : first,
    undefined
  )
}

/** Whether what was assumed of a unit is not so, and its judgement rests on it. */
export function isMisjudged(
  { verdict, evaluations }: Judgement,
  assumed: Pick<UnitBlocks, 'fits' | 'shown'>,
  found: UnitBlocks
): boolean {
  if (assumed.fits && !found.fits) return verdict === 'mismatch'
  return found.fits && evaluations.some(isWithheld) && (!assumed.fits || found.shown.size > assumed.shown.size)
}

/** Whether something differs and nobody is blamed. */
function isWithheld({ status, differences = [], differencesCut = 0 }: JudgedEvaluation): boolean {
  return status === 'inconclusive' && differences.length + differencesCut > 0
}

/** Says where a unit's listings end before crons that it may have evaluated. */
export function withListingsEnd(judgement: Judgement, { behindListings: { first, count } }: UnitBlocks): Judgement {
  if (first === undefined) return judgement
  const crons = `${count} ${count === 1 ? 'cron' : 'crons'}`
  const detail = `its listings end before ${evaluationName({ key: first })}: of ${crons} from there on it says nothing`
  const { claimant } = judgement
  const about = { severity: 'warning', attribution: 'compute-unit', claimant, key: first, count } as const
  const finding: Finding = { code: 'LISTING_ENDS_EARLY', ...about, detail }
  return { ...judgement, reasons: [...judgement.reasons, detail], findings: [...judgement.findings, finding] }
}
