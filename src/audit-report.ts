/** The report of an audit, out of what was found. */
import { absenceFindings, blockFindings, gatewayFindings, hostInputFindings, trustFindings } from './audit-findings.ts'
import type { AuditError } from './errors.ts'
import type { Finding } from './findings.ts'
import type { Run } from './inputs.ts'
import type { MemoryDifferences } from './memory-differences.ts'
import type { Found } from './passes.ts'
import type { ChosenProfile } from './profile-choice.ts'
import { moduleFormat } from './replay/formats.ts'
import { clockStart } from './replay/profile.ts'
import { buildReport } from './report/build.ts'
import type { CheckpointReport, ProfileReport, Report, UnreachableUnit } from './report/model.ts'
import type { AuditRunOptions } from './run-options.ts'
import { readScheduleFindings } from './schedule-findings.ts'
import type { UsableCheckpoint } from './starts.ts'
import type { Subject } from './subject.ts'
import type { Checks } from './verification/checks.ts'
import type { Trust } from './verification/trust.ts'
import { toolVersions } from './version.ts'

export interface Outcomes extends Found {
  readonly subject: Subject
  readonly checks: Checks
  readonly start?: UsableCheckpoint
  readonly memories: MemoryDifferences
  readonly trust: Trust
  readonly verifyMs: number
  readonly replayMs: number
}

export async function reportOf(options: AuditRunOptions, outcomes: Outcomes): Promise<Report> {
  const { inputs, run } = options
  const { absences, fetchMs } = await options.fetched()
  const { subject, checks, judged, chosen, compared, links, start, memories, trust, verifyMs, replayMs } = outcomes
  const { process, module, setup } = subject
  const { counts } = judged
  const lowered = trustFindings(trust)
  return buildReport({
    process: {
      id: process.id,
      owner: process.owner.address,
      scheduler: process.scheduler,
      module: { id: module.id, sha256: module.data?.sha256 ?? '', format: setup.format }
    },
    range: { from: run.from, to: run.to },
    start: start === undefined ? null : { checkpoint: start.id, nonce: start.nonce, signer: start.signer },
    coverage: { ...counts, compared: 0, unclaimed: 0 },
    inconclusive: absences.map(({ message }) => message),
    trusted: [...(start === undefined ? [] : [trustedStart(start)]), ...lowered.map(({ detail }) => detail)],
    unreachable: unreachable(absences),
    notChecked: [
      ...(start === undefined ? [] : [`nonces 0 to ${start.nonce}: the replay began behind them`]),
      ...(memories.cut === 0 ? [] : [`where the memories of ${memories.cut} further checkpoints differ`])
    ],
    checkpoints: compared.reports.map((checkpoint) => withMemory(checkpoint, memories)),
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
      ...(await readScheduleFindings(inputs, run)),
      ...gatewayFindings(await inputs.gatewayAnomalies(run.process)),
      ...blockFindings(await inputs.blockDifferences(run.process)),
      ...absenceFindings(absences),
      ...hostInputFindings(judged.profiled),
      ...outcomes.findings,
      ...(start === undefined ? [] : [startFinding(start)]),
      ...lowered,
      ...compared.findings
    ],
    profile: { ...profileReport(chosen, setup.format), instancesTried: outcomes.instancesTried },
    stateHashes: outcomes.stateHashes,
    tool: toolVersions(),
    timings: {
      fetchMs,
      verifyMs,
      replayMs,
      moduleMs: outcomes.moduleMs,
      compareMs: judged.compareMs,
      messagesPerSecond: replayMs > 0 ? (counts.evaluated * 1000) / replayMs : 0,
      resumedAfter: outcomes.resumedAfter,
      jobs: options.jobs,
      partsAhead: { begun: links.length, proven: links.filter(({ proven }) => proven).length }
    }
  })
}

/** A report on an audit that could not begin. */
export function inconclusiveReport(absences: readonly AuditError[], fetchMs: number): Report {
  return buildReport({
    process: null,
    range: null,
    start: null,
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
    timings: {
      fetchMs,
      verifyMs: 0,
      replayMs: 0,
      moduleMs: 0,
      compareMs: 0,
      messagesPerSecond: 0,
      resumedAfter: null,
      jobs: 0,
      partsAhead: { begun: 0, proven: 0 }
    }
  })
}

function withMemory(checkpoint: CheckpointReport, { found }: MemoryDifferences): CheckpointReport {
  const memory = found.get(checkpoint.id)
  return memory === undefined ? checkpoint : { ...checkpoint, memory }
}

function trustedStart({ id, nonce, signer }: UsableCheckpoint): string {
  return `the memory after nonce ${nonce} is that of checkpoint ${id}, signed by ${signer}`
}

function startFinding(start: UsableCheckpoint): Finding {
  const detail = `${trustedStart(start)}; nothing before it was computed`
  return { code: 'TRUST_LOWERED', severity: 'warning', attribution: 'auditor', nonce: start.nonce, detail }
}

function unreachable(absences: readonly AuditError[]): UnreachableUnit[] {
  return absences.flatMap(({ unit, message }) =>
    unit === undefined ? [] : { unit: unit.role, url: unit.url, detail: message }
  )
}

function addressOf(run: Run, unit: string): { readonly address?: string } {
  const address = run.computes.find(({ url }) => url === unit)?.address
  return address === undefined ? {} : { address }
}

function profileReport({ profile, source, tried }: ChosenProfile, format: string): Omit<ProfileReport, 'instancesTried'> {
  const { name, environment, clock, instances, blocks, timeZone, loader } = profile
  const start = clockStart(moduleFormat(format), profile)
  return {
    name,
    environment,
    clock: { start, step: clock.step },
    instances,
    ...(blocks === undefined ? {} : { blocks }),
    ...(timeZone === undefined ? {} : { timeZone }),
    loader,
    source,
    tried
  }
}
