/** Replays under a profile, and as many more as fairness asks for. */

import { chooseBlocks } from './block-choice.ts'
import { type ComparedCheckpoints, compareCheckpoints, memoryAfter } from './checkpoints.ts'
import { agrees, compareResult } from './compare/result.ts'
import type { Judgement } from './compare/types.ts'
import type { Finding } from './findings.ts'
import type { Inputs, Run } from './inputs.ts'
import { type Judged, judgeEvaluations } from './judging.ts'
import {
  type ChosenProfile,
  claimsOf,
  DEFAULT_PROFILE,
  profileByCheckpoint,
  profileByClaims,
  sameStrings
} from './profile-choice.ts'
import type { Evaluation, EvaluationKey, EvaluationResult } from './records.ts'
import type { ReplayJob } from './replay/job.ts'
import type { PlannedEvaluation } from './replay/plan/types.ts'
import { type ExecutionProfile, NAMED_PROFILES } from './replay/profile.ts'
import { replay } from './replay/replay.ts'
import type { AuditRunOptions } from './run-options.ts'
import type { Subject, SubjectPlan } from './subject.ts'
import type { CheckedCheckpoint } from './verification/checkpoint.ts'
import type { Checks } from './verification/checks.ts'

export interface Material {
  readonly options: AuditRunOptions
  readonly subject: Subject
  readonly plan: SubjectPlan['plan']
  readonly checks: Checks
  readonly checkpoints: readonly CheckedCheckpoint[]
}

export interface Found {
  readonly judged: Judged
  readonly chosen: ChosenProfile
  readonly compared: ComparedCheckpoints
  readonly stateHashes: Readonly<Record<string, string>>
  /** About the profile, and about the auditor's own limits. */
  readonly findings: readonly Finding[]
}

/**
 * Replays and judges; where something differs, again: each unit by its own claims alone, for two honest units may have begun
 * their instances at different places; then under the other profiles. Nobody is blamed over a profile that does not fit.
 */
export async function passUntilFair(all: Material, chosen: ChosenProfile): Promise<Found> {
  const { options, checkpoints } = all
  const units = options.run.computes.map(({ url }) => url)
  const misfit = misfitOf(options, checkpoints, chosen)
  const first = await pass(all, chosen, units, misfit?.detail ?? (options.search ? undefined : NOT_SEARCHED))
  if (misfit !== undefined) return { ...first, findings: [...first.findings, misfit] }
  if (!options.search || !differs(first.judged)) return first
  const single = units.length > 1 ? await passEach(all, chosen, first) : first
  if (chosen.proven || !differs(single.judged)) return single
  const tried = [...chosen.tried]
  for (const profile of NAMED_PROFILES.filter(({ name }) => !tried.includes(name))) {
    tried.push(profile.name)
    const other = { profile, source: 'every claim', tried, proven: false }
    const second = await pass(all, other, units)
    if (differs(second.judged)) continue
    if (options.profile === 'auto') return second
    const detail = `the profile ${chosen.profile.name} does not fit what is claimed, ${profile.name} does`
    const finding: Finding = { code: 'PROFILE_DOES_NOT_FIT', severity: 'warning', attribution: 'auditor', detail }
    const last = await pass(all, { ...chosen, tried }, units, detail)
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

/** A checkpoint of an audited unit that shows another environment than the profile's. */
function misfitOf(
  options: AuditRunOptions,
  checkpoints: readonly CheckedCheckpoint[],
  { profile }: ChosenProfile
): Finding | undefined {
  const shown = profileByCheckpoint(checkpoints, speaksForUnits(options))
  if (shown === undefined || sameStrings(shown.profile.environment, profile.environment)) return undefined
  const detail = `the profile ${profile.name} does not fit, ${shown.profile.name} does: ${shown.source} shows it`
  return { code: 'PROFILE_DOES_NOT_FIT', severity: 'warning', attribution: 'auditor', detail }
}

function speaksForUnits({ run, checkpointOwners }: AuditRunOptions): (signer: string) => boolean {
  const addresses = new Set([...checkpointOwners, ...run.computes.map(({ address }) => address)])
  return (signer) => addresses.has(signer)
}

/** One replay, and the units judged over it. */
async function pass(all: Material, chosen: ChosenProfile, units: readonly string[], closed?: string): Promise<Found> {
  const { options, subject, plan, checks, checkpoints } = all
  const { inputs, run } = options
  const seen = createStates(options, checkpoints)
  const crons = subject.process.tags.some(({ name }) => name === 'Cron-Interval')
  const blocks = crons
    ? await chooseBlocks(options, plan, chosen.profile.blocks, units)
    : { set: 'all' as const, settled: true }
  options.onPass?.()
  const planned = () => plan(blocks.set)
  const job = jobOf(options, subject, planned, chosen.profile, units, seen.wanted)
  const judged = await judgeEvaluations({
    inputs,
    run,
    units,
    evaluations: subject.spoilt === undefined ? replay(job) : unevaluated(planned()),
    crons,
    strictTagOrder: chosen.proven,
    gate({ key }) {
      const gate = { ...checks.gate(key.ordinate), blocksKnown: blocks.settled }
      return gate.accusable && closed !== undefined ? { ...gate, accusable: false, reason: closed } : gate
    },
    onEach: seen.take,
    ...(options.onEvaluation === undefined ? {} : { onEvaluation: options.onEvaluation })
  })
  const compared = compareCheckpoints({
    checkpoints,
    computed: seen.computed,
    profile: chosen.profile,
    hostInputFrom: seen.hostInputFrom(),
    accusable: (nonce) => checks.gate(nonce).accusable
  })
  const used = crons ? { ...chosen, profile: { ...chosen.profile, blocks: blocks.set } } : chosen
  return { judged, chosen: used, compared, stateHashes: seen.stateHashes, findings: seen.limitFindings }
}

function jobOf(
  options: AuditRunOptions,
  { setup }: Subject,
  plan: () => AsyncIterable<PlannedEvaluation>,
  profile: ExecutionProfile,
  units: readonly string[],
  hashAfter?: ReplayJob['hashAfter']
): ReplayJob {
  const { inputs, run, limits, signal } = options
  return {
    setup,
    profile,
    plan,
    ...(hashAfter === undefined ? {} : { hashAfter }),
    ...(options.search ? { agrees: ({ key }, text) => agreesWithClaims(inputs, run, units, key, text) } : {}),
    ...(limits === undefined ? {} : { limits }),
    ...(signal === undefined ? {} : { signal })
  }
}

/** The profile given, or the one that a checkpoint of an audited unit shows, or the one that the first claims fit. */
export async function chooseProfile(
  options: AuditRunOptions,
  subject: Subject,
  plan: SubjectPlan['plan'],
  checkpoints: readonly CheckedCheckpoint[]
): Promise<ChosenProfile> {
  const { inputs, run, profile } = options
  const shown = profileByCheckpoint(checkpoints, speaksForUnits(options))
  if (profile !== 'auto') {
    const proven = shown !== undefined && sameStrings(shown.profile.environment, profile.environment)
    return { profile, source: 'as given', tried: [profile.name], proven }
  }
  if (shown !== undefined || subject.spoilt !== undefined) return shown ?? DEFAULT_PROFILE
  const replayed = (tried: ExecutionProfile) =>
    replay(jobOf({ ...options, search: false }, subject, () => plan(tried.blocks ?? 'stepwise'), tried, []))
  return profileByClaims({ inputs, run, replayed })
}

/** Which memories are hashed, and what they hash to. */
function createStates({ stateHashes: asked, run }: AuditRunOptions, checkpoints: readonly CheckedCheckpoint[]) {
  const atCheckpoint = new Set(checkpoints.map(({ key }) => memoryAfter(key)))
  const computed = new Map<string, string>()
  const stateHashes: Record<string, string> = {}
  const limitFindings: Finding[] = []
  let hostInputFrom = Number.POSITIVE_INFINITY
  return {
    computed,
    stateHashes,
    limitFindings,
    hostInputFrom: () => hostInputFrom,
    wanted: ({ key, nonce }: PlannedEvaluation): boolean =>
      atCheckpoint.has(memoryAfter(key)) || (nonce !== undefined && asked?.(nonce, run.to) === true),
    take({ key, nonce, outcome, stateHash, hostInputs }: Evaluation): void {
      if (outcome.kind === 'inconclusive' && outcome.limit === true) {
        const about = { key, ...(nonce === undefined ? {} : { nonce }), detail: outcome.reason }
        limitFindings.push({ code: 'EVALUATION_LIMIT', severity: 'warning', attribution: 'process', ...about })
      }
      if (hostInputs !== undefined || key.cron !== undefined) hostInputFrom = Math.min(hostInputFrom, key.ordinate)
      if (stateHash === undefined) return
      computed.set(memoryAfter(key), stateHash)
      if (nonce !== undefined && asked?.(nonce, run.to) === true) stateHashes[nonce] = stateHash
    }
  }
}

/** A plan of which nothing can be run. */
async function* unevaluated(plan: AsyncIterable<PlannedEvaluation>): AsyncGenerator<Evaluation> {
  for await (const { key, nonce, messageId, work } of plan) {
    const reason = work.kind === 'missing' || work.kind === 'stop' ? work.reason : 'it was not evaluated'
    const named = { ...(nonce === undefined ? {} : { nonce }), ...(messageId === undefined ? {} : { messageId }) }
    yield { key, ...named, outcome: { kind: 'inconclusive', reason } }
  }
}

/** Whether every unit that claims something of an evaluation agrees; undefined where none does. */
async function agreesWithClaims(
  inputs: Inputs,
  run: Run,
  units: readonly string[],
  key: EvaluationKey,
  text: string
): Promise<boolean | undefined> {
  const claims = await claimsOf(inputs, run, units, key)
  if (claims.length === 0) return undefined
  const computed = JSON.parse(text) as EvaluationResult
  return claims.every((claim) => agrees(compareResult(claim, computed, { maxDifferences: 1 })))
}
