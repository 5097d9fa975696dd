/** The report of an audit, out of what was found. */
import { absenceFindings, hostInputFindings, scheduleFindings } from './audit-findings.ts'
import type { AuditError } from './errors.ts'
import type { Run } from './inputs.ts'
import type { Found } from './passes.ts'
import type { ChosenProfile } from './profile-choice.ts'
import { moduleFormat } from './replay/formats.ts'
import { clockStart } from './replay/profile.ts'
import { buildReport } from './report/build.ts'
import type { ProfileReport, Report, UnreachableUnit } from './report/model.ts'
import type { AuditRunOptions } from './run-options.ts'
import type { Subject } from './subject.ts'
import type { Checks } from './verification/checks.ts'
import { toolVersions } from './version.ts'

export interface Outcomes extends Found {
  readonly subject: Subject
  readonly checks: Checks
  readonly verifyMs: number
  readonly replayMs: number
}

export async function reportOf(options: AuditRunOptions, outcomes: Outcomes): Promise<Report> {
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
      ...outcomes.findings,
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
  return absences.flatMap(({ unit, message }) =>
    unit === undefined ? [] : { unit: unit.role, url: unit.url, detail: message }
  )
}

function addressOf(run: Run, unit: string): { readonly address?: string } {
  const address = run.computes.find(({ url }) => url === unit)?.address
  return address === undefined ? {} : { address }
}

function profileReport({ profile, source, tried }: ChosenProfile, format: string): ProfileReport {
  const { name, environment, clock, instances, blocks, loader } = profile
  const start = clockStart(moduleFormat(format), profile)
  return {
    name,
    environment,
    clock: { start, step: clock.step },
    instances,
    ...(blocks === undefined ? {} : { blocks }),
    loader,
    source,
    tried
  }
}
