/** The blocks that the units of one replay are assumed to have known, and what that replay shows about them. */

import type { Gate, Judgement } from '../../compare/comparison.ts'
import { type Evaluation, type EvaluationKey, keyText } from '../../model/records.ts'
import type { ExecutionProfile, KnownBlockSets } from '../../replay/profile.ts'
import { defined } from '../../util/defined.ts'
import type { AuditContext } from '../context.ts'
import { ownMemories } from '../observations.ts'
import type { AuditRunOptions } from '../run-options.ts'
import { hasCrons } from '../subject.ts'
import { type BlockCandidate, type BlockChooser, createBlockChooser } from './block-choice.ts'
import {
  type AssumedBlocks,
  assumedAtFirst,
  blocksAreKnown,
  createBlockWatch,
  firstCronOf,
  isMisjudged,
  type UnitBlocks,
  withListingsEnd
} from './block-watch.ts'

/** The set of blocks for a replay. */
export interface ChosenBlocks {
  readonly candidate: BlockCandidate
  /** Other sets, the best first. */
  readonly others: readonly BlockCandidate[]
  /** The first cron that fires with any set: the blocks decide nothing before it. */
  readonly firstCron: EvaluationKey | undefined
  /** By a unit's URL: the assumptions for judging its evaluations. */
  readonly assumed: AssumedBlocks
}

/** What a replay showed about the blocks. */
export interface FoundBlocks extends Omit<ChosenBlocks, 'assumed'> {
  /** By a unit's URL: whether the set fits, now that the results of the crons are known. Empty if there are no crons. */
  readonly units: ReadonlyMap<string, UnitBlocks>
}

/** What the blocks say about an evaluation. */
export interface BlockGate extends Pick<Gate, 'cronShown'> {
  /** The blocks that the unit knew are settled, or decide nothing here. */
  readonly blocksKnown: boolean
}

export interface PassBlocks {
  readonly set: KnownBlockSets
  /** Takes every evaluation, in order. */
  take(evaluation: Evaluation): void
  gateAt(key: EvaluationKey, unit: string): BlockGate
  /** The corrected assumptions, if a judgement depends on one that the replay refuted. */
  misjudged(judgements: readonly Judgement[]): ChosenBlocks | undefined
  found(): FoundBlocks
  withListingsEnd(judgement: Judgement): Judgement
}

const NO_CRONS: UnitBlocks = {
  fits: true,
  leftOut: [],
  shown: new Set(),
  failed: new Set(),
  behindListings: { first: undefined, count: 0 }
}

/** The given set, or the one that best fits the listings of the units. */
export async function chooseBlocks(
  context: AuditContext,
  { blocks }: ExecutionProfile,
  units: readonly string[]
): Promise<ChosenBlocks> {
  if (!hasCrons(context.subject)) {
    const candidate: BlockCandidate = { set: 'all', digest: '', units: new Map(), firstCron: undefined }
    return { candidate, others: [], firstCron: undefined, assumed: new Map() }
  }
  const chooser = await openBlockChooser(context, units)
  const [candidate, ...others] = blocks === undefined ? await chooser.candidates() : [await chooser.candidate(blocks)]
  const firstCron = firstCronOf([candidate, ...others, await chooser.candidate('all')])
  return { candidate, others, firstCron, assumed: assumedAtFirst(candidate) }
}

/** Tries sets of blocks against the listings of these units. */
export function openBlockChooser({ options, plan, start }: AuditContext, units: readonly string[]): Promise<BlockChooser> {
  return createBlockChooser({ ...options, plan, units, ...defined({ after: start?.key }) })
}

/** Follows one replay under a set. */
export function createPassBlocks({ options, checkpoints }: AuditContext, chosen: ChosenBlocks): PassBlocks {
  const { candidate, others, firstCron, assumed } = chosen
  const watch = createBlockWatch(candidate, (unit) => ownMemories(checkpoints.found, speaksForUnit(options, unit)))
  const assumedOf = (unit: string) => assumed.get(unit) ?? NO_CRONS
  return {
    set: candidate.set,
    take: watch.take,
    gateAt(key, unit) {
      const { fits, shown } = assumedOf(unit)
      const { unaskedFrom } = candidate.units.get(unit) ?? { unaskedFrom: undefined }
      const blocksKnown = blocksAreKnown(key, firstCron, { unaskedFrom }, { fits })
      return { blocksKnown, ...(shown.has(keyText(key)) ? { cronShown: true } : {}) }
    },
    misjudged(judgements) {
      const found = watch.found()
      const isFalse = (judgement: Judgement) =>
        isMisjudged(judgement, assumedOf(judgement.claimant), found.get(judgement.claimant) ?? NO_CRONS)
      return judgements.some(isFalse) ? { ...chosen, assumed: found } : undefined
    },
    found: () => ({ candidate, others, firstCron, units: watch.found() }),
    withListingsEnd: (judgement) => withListingsEnd(judgement, watch.found().get(judgement.claimant) ?? NO_CRONS)
  }
}

/** Whether a signer is this unit, as the unit or the user names it. If several are audited, the user's names fit none of them. */
function speaksForUnit({ run, checkpointOwners }: AuditRunOptions, unit: string): (signer: string) => boolean {
  const own = run.computes.find(({ url }) => url === unit)?.address
  return (signer) => signer === own || (run.computes.length === 1 && checkpointOwners.includes(signer))
}
