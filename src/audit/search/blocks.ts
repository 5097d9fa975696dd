/**
 * Searches for the blocks with which an honest unit reaches its claims: sets that fit its listings, then sets that no listing shows
 * (profiles §1.9). A unit is blamed for a difference only if it remains under all of them.
 */
import type { SearchResult } from '../../attribution/rules.ts'
import type { JudgedEvaluation } from '../../compare/comparison.ts'
import { precedes } from '../../inputs/evaluation-order.ts'
import { type EvaluationKey, keyText } from '../../model/records.ts'
import type { KnownBlockSets } from '../../replay/profile.ts'
import type { AuditContext } from '../context.ts'
import { type PassResult, pass } from '../pass.ts'
import type { BlockCandidate } from './block-choice.ts'
import { assumedAtFirst } from './block-watch.ts'
import { openBlockChooser } from './pass-blocks.ts'
import { speaksForUnits } from './profile-choice.ts'
import { type UnlistedTrial, unlistedTrials } from './unlisted-crons.ts'

/** How many replays one search makes. */
const TRIALS_MAX = 32

export interface BlocksFound {
  readonly found: PassResult
  readonly search: SearchResult
  /** How many sets of blocks were tried. */
  readonly tried: number
}

/**
 * Searches for the one unit that was judged.
 *
 * @param found its pass, judged as if only the blocks could explain a difference
 * @returns the pass that reaches all its claims; else the one whose set fits, that reaches most of its own checkpoints, and that
 *   differs last. The search is open if the difference depends on the blocks and not every set was tried
 */
export async function searchBlocks(context: AuditContext, found: PassResult): Promise<BlocksFound> {
  const { firstCron, others, units: standings } = found.blocks
  const { hypothesis } = found
  const searched = { ...context, plan: (set: KnownBlockSets) => context.plan(set, hypothesis.evaluates) }
  if (firstCron === undefined || isExplained(searched, found)) return { found, search: { kind: 'complete' }, tried: 0 }
  const units = found.judged.judgements.map(({ claimant }) => claimant)
  const chooser = await openBlockChooser(searched, units)
  const under = (candidate: BlockCandidate): Promise<PassResult> => {
    const blocks = { candidate, others, firstCron, assumed: assumedAtFirst(candidate) }
    const profile = { ...hypothesis.profile, blocks: candidate.set }
    return pass(context, { ...hypothesis, profile }, units, { search: { kind: 'complete' }, blocks })
  }
  const tried = new Set([found.blocks.candidate.digest])
  /** A pass under a set; undefined if a set with the same digest was tried, or the limit is reached. */
  const attempt = async (candidate: BlockCandidate): Promise<PassResult | undefined> => {
    if (tried.has(candidate.digest) || tried.size > TRIALS_MAX) return undefined
    tried.add(candidate.digest)
    return under(candidate)
  }

  let best = found
  const failed = new Set([...standings.values()].flatMap((unit) => [...unit.failed]))
  for (const candidates of [async () => others, () => chooser.candidates(failed)]) {
    if (isExplained(searched, best)) return ended(best)
    for (const candidate of await candidates()) {
      const next = isExplained(searched, best) ? undefined : await attempt(candidate)
      if (next !== undefined && isBetter(searched, next, best)) best = next
    }
  }
  for (let place = firstDifference(best); place !== undefined; place = firstDifference(best)) {
    const at = blamedAt(best) ?? place
    const shown = computedAt(best, at)
    let explained: PassResult | undefined
    let isOpen = false
    const range = { before: at, behind: lastReached(searched, best, at) }
    for (const trial of await unlistedTrials(searched, best.blocks.candidate.set, range)) {
      const candidate = await chooser.candidate(trial.set)
      if (tried.has(candidate.digest)) continue
      const next = await attempt(candidate)
      const differs = next === undefined ? undefined : firstDifference(next)
      if (next !== undefined && (differs === undefined || precedes(at, differs))) {
        explained = next
        break
      }
      isOpen ||= next === undefined || !(computedAt(next, at) === shown || isRefuted(trial, differs))
    }
    if (explained === undefined) return isOpen ? ended(best, UNDECIDED) : ended(best)
    best = explained
  }
  return ended(best)

  function ended(last: PassResult, search: SearchResult = { kind: 'complete' }): BlocksFound {
    return { found: last, search, tried: tried.size }
  }
}

const UNDECIDED: SearchResult = {
  kind: 'open',
  reason: 'the result depends on the blocks that the unit knew or on crons that fired again, and not every case was tried'
}

/** Whether nothing else of this kind needs a trial. */
function isRefuted({ kind }: UnlistedTrial, differs: EvaluationKey | undefined): boolean {
  if (typeof kind === 'object') return differs !== undefined && precedes(differs, kind.aloneBefore)
  return kind === 'combination'
}

/** Whether the pass reaches all claims of the one unit, and its own checkpoints. */
function isExplained(context: AuditContext, found: PassResult): boolean {
  return firstDifference(found) === undefined && ownCheckpoints(context, found).every(({ status }) => status === 'match')
}

function isBetter(context: AuditContext, one: PassResult, other: PassResult): boolean {
  const [left, right] = [one, other].map((found) => [
    Number(isExplained(context, found)),
    Number([...found.blocks.units.values()].every(({ fits }) => fits)),
    ownCheckpoints(context, found).filter(({ status }) => status === 'match').length
  ])
  const place = left?.findIndex((value, place) => value !== right?.[place]) ?? -1
  if (place >= 0) return (left?.[place] ?? 0) > (right?.[place] ?? 0)
  const [mine, others] = [firstDifference(one), firstDifference(other)]
  return others !== undefined && (mine === undefined || precedes(others, mine))
}

/** The checkpoints of the one judged unit that were compared with a memory. */
function ownCheckpoints({ options }: AuditContext, { compared, judged }: PassResult) {
  const [unit] = judged.judgements
  const isOwn = speaksForUnits(options, unit?.claimant)
  return compared.judged
    .map(({ report }) => report)
    .filter(({ signer, computedSha256 }) => isOwn(signer) && computedSha256 !== null)
}

/** The last place before a difference at which the pass reached the unit's own memory. */
function lastReached(context: AuditContext, found: PassResult, before: EvaluationKey): EvaluationKey | undefined {
  const reached = ownCheckpoints(context, found).filter(({ status }) => status === 'match')
  const places = context.checkpoints.found.filter(
    ({ id, key }) => precedes(key, before) && reached.some((one) => one.id === id)
  )
  return places.at(-1)?.key
}

/** The evaluation for which the unit is blamed. */
function blamedAt({ judged }: PassResult): EvaluationKey | undefined {
  return judged.judgements.find(({ verdict }) => verdict === 'mismatch')?.firstDivergence?.key
}

/** The first evaluation that differs from a claim, whether that is called a mismatch or not. */
function firstDifference({ judged }: PassResult): EvaluationKey | undefined {
  return judged.judgements[0]?.evaluations.find(isDifference)?.key
}

function isDifference({ status, differences = [], differencesCut = 0 }: JudgedEvaluation): boolean {
  return status === 'mismatch' || differences.length + differencesCut > 0
}

/** The computed values that differ from the claim; undefined if none does. */
function computedAt({ judged }: PassResult, key: EvaluationKey): string | undefined {
  const name = keyText(key)
  const at = judged.judgements[0]?.evaluations.find((one) => keyText(one.key) === name && isDifference(one))
  return at === undefined ? undefined : JSON.stringify((at.differences ?? []).map(({ path, computed }) => [path, computed]))
}
