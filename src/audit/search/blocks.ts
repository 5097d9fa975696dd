/**
 * Which blocks an honest unit may have known, so that it came to what it claims: sets that fit what it lists, then what no listing
 * tells (profiles §1.9). A difference is blamed on a unit where it stays under all of them.
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

/** Replays in one search. */
const TRIALS_MAX = 32

export interface BlocksFound {
  readonly found: PassResult
  readonly search: SearchResult
  /** Sets of blocks that were tried. */
  readonly tried: number
}

/**
 * Searches for the one unit that was judged.
 *
 * @param found its pass, judged as if nothing but the blocks could explain a difference
 * @returns the pass in which all that it claims is reached; else the one whose set fits, in which most of its own checkpoints are
 *   reached, and in which it differs last. The search is open where what differs depends on the blocks and not every way was tried
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
  /** A pass under a set; undefined where one with which the same fires was tried, or there were enough. */
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
  reason: 'what is computed depends on the blocks that the unit knew, and not every set of them was tried'
}

/** Whether nothing else of the kind need be tried. */
function isRefuted({ kind }: UnlistedTrial, differs: EvaluationKey | undefined): boolean {
  if (typeof kind === 'object') return differs !== undefined && precedes(differs, kind.aloneBefore)
  return kind === 'combination'
}

/** Whether all that the one unit claims is come to, and its own checkpoints are. */
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

/** Those of the one unit that is judged, as far as they were held against a memory. */
function ownCheckpoints({ options }: AuditContext, { compared, judged }: PassResult) {
  const [unit] = judged.judgements
  const isOwn = speaksForUnits(options, unit?.claimant)
  return compared.judged
    .map(({ report }) => report)
    .filter(({ signer, computedSha256 }) => isOwn(signer) && computedSha256 !== null)
}

/** The last place before a difference at which the unit's own memory was come to. */
function lastReached(context: AuditContext, found: PassResult, before: EvaluationKey): EvaluationKey | undefined {
  const reached = ownCheckpoints(context, found).filter(({ status }) => status === 'match')
  const places = context.checkpoints.found.filter(
    ({ id, key }) => precedes(key, before) && reached.some((one) => one.id === id)
  )
  return places.at(-1)?.key
}

/** Where the unit is blamed. */
function blamedAt({ judged }: PassResult): EvaluationKey | undefined {
  return judged.judgements.find(({ verdict }) => verdict === 'mismatch')?.firstDivergence?.key
}

/** Where something differs from what is claimed, whether that is called a mismatch or not. */
function firstDifference({ judged }: PassResult): EvaluationKey | undefined {
  return judged.judgements[0]?.evaluations.find(isDifference)?.key
}

function isDifference({ status, differences = [], differencesCut = 0 }: JudgedEvaluation): boolean {
  return status === 'mismatch' || differences.length + differencesCut > 0
}

/** What was computed where it differs from the claim; undefined where it does not. */
function computedAt({ judged }: PassResult, key: EvaluationKey): string | undefined {
  const name = keyText(key)
  const at = judged.judgements[0]?.evaluations.find((one) => keyText(one.key) === name && isDifference(one))
  return at === undefined ? undefined : JSON.stringify((at.differences ?? []).map(({ path, computed }) => [path, computed]))
}
