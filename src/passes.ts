/** Replays under a profile, and as many more as fairness asks for. */

import { type ChosenBlocks, chooseBlocks } from './block-choice.ts'
import { type Checkpoints, type ComparedCheckpoints, compareCheckpoints } from './checkpoints.ts'
import type { Gate, Judgement } from './compare/types.ts'
import { evaluate, evaluateOn, jobOf, unevaluated } from './evaluate.ts'
import type { Finding } from './findings.ts'
import { type Judged, judgeEvaluations } from './judging.ts'
import {
  type ChosenProfile,
  DEFAULT_PROFILE,
  profileByCheckpoint,
  profileByClaims,
  profileOfCheckpoint
} from './profile-choice.ts'
import { type Evaluation, memoryAfter } from './records.ts'
import type { DriveSource } from './replay/drive/source.ts'
import type { PlannedEvaluation } from './replay/plan/types.ts'
import { type ExecutionProfile, type KnownBlockSets, NAMED_PROFILES, sameStrings } from './replay/profile.ts'
import { replay } from './replay/replay.ts'
import type { Link } from './replay/segments.ts'
import type { AuditRunOptions } from './run-options.ts'
import { openSnapshots } from './snapshots.ts'
import { boundariesOf, createStartDoubts, type UsableCheckpoint } from './starts.ts'
import type { Subject, SubjectPlan } from './subject.ts'
import type { Checks } from './verification/checks.ts'

export interface Material {
  readonly options: AuditRunOptions
  readonly subject: Subject
  readonly plan: SubjectPlan['plan']
  readonly checks: Checks
  readonly checkpoints: Checkpoints
  /** The memory that the replay begins with, taken on trust. */
  readonly start?: UsableCheckpoint
  readonly drive: DriveSource
}

export interface Found {
  readonly judged: Judged
  readonly chosen: ChosenProfile
  readonly compared: ComparedCheckpoints
  readonly stateHashes: Readonly<Record<string, string>>
  /** Memories between the parts of the replay, and whether they were come to. */
  readonly links: readonly Link[]
  /** The nonce behind which the replay went on from what an earlier audit came to; null: it went through all. */
  readonly resumedAfter: number | null
  /** Other sets of blocks with which the same crons fire. */
  readonly otherBlocks: readonly KnownBlockSets[]
  /** About the profile, and about the auditor's own limits. */
  readonly findings: readonly Finding[]
}

/**
 * Replays and judges; where something differs, again: each unit by its own claims alone, for two honest units may have begun
 * their instances at different places; then under the other profiles. Nobody is blamed over a profile that does not fit.
 */
export async function passUntilFair(all: Material, chosen: ChosenProfile): Promise<Found> {
  const { options } = all
  const units = options.run.computes.map(({ url }) => url)
  const misfit = await misfitOf(all, chosen)
  const first = await pass(all, chosen, units, {
    closed: misfit?.detail ?? (options.search ? undefined : NOT_SEARCHED),
    snapshots: options.snapshots
  })
  if (misfit !== undefined) return { ...first, findings: [...first.findings, misfit] }
  if (!options.search || !differs(first.judged)) return first
  // What an earlier audit came to followed other claims.
  const whole = first.resumedAfter === null ? first : await pass(all, chosen, units)
  const single = units.length > 1 && differs(whole.judged) ? await passEach(all, chosen, whole) : whole
  for (const blocks of differs(single.judged) ? single.otherBlocks : []) {
    const second = await pass(all, { ...chosen, profile: { ...chosen.profile, blocks } }, units)
    if (!differs(second.judged)) return second
  }
  // A memory that was begun with has its environment in it: no other profile can fit.
  if (chosen.proven || all.start !== undefined || !differs(single.judged)) return single
  const tried = [...chosen.tried]
  for (const profile of NAMED_PROFILES.filter(({ name }) => !tried.includes(name))) {
    tried.push(profile.name)
    const other = { profile, source: 'every claim', tried, proven: false }
    const second = await pass(all, other, units)
    if (differs(second.judged)) continue
    if (options.profile === 'auto') return second
    const detail = `the profile ${chosen.profile.name} does not fit what is claimed, ${profile.name} does`
    const finding: Finding = { code: 'PROFILE_DOES_NOT_FIT', severity: 'warning', attribution: 'auditor', detail }
    const last = await pass(all, { ...chosen, tried }, units, { closed: detail })
    return { ...last, findings: [...last.findings, finding] }
  }
  return { ...single, chosen: { ...chosen, tried } }
}

/** A difference that another instance or profile might explain is nobody's fault. */
const NOT_SEARCHED = 'no other instance or profile was tried (--no-search)'

function differs({ judgements }: Judged): boolean {
  return judgements.some(({ verdict }) => verdict === 'mismatch')
}

/** Every unit that differs, judged over a replay that follows its claims alone. */
async function passEach(all: Material, chosen: ChosenProfile, joint: Found): Promise<Found> {
  const judgements: Judgement[] = []
  for (const judgement of joint.judged.judgements) {
    const alone = judgement.verdict === 'mismatch' ? await pass(all, chosen, [judgement.claimant]) : undefined
    judgements.push(alone?.judged.judgements[0] ?? judgement)
  }
  return { ...joint, judged: { ...joint.judged, judgements } }
}

/** A checkpoint of an audited unit, or the one begun with, that shows another environment than the profile's. */
async function misfitOf(all: Shown, { profile }: ChosenProfile): Promise<Finding | undefined> {
  const shown = await shownProfile(all)
  if (shown === undefined || sameStrings(shown.profile.environment, profile.environment)) return undefined
  const detail = `the profile ${profile.name} does not fit, ${shown.profile.name} does: ${shown.source} shows it`
  return { code: 'PROFILE_DOES_NOT_FIT', severity: 'warning', attribution: 'auditor', detail }
}

type Shown = Pick<Material, 'options' | 'checkpoints' | 'start'>

/** The profile that a memory shows: that of the start, else that of an audited unit's own checkpoint. */
async function shownProfile({ options, checkpoints, start }: Shown): Promise<ChosenProfile | undefined> {
  const isOwn = speaksForUnits(options)
  return start === undefined ? profileByCheckpoint(checkpoints, isOwn) : profileOfCheckpoint(start, isOwn(start.signer))
}

function speaksForUnits({ run, checkpointOwners }: AuditRunOptions): (signer: string) => boolean {
  const addresses = new Set([...checkpointOwners, ...run.computes.map(({ address }) => address)])
  return (signer) => addresses.has(signer)
}

interface PassOptions {
  /** Why nobody is blamed in this pass. */
  readonly closed?: string | undefined
  /** Whether it may go on from what an earlier audit came to, and keeps what it comes to itself. */
  readonly snapshots?: boolean
}

/** One replay, and the units judged over it. */
async function pass(
  all: Material,
  chosen: ChosenProfile,
  units: readonly string[],
  { closed, snapshots = false }: PassOptions = {}
): Promise<Found> {
  const { options, subject, plan, checks, checkpoints, start } = all
  const { inputs, run } = options
  const { profile } = chosen
  const seen = createStates(options, checkpoints)
  const blocks = await blocksOf(all, profile, units)
  options.onPass?.()
  const doubts =
    start === undefined ? undefined : createStartDoubts(start, units.length === 1 && speaksForUnits(options)(start.signer))
  const planned = () => (doubts === undefined ? plan(blocks.set) : doubts.watch(plan(blocks.set)))
  const kept =
    snapshots && start === undefined && subject.spoilt === undefined
      ? await openSnapshots({ ...options, subject, profile, to: run.to, plan: planned, wanted: seen.wanted })
      : undefined
  const links: Link[] = []
  const checked = checkpoints.all()
  const from = kept?.resumed?.nonce ?? start?.nonce ?? -1
  const boundaries = options.jobs > 1 ? await boundariesOf(checkpoints, profile, from, options.partMessages) : []
  const parts = { boundaries, ...options, onLink: (link: Link) => void links.push(link) }
  const job = jobOf({ ...all, plan: planned, profile, units, hashAfter: seen.wanted })
  const evaluations = () => {
    if (subject.spoilt !== undefined) return unevaluated(planned())
    return kept === undefined ? evaluate(job, parts) : evaluateOn(job, parts, kept)
  }
  try {
    const judged = await judgeEvaluations({
      inputs,
      run,
      units,
      evaluations: evaluations(),
      crons: hasCrons(subject),
      clock: options.clock,
      strictTagOrder: chosen.proven,
      gate(evaluation): Gate {
        const { key, assumed } = evaluation
        const verified = assumed === undefined ? {} : { verified: false }
        const gate = { ...checks.gate(key.ordinate), ...verified, blocksKnown: blocks.settled }
        const reason = doubts?.doubt(evaluation) ?? seen.assumed()?.reason ?? closed
        return gate.accusable && reason !== undefined ? { ...gate, accusable: false, reason } : gate
      },
      onEach: seen.take,
      ...(options.onEvaluation === undefined ? {} : { onEvaluation: options.onEvaluation })
    })
    const compared = compareCheckpoints({
      checkpoints: await checked,
      computed: seen.computed,
      profile,
      hostInputFrom: seen.hostInputFrom(),
      accusable(nonce, signer) {
        const proven = checks.gate(nonce).accusable && nonce < (seen.assumed()?.ordinate ?? Number.POSITIVE_INFINITY)
        return proven && (start === undefined || start.signer === signer)
      }
    })
    return {
      judged,
      chosen: hasCrons(subject) ? { ...chosen, profile: { ...profile, blocks: blocks.set } } : chosen,
      compared,
      links,
      resumedAfter: kept?.resumed?.nonce ?? null,
      otherBlocks: blocks.others,
      stateHashes: seen.stateHashes,
      findings: seen.findings
    }
  } finally {
    await kept?.close()
  }
}

function hasCrons({ process }: Subject): boolean {
  return process.tags.some(({ name }) => name === 'Cron-Interval')
}

async function blocksOf(
  { options, subject, plan, start }: Material,
  { blocks }: ExecutionProfile,
  units: readonly string[]
): Promise<ChosenBlocks> {
  if (!hasCrons(subject)) return { set: 'all', settled: true, others: [] }
  return chooseBlocks({ ...options, ...(start === undefined ? {} : { after: start.key }) }, plan, blocks, units)
}

/** The profile given, or the one that a checkpoint of an audited unit shows, or the one that the first claims fit. */
export async function chooseProfile({
  options,
  subject,
  plan,
  checkpoints,
  start,
  drive
}: Omit<Material, 'checks'>): Promise<ChosenProfile> {
  const { inputs, run, profile } = options
  const shown = await shownProfile({ options, checkpoints, ...(start === undefined ? {} : { start }) })
  if (profile !== 'auto') {
    const proven = shown !== undefined && sameStrings(shown.profile.environment, profile.environment)
    return { profile, source: 'as given', tried: [profile.name], proven }
  }
  if (shown !== undefined || subject.spoilt !== undefined) return shown ?? DEFAULT_PROFILE
  const replayed = (tried: ExecutionProfile) => {
    const planned = () => plan(tried.blocks ?? 'stepwise')
    const job = { options: { ...options, search: false }, subject, plan: planned, profile: tried, units: [], drive }
    return replay(jobOf({ ...job, ...(start === undefined ? {} : { start }) }))
  }
  return profileByClaims({ inputs, run, replayed })
}

/** From this ordinate on results hang on a WeaveDrive file that a unit may have seen otherwise. */
interface Assumed {
  readonly ordinate: number
  readonly reason: string
}

/** Which memories are hashed, and what they hash to. */
function createStates({ stateHashes: asked, run }: AuditRunOptions, { found }: Checkpoints) {
  const atCheckpoint = new Set(found.map(({ key }) => memoryAfter(key)))
  const computed = new Map<string, string>()
  const stateHashes: Record<string, string> = {}
  const findings: Finding[] = []
  let assumed: Assumed | undefined
  let hostInputFrom = Number.POSITIVE_INFINITY
  return {
    computed,
    stateHashes,
    findings,
    hostInputFrom: () => hostInputFrom,
    assumed: () => assumed,
    wanted: ({ key, nonce }: PlannedEvaluation): boolean =>
      atCheckpoint.has(memoryAfter(key)) || (nonce !== undefined && asked?.(nonce, run.to) === true),
    take({ key, nonce, outcome, stateHash, hostInputs, assumed: reason }: Evaluation): void {
      if (reason !== undefined) assumed ??= { ordinate: key.ordinate, reason }
      if (outcome.kind === 'inconclusive') {
        const about = { key, ...(nonce === undefined ? {} : { nonce }), detail: outcome.reason }
        if (outcome.limit === true)
          findings.push({ code: 'EVALUATION_LIMIT', severity: 'warning', attribution: 'process', ...about })
        if (outcome.inputMissing === true)
          findings.push({ code: 'INPUT_MISSING', severity: 'error', attribution: 'gateway', ...about })
      }
      if (hostInputs !== undefined || key.cron !== undefined) hostInputFrom = Math.min(hostInputFrom, key.ordinate)
      if (stateHash === undefined) return
      computed.set(memoryAfter(key), stateHash)
      if (nonce !== undefined && asked?.(nonce, run.to) === true) stateHashes[nonce] = stateHash
    }
  }
}
