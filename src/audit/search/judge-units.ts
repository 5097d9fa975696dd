/** Judges every audited unit by its own claims: a joint replay first, then a search for each unit that differs. */

import type { SearchResult, Since } from '../../attribution/rules.ts'
import type { Judgement } from '../../compare/comparison.ts'
import type { Finding } from '../../model/findings.ts'
import { type Claim, type EvaluationKey, keyText } from '../../model/records.ts'
import { type ExecutionProfile, sameStrings } from '../../replay/profile.ts'
import { defined } from '../../util/defined.ts'
import type { CheckedCheckpoint } from '../../verify/checkpoint.ts'
import { bestOf, type JudgedCheckpoint } from '../checkpoints/judge-checkpoints.ts'
import type { AuditContext } from '../context.ts'
import { beginPass, NOT_SEARCHED_YET, type PassOptions, type PassResult, pass } from '../pass.ts'
import { hasCrons } from '../subject.ts'
import { searchBlocks } from './blocks.ts'
import { candidateEnvironments, shownEnvironments } from './environments.ts'
import { type Explained, type ExplainOptions, searchExplanations } from './explain.ts'
import { assumptionsOf, type Hypothesis, inWords, plainly } from './hypothesis.ts'
import { ownCheckpoints } from './own-checkpoints.ts'
import { chooseProfile, type KnownProfile, type ProfileChoice, speaksForUnits } from './profile-choice.ts'
import { isBefore, trial, withVoice } from './trial.ts'

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

/** The limit of replays in the search for one unit's explanation. */
const TRIALS_MAX = 400
/** Limits of replays for each of a unit's checkpoints, and in all. They are lower, because a memory alone blames nobody. */
const MEMORY_TRIALS_MAX = 40
const MEMORIES_TRIALS_MAX = 160
/** How many of the environments in a checkpoint's memory are tried for the checkpoint alone. */
const ALONE_ENVIRONMENTS = 2

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
  return finished(context, known, claimant, explained)
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
  if (open || (proven !== undefined && disordered && search)) return searched(context, known, joint, unit)
  const { hypothesis } = joint
  return {
    claimant: unit,
    judgement,
    found: joint,
    profile: {
      hypothesis,
      source: proven ?? sourceOf(known, joint, unit),
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

function boundariesIn(tolerances: Judgement['tolerances']): number {
  return tolerances.find(({ kind }) => kind === 'instance-boundary')?.count ?? 0
}

async function searched(context: AuditContext, known: KnownProfile, joint: PassResult, unit: string): Promise<JudgedUnit> {
  const base = await optionsFor(context, joint, unit)
  const ofBlocks = await byBlocks(context, base.begun, unit)
  const options = { ...base, begun: ofBlocks.hypothesis }
  const { contradicts } = judgementOf(joint, unit)
  // No past of one machine explains both of two answers.
  if (contradicts !== null)
    return inVoices(context, known, unit, options, { ofBlocks, firstCron: joint.blocks.firstCron, contradicts })
  const tried = (await asPattern(context, joint, unit)) ?? (await searchExplanations(context, { ...options, target: { unit } }))
  const explained = await againByBlocks(context, unit, ofBlocks, tried)
  const misfit = misfitOf(context, known, explained)
  if (misfit !== undefined) {
    const tried = { ...explained, hypothesis: joint.hypothesis }
    return finished(context, known, unit, tried, { misfit: misfit.detail, findings: [misfit] })
  }
  if (explained.differsAt === undefined) return withMemories(context, known, unit, options, explained)
  return finished(context, known, unit, explained)
}

/** The past that explains most, with the blocks that the unit may have known; unchanged if there are no crons. */
async function byBlocks(context: AuditContext, hypothesis: Hypothesis, unit: string): Promise<ByBlocks> {
  if (!hasCrons(context.subject)) return { hypothesis, search: { kind: 'complete' }, tried: 0 }
  const free = { ...hypothesis, profile: freeOfBlocks(hypothesis.profile, context.options.profile) }
  const alone = await pass(context, free, [unit], { search: { kind: 'complete' } })
  const { found, search, tried } = await searchBlocks(context, alone)
  return { hypothesis: found.hypothesis, search, tried: tried + 1 }
}

interface ByBlocks extends Pick<Explained, 'hypothesis' | 'search' | 'tried'> {}

/** Drops the blocks that a joint replay chose, because they are not this unit's; blocks from the user stay. */
function freeOfBlocks({ blocks, ...profile }: ExecutionProfile, given: ExecutionProfile | 'auto'): ExecutionProfile {
  return given !== 'auto' && given.blocks !== undefined && blocks !== undefined ? { ...profile, blocks } : profile
}

/** After another past was found, other blocks may explain the rest. */
async function againByBlocks(context: AuditContext, unit: string, before: ByBlocks, explained: Explained): Promise<Explained> {
  if (explained.differsAt === undefined || !hasCrons(context.subject)) return explained
  if (inWords(explained.hypothesis) === inWords(before.hypothesis)) {
    return explained.search.kind === 'open' ? explained : { ...explained, search: before.search }
  }
  const again = await byBlocks(context, explained.hypothesis, unit)
  const found = await trial(context, { unit }, again.hypothesis, { strict: false })
  const tried = explained.tried + again.tried + 1
  if (found.differsAt === undefined)
    return { ...explained, ...again, differsAt: undefined, search: { kind: 'complete' }, tried }
  return { ...explained, tried, search: explained.search.kind === 'open' ? explained.search : again.search }
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

/**
 * Several machines may answer at one URL: each of its two voices is explained by itself. If both are, nobody is blamed; if one has no
 * honest explanation, that one is judged.
 */
async function inVoices(
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
    return finished(context, known, unit, { ...of, hypothesis: options.begun }, { misfit: misfit.detail, findings: [misfit] })
  }
  const unexplained = voices.filter(({ of }) => of.differsAt !== undefined)
  const judged = unexplained.find(({ of }) => of.search.kind === 'complete') ?? unexplained[0]
  if (judged === undefined) return finished(context, known, unit, voices[0].of, { severalVoices: contradicts })
  const [first, second] = voices.map(({ of }) => inWords(of.hypothesis))
  return finished(context, known, unit, judged.of, first === second ? {} : { voice: judged.voice })
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

/** After the claims are explained, its own checkpoints must be reached too, under the same past or under their own. */
async function withMemories(
  context: AuditContext,
  known: KnownProfile,
  unit: string,
  options: Omit<ExplainOptions, 'target'>,
  explained: Explained
): Promise<JudgedUnit> {
  let present = explained
  let judged = await finished(context, known, unit, present)
  const elsewhere = new Set<string>()
  let trialsLeft = MEMORIES_TRIALS_MAX
  const bounded = () => ({ trialsMax: Math.min(trialsLeft, MEMORY_TRIALS_MAX) })
  for (const checkpoint of ownCheckpoints(context, judged.found, await context.checkpoints.all(), unit).unreached) {
    const isReached = ({ found }: JudgedUnit) =>
      found.compared.judged.some(({ report }) => report.id === checkpoint.id && report.status === 'match')
    if (checkpoint.standing !== 'verified' || isReached(judged)) continue
    if (trialsLeft <= 0) break
    const memory = { key: checkpoint.key, sha256: checkpoint.sha256 }
    const together = await searchExplanations(context, {
      ...options,
      ...bounded(),
      begun: present.hypothesis,
      target: { unit, memory }
    })
    trialsLeft -= together.tried
    if (together.differsAt === undefined) {
      present = { ...together, tried: together.tried + present.tried }
      judged = await finished(context, known, unit, present)
      continue
    }
    // It may come from another time, at which the unit ran differently: then its claims say nothing about it.
    for (const profile of shownEnvironments(checkpoint.environments ?? []).slice(0, ALONE_ENVIRONMENTS)) {
      const target = { unit, voice: 'checkpoint', memory } as const
      const alone = await searchExplanations(context, {
        ...options,
        ...bounded(),
        environments: [],
        begun: plainly(profile),
        target
      })
      trialsLeft -= alone.tried
      if (alone.differsAt === undefined) elsewhere.add(checkpoint.id)
      if (elsewhere.has(checkpoint.id)) break
    }
  }
  return { ...judged, reachedElsewhere: elsewhere }
}

interface HowFinished {
  readonly misfit?: string
  readonly severalVoices?: Since
  readonly voice?: Claim['kind']
  readonly findings?: readonly Finding[]
}

/** Judges the unit once more, under the result of the search. */
async function finished(
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
  const source = proven ?? (assumed.length > 0 ? 'every claim; assumed, not proven' : sourceOf(known, found, unit))
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

/** The profile from the user is not replaced: the fitting profile is named, and nobody is blamed. */
function misfitOf({ options }: AuditContext, known: KnownProfile, { hypothesis }: Explained): Finding | undefined {
  if (options.profile === 'auto' || sameStrings(hypothesis.profile.environment, known.profile.environment)) return undefined
  const detail = `the profile ${known.profile.name} does not fit the claims, ${hypothesis.profile.name} does`
  return misfitFinding(detail)
}

function misfitFinding(detail: string): Finding {
  return { code: 'PROFILE_DOES_NOT_FIT', severity: 'warning', attribution: 'auditor', detail }
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

function sourceOf({ source }: KnownProfile, { firstClaims }: PassResult, unit: string): string {
  if (source !== 'the default') return source
  const { agreeing, judged } = firstClaims.get(unit) ?? { agreeing: 0, judged: 0 }
  return judged === 0 ? 'the default: no claim distinguishes profiles' : `the first claims: ${agreeing} of ${judged} agree`
}

function judgementOf({ judged }: PassResult, unit: string): Judgement {
  const judgement = judged.judgements.find(({ claimant }) => claimant === unit)
  if (judgement === undefined) throw new Error(`the unit ${unit} was not judged`)
  return judgement
}
