/** One audit over what is in the store: plan, replay, compare, report. It asks nobody. */
import { absenceFindings, hostInputFindings, scheduleFindings } from './audit-findings.ts'
import { type ComparedCheckpoints, compareCheckpoints, memoryAfter, readCheckpoints } from './checkpoints.ts'
import { agrees, compareResult } from './compare/result.ts'
import type { AuditError } from './errors.ts'
import type { Inputs, Run } from './inputs.ts'
import { type Judged, type JudgingOptions, judgeEvaluations } from './judging.ts'
import { type ChosenProfile, claimsOf, DEFAULT_PROFILE, profileByCheckpoint, profileByClaims } from './profile-choice.ts'
import type { Evaluation, EvaluationKey, EvaluationResult } from './records.ts'
import { moduleFormat } from './replay/formats.ts'
import type { PlannedEvaluation } from './replay/plan/types.ts'
import { clockStart, type ExecutionProfile } from './replay/profile.ts'
import { type ReplayJob, replay } from './replay/replay.ts'
import type { SandboxLimits } from './replay/sandbox/protocol.ts'
import { buildReport } from './report/build.ts'
import type { ProfileReport, Report, UnreachableUnit } from './report/model.ts'
import type { StateHashes } from './state-hashes.ts'
import type { Store } from './store/store.ts'
import { planSubject, readSubject, type Subject, type SubjectPlan } from './subject.ts'
import { toolVersions } from './version.ts'
import type { CheckedCheckpoint } from './verification/checkpoint.ts'
import type { Checks } from './verification/checks.ts'
import { createVerifier } from './verification/verifier.ts'

export interface AuditRunOptions {
  readonly store: Store
  readonly inputs: Inputs
  readonly run: Run
  /** Units that stayed away while the inputs were read. */
  readonly absences: readonly AuditError[]
  readonly profile: ExecutionProfile | 'auto'
  /** Whether other instances are tried where a result differs. */
  readonly search: boolean
  /** Addresses whose checkpoints speak for the audited units, besides those that the units name. */
  readonly checkpointOwners: readonly string[]
  readonly stateHashes?: StateHashes
  readonly limits?: Partial<SandboxLimits>
  /** How long the inputs took to read, ms. */
  readonly fetchMs: number
  /** A steady clock, ms. */
  readonly clock: () => number
  readonly onEvaluation?: JudgingOptions['onEvaluation']
  readonly signal?: AbortSignal
}

/**
 * Audits one run.
 *
 * @throws AuditError `INPUT_MISSING` where process or module are not in the store, `MODULE_UNSUPPORTED`, `SANDBOX_FAILED`,
 *   `INTERRUPTED`
 */
export async function auditRun(options: AuditRunOptions): Promise<Report> {
  const { inputs, run, store, clock } = options
  const verifier = createVerifier()
  try {
    const begun = clock()
    const subject = await readSubject(store, inputs, run)
    const checkpoints = await readCheckpoints(store, inputs, run, verifier)
    const { plan, checks } = planSubject(inputs, run, subject, verifier)
    const chosen = await chooseProfile(options, subject, plan, checkpoints)
    const verifyMs = clock() - begun
    const seen = createStates(options, checkpoints)
    const replayed = subject.spoilt === undefined ? replay(jobOf(options, subject, plan, chosen.profile, seen.wanted)) : unevaluated(plan())
    const judged = await judgeEvaluations({
      inputs,
      run,
      units: run.computes.map(({ url }) => url),
      evaluations: replayed,
      crons: subject.process.tags.some(({ name }) => name === 'Cron-Interval'),
      strictTagOrder: chosen.proven,
      gate: ({ key }) => checks.gate(key.ordinate),
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
    const replayMs = clock() - begun - verifyMs
    return await reportOf(options, { subject, checks, judged, chosen, compared, stateHashes: seen.stateHashes, verifyMs, replayMs })
  } finally {
    await verifier.close()
  }
}

function jobOf(
  options: AuditRunOptions,
  { setup }: Subject,
  plan: SubjectPlan['plan'],
  profile: ExecutionProfile,
  hashAfter?: ReplayJob['hashAfter']
): ReplayJob {
  const { inputs, run, limits, signal } = options
  return {
    setup,
    profile,
    plan,
    ...(hashAfter === undefined ? {} : { hashAfter }),
    ...(options.search ? { agrees: ({ key }, text) => agreesWithClaims(inputs, run, key, text) } : {}),
    ...(limits === undefined ? {} : { limits }),
    ...(signal === undefined ? {} : { signal })
  }
}

/** The profile given, or the one that a checkpoint of an audited unit shows, or the one that the first claims fit. */
async function chooseProfile(
  options: AuditRunOptions,
  subject: Subject,
  plan: SubjectPlan['plan'],
  checkpoints: readonly CheckedCheckpoint[]
): Promise<ChosenProfile> {
  const { inputs, run, profile, checkpointOwners } = options
  if (profile !== 'auto') return { profile, source: 'as given', tried: [profile.name], proven: false }
  const addresses = new Set([...checkpointOwners, ...run.computes.map(({ address }) => address)])
  const shown = profileByCheckpoint(checkpoints, (signer) => addresses.has(signer))
  if (shown !== undefined || subject.spoilt !== undefined) return shown ?? DEFAULT_PROFILE
  const replayed = (tried: ExecutionProfile) => replay(jobOf({ ...options, search: false }, subject, plan, tried))
  return profileByClaims({ inputs, run, replayed })
}

/** Which memories are hashed, and what they hash to. */
function createStates({ stateHashes: asked, run }: AuditRunOptions, checkpoints: readonly CheckedCheckpoint[]) {
  const atCheckpoint = new Set(checkpoints.map(({ key }) => memoryAfter(key)))
  const computed = new Map<string, string>()
  const stateHashes: Record<string, string> = {}
  let hostInputFrom = Number.POSITIVE_INFINITY
  return {
    computed,
    stateHashes,
    hostInputFrom: () => hostInputFrom,
    wanted: ({ key, nonce }: PlannedEvaluation): boolean =>
      atCheckpoint.has(memoryAfter(key)) || (nonce !== undefined && asked?.(nonce, run.to) === true),
    take({ key, nonce, stateHash, hostInputs }: Evaluation): void {
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

interface Outcomes {
  readonly subject: Subject
  readonly checks: Checks
  readonly judged: Judged
  readonly chosen: ChosenProfile
  readonly compared: ComparedCheckpoints
  readonly stateHashes: Readonly<Record<string, string>>
  readonly verifyMs: number
  readonly replayMs: number
}

async function reportOf(options: AuditRunOptions, outcomes: Outcomes): Promise<Report> {
  const { inputs, run, absences } = options
  const { subject, checks, judged, chosen, compared, verifyMs, replayMs } = outcomes
  const { process, module, setup } = subject
  const { counts } = judged
  return buildReport({
    process: {
      id: process.id,
      owner: process.owner.address,
      scheduler: process.scheduler,
      module: { id: module.id, sha256: module.data?.sha256 ?? '', format: setup.format }
    },
    range: { from: run.from, to: run.to },
    coverage: { ...counts, compared: 0, unclaimed: 0 },
    inconclusive: absences.map(({ message }) => message),
    trusted: [],
    unreachable: unreachable(absences),
    notChecked: [],
    checkpoints: compared.reports,
    claimants: [
      ...judged.judgements.map((judgement) => ({
        ...judgement,
        kind: 'compute-unit' as const,
        audited: true,
        ...addressOf(run, judgement.claimant)
      })),
      ...compared.signers
    ],
    findings: [
      ...subject.findings,
      ...checks.findings(),
      ...scheduleFindings(await inputs.anomalies(run), run),
      ...absenceFindings(absences),
      ...hostInputFindings(judged.profiled),
      ...compared.findings
    ],
    profile: profileReport(chosen, setup.format),
    stateHashes: outcomes.stateHashes,
    tool: toolVersions(),
    timings: {
      fetchMs: options.fetchMs,
      verifyMs,
      replayMs,
      compareMs: 0,
      messagesPerSecond: replayMs > 0 ? (counts.evaluated * 1000) / replayMs : 0
    }
  })
}

/** A report on an audit that could not begin. */
export function inconclusiveReport(absences: readonly AuditError[], fetchMs: number): Report {
  return buildReport({
    process: null,
    range: null,
    coverage: { scheduled: 0, cron: 0, evaluated: 0, compared: 0, skipped: 0, unclaimed: 0, unverified: 0 },
    inconclusive: absences.map(({ message }) => message),
    trusted: [],
    unreachable: unreachable(absences),
    notChecked: [],
    checkpoints: [],
    claimants: [],
    findings: absenceFindings(absences),
    profile: null,
    stateHashes: {},
    tool: toolVersions(),
    timings: { fetchMs, verifyMs: 0, replayMs: 0, compareMs: 0, messagesPerSecond: 0 }
  })
}

function unreachable(absences: readonly AuditError[]): UnreachableUnit[] {
  return absences.flatMap(({ unit, message }) => (unit === undefined ? [] : { unit: unit.role, url: unit.url, detail: message }))
}

/** Whether every unit that claims something of an evaluation agrees; undefined where none does. */
async function agreesWithClaims(inputs: Inputs, run: Run, key: EvaluationKey, text: string): Promise<boolean | undefined> {
  const claims = await claimsOf(inputs, run, key)
  if (claims.length === 0) return undefined
  const computed = JSON.parse(text) as EvaluationResult
  return claims.every((claim) => agrees(compareResult(claim, computed, { maxDifferences: 1 })))
}

function addressOf(run: Run, unit: string): { readonly address?: string } {
  const address = run.computes.find(({ url }) => url === unit)?.address
  return address === undefined ? {} : { address }
}

function profileReport({ profile, source, tried }: ChosenProfile, format: string): ProfileReport {
  const { name, environment, clock, instances, loader } = profile
  const start = clockStart(moduleFormat(format), profile)
  return { name, environment, clock: { start, step: clock.step }, instances, loader, source, tried }
}
