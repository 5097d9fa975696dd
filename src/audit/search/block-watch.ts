/** Decides whether a set of known blocks fits a unit: a replay under it shows what became of the crons that the unit does not list. */

import { canonicalResult } from '../../compare/canonical.ts'
import type { JudgedEvaluation, Judgement } from '../../compare/comparison.ts'
import { evaluationName } from '../../compare/tally.ts'
import { precedes } from '../../inputs/evaluation-order.ts'
import type { Finding } from '../../model/findings.ts'
import { type Evaluation, type EvaluationKey, keyText, memoryAfter } from '../../model/records.ts'
import type { BlockCandidate, UnitStanding } from './block-choice.ts'

/** How the set fits one unit. */
export interface UnitBlocks {
  /**
   * Every listed cron was planned, and every cron that the unit was asked about and does not list failed, or was evaluated as the
   * unit's own checkpoint shows: then its claims may be compared with a replay under this set.
   */
  readonly fits: boolean
  /** Crons that it was asked about and does not list, although they did not fail: a set found by leaving these out settles nothing. */
  readonly leftOut: readonly EvaluationKey[]
  /** Those of them, by `keyText`, after which the replay reached a memory that the unit signed: it evaluated them. */
  readonly shown: ReadonlySet<string>
  /** Crons that it does not list and that failed, by `keyText`: no unit lists them. */
  readonly failed: ReadonlySet<string>
  /** The first of the crons after the end of its listings that did not fail, and their count. */
  readonly behindListings: { readonly first: EvaluationKey | undefined; readonly count: number }
}

/** The assumptions about a unit while its evaluations are judged. */
export type AssumedBlocks = ReadonlyMap<string, Pick<UnitBlocks, 'fits' | 'shown'>>

/** The assumption before anything is computed: every unlisted cron fails. */
export function assumedAtFirst({ units }: BlockCandidate): AssumedBlocks {
  return new Map([...units].map(([unit, { unplanned }]) => [unit, { fits: unplanned.size === 0, shown: new Set<string>() }]))
}

export interface BlockWatch {
  /** Takes every evaluation, in order. */
  take(evaluation: Evaluation): void
  /** By a unit's URL. Call it after the replay has ended. */
  found(): ReadonlyMap<string, UnitBlocks>
}

/** @param ownMemories the memory hashes that a unit signed, by place */
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
    take({ key, outcome, stateHash, repeated = false }) {
      for (const unit of units) {
        const { unlisted, unaskedFrom } = unit.standing
        if (key.cron !== undefined && !repeated && outcome.kind === 'result') {
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
 * Whether the blocks decide nothing about an evaluation, or the set is that of the unit. Before the first cron of any candidate no
 * cron can have fired differently; after the end of the unit's listings nothing shows which crons fired.
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

/** Whether an assumption about a unit proved wrong, and its judgement depends on it. */
export function isMisjudged(
  { verdict, evaluations }: Judgement,
  assumed: Pick<UnitBlocks, 'fits' | 'shown'>,
  found: UnitBlocks
): boolean {
  if (assumed.fits && !found.fits) return verdict === 'mismatch'
  return found.fits && evaluations.some(isWithheld) && (!assumed.fits || found.shown.size > assumed.shown.size)
}

/** Whether there is a difference that blames nobody. */
function isWithheld({ status, differences = [], differencesCut = 0 }: JudgedEvaluation): boolean {
  return status === 'inconclusive' && differences.length + differencesCut > 0
}

/** Adds a finding if a unit's listings end before crons that it may have evaluated. */
export function withListingsEnd(judgement: Judgement, { behindListings: { first, count } }: UnitBlocks): Judgement {
  if (first === undefined) return judgement
  const crons = `${count} ${count === 1 ? 'cron' : 'crons'}`
  const detail = `its listings end before ${evaluationName({ key: first })}: they say nothing about ${crons} from there on`
  const { claimant } = judgement
  const about = { severity: 'warning', attribution: 'compute-unit', claimant, key: first, count } as const
  const finding: Finding = { code: 'LISTING_ENDS_EARLY', ...about, detail }
  return { ...judgement, reasons: [...judgement.reasons, detail], findings: [...judgement.findings, finding] }
}
