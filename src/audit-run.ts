/** One audit over what is in the store: plan, replay, compare, report. It asks nobody. */
import { absenceFindings, hostInputFindings, scheduleFindings } from './audit-findings.ts'
import { agrees, compareResult } from './compare/result.ts'
import type { AuditError } from './errors.ts'
import type { Inputs, Run } from './inputs.ts'
import { type Judged, type JudgingOptions, judgeEvaluations } from './judging.ts'
import { type Claim, type Evaluation, keyText } from './records.ts'
import type { PlannedEvaluation } from './replay/plan/types.ts'
import type { ExecutionProfile } from './replay/profile.ts'
import { type ReplayJob, replay } from './replay/replay.ts'
import type { SandboxLimits } from './replay/sandbox/protocol.ts'
import { buildReport } from './report/build.ts'
import type { ProfileReport, Report, UnreachableUnit } from './report/model.ts'
import type { StateHashes } from './state-hashes.ts'
import type { Store } from './store/store.ts'
import { planSubject, readSubject, type Subject, type SubjectPlan } from './subject.ts'
import { toolVersions } from './version.ts'
import type { Checks } from './verification/checks.ts'
import { createVerifier } from './verification/verifier.ts'

export interface AuditRunOptions {
  readonly store: Store
  readonly inputs: Inputs
  readonly run: Run
  /** Units that stayed away while the inputs were read. */
  readonly absences: readonly AuditError[]
  readonly profile: ExecutionProfile
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
  const { inputs, run, store } = options
  const verifier = createVerifier()
  try {
    const subject = await readSubject(store, inputs, run)
    const { plan, checks } = planSubject(inputs, run, subject, verifier)
    const begun = options.clock()
    const judged = await judgeEvaluations({
      inputs,
      run,
      units: run.computes.map(({ url }) => url),
      evaluations: subject.spoilt === undefined ? replay(jobOf(options, subject, plan)) : unevaluated(plan()),
      crons: subject.process.tags.some(({ name }) => name === 'Cron-Interval'),
      strictTagOrder: false,
      gate: ({ key }) => checks.gate(key.ordinate),
      ...(options.onEvaluation === undefined ? {} : { onEvaluation: options.onEvaluation })
    })
    return await reportOf(options, subject, checks, judged, options.clock() - begun)
  } finally {
    await verifier.close()
  }
}

function jobOf(options: AuditRunOptions, { setup }: Subject, plan: SubjectPlan['plan']): ReplayJob {
  return {
    setup,
    profile: options.profile,
    plan,
    agrees: (planned, text) => agreesWithClaims(options, planned, text),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    hashAfter: (nonce) => options.stateHashes?.(nonce, options.run.to) ?? false,
    ...(options.signal === undefined ? {} : { signal: options.signal })
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

async function reportOf(
  options: AuditRunOptions,
  { process, module, setup, findings }: Subject,
  checks: Checks,
  judged: Judged,
  replayMs: number
): Promise<Report> {
  const { inputs, run, profile } = options
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
    inconclusive: options.absences.map(({ message }) => message),
    trusted: [],
    unreachable: unreachable(options.absences),
    notChecked: [],
    checkpoints: [],
    claimants: judged.judgements.map((judgement) => ({
      ...judgement,
      kind: 'compute-unit' as const,
      audited: true,
      ...addressOf(run, judgement.claimant)
    })),
    findings: [
      ...findings,
      ...checks.findings(),
      ...scheduleFindings(await inputs.anomalies(run), run),
      ...absenceFindings(options.absences),
      ...hostInputFindings(judged.profiled)
    ],
    profile: profileReport(profile, 'the default'),
    stateHashes: judged.stateHashes,
    tool: toolVersions(),
    timings: {
      fetchMs: options.fetchMs,
      verifyMs: 0,
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
async function agreesWithClaims(
  { inputs, run }: AuditRunOptions,
  { key }: PlannedEvaluation,
  text: string
): Promise<boolean | undefined> {
  const computed = JSON.parse(text) as Claim['value']
  const wanted = keyText(key)
  let agreed: boolean | undefined
  for (const { url } of run.computes) {
    for (const claim of await inputs.claimsAt(run, url, key.ordinate)) {
      if (keyText(claim.key) !== wanted) continue
      if (!agrees(compareResult(claim, computed, { maxDifferences: 1 }))) return false
      agreed = true
    }
  }
  return agreed
}

function addressOf(run: Run, unit: string): { readonly address?: string } {
  const address = run.computes.find(({ url }) => url === unit)?.address
  return address === undefined ? {} : { address }
}

function profileReport(profile: ExecutionProfile, source: string): ProfileReport {
  const { name, environment, clock, instances, loader } = profile
  return { name, environment, clock: { start: clock.start ?? 0, step: clock.step }, instances, loader, source, tried: [name] }
}
