/** Builds the report of an audit from its outcomes. */

import { worstVerdict } from '../../compare/combine.ts'
import type { Judgement } from '../../compare/comparison.ts'
import { STRICT_TALLY } from '../../compare/tally.ts'
import type { Run } from '../../inputs/run-record.ts'
import type { AuditError } from '../../model/errors.ts'
import { type Finding, LEAVES_OPEN } from '../../model/findings.ts'
import { toolVersions } from '../../model/version.ts'
import { moduleFormat } from '../../replay/formats.ts'
import { clockStart } from '../../replay/profile.ts'
import { buildReport, type ClaimantParts } from '../../report/build.ts'
import type { CheckpointReport, ProfileReport, Report, UnreachableUnit } from '../../report/model.ts'
import { assertSound } from '../../report/soundness.ts'
import { counted } from '../../util/counted.ts'
import { defined } from '../../util/defined.ts'
import type { Trust } from '../../verify/trust.ts'
import type { MemoryDifferences } from '../checkpoints/checkpoint-differences.ts'
import { type JudgedCheckpoint, signersOf } from '../checkpoints/judge-checkpoints.ts'
import type { UsableCheckpoint } from '../checkpoints/trusted-start.ts'
import { type AskedUnit, withoutSuspicion } from '../checkpoints/unheard-units.ts'
import type { PassResult } from '../pass.ts'
import type { AuditRunOptions } from '../run-options.ts'
import { digestOfInputs } from '../run-records.ts'
import type { Checks } from '../schedule-evidence.ts'
import { checkpointsOf, type JudgedUnit, type JudgedUnits, type UnitProfile } from '../search/judged-unit.ts'
import type { Subject } from '../subject.ts'
import {
  absenceFindings,
  blockFindings,
  gatewayFindings,
  hostInputFindings,
  judgedAsHeard,
  listingFindings,
  trustFindings,
  unheardFindings,
  unreadFindings,
  withoutBlame
} from './audit-findings.ts'
import { readScheduleFindings } from './schedule-findings.ts'

export interface Outcomes {
  readonly judged: JudgedUnits
  readonly subject: Subject
  readonly checks: Checks
  readonly start?: UsableCheckpoint
  readonly memories: MemoryDifferences
  readonly trust: Trust
  readonly verifyMs: number
  readonly replayMs: number
}

export async function reportOf(options: AuditRunOptions, outcomes: Outcomes): Promise<Report> {
  const { inputs, run, absentNonces = [] } = options
  const { absences, unheard, fetchMs } = await options.fetched()
  // A gateway that is an absence is named only as that.
  const others = unheard.filter(({ unit }) => !absences.some((absence) => absence.unit?.url === unit?.url))
  const unheardUrls = [
    ...new Set([...(run.unheard ?? []).map(({ url }) => url), ...unheard.map(({ unit }) => unit?.url ?? '')])
  ]
  const { subject, checks, judged, start, memories, trust, verifyMs, replayMs } = outcomes
  const { units, joint } = judged
  const { process, module, setup } = subject
  const { counts } = joint.judged
  const lowered = trustFindings(trust)
  const unreadCheckpoints = unreadFindings(await inputs.checkpoints.unread(run.process))
  const checkpoints = withoutSuspicion(checkpointsOf(judged), askedUnits(options, units, absences))
  const reports = checkpoints.map(({ report }) => report)
  const passes = [...new Set([joint, ...units.map(({ found }) => found)])]
  const shown = units.find(({ judgement }) => judgement.verdict === 'mismatch') ?? units[0]
  const { stateHashes, moduleMs, moduleRuns, resumedAfter } = shown?.found ?? joint
  const ofListings = await listingFindings(inputs, run)
  const report = buildReport({
    date: options.now(),
    inputsDigest: await digestOfInputs(options.store, inputs, run, process),
    processId: process.id,
    process: {
      id: process.id,
      owner: process.owner.address,
      scheduler: process.scheduler,
      module: { id: module.id, sha256: module.data.sha256, format: setup.format }
    },
    range: { from: run.from, to: run.to },
    start: start === undefined ? null : { checkpoint: start.id, nonce: start.nonce, signer: start.signer },
    coverage: { ...counts, compared: 0, unclaimed: 0, unread: 0 },
    inconclusive: [...absentNonces, ...absences.map(({ message }) => message)],
    trusted: [
      ...(start === undefined ? [] : [trustedStart(start, run, `nonce ${start.nonce}`)]),
      ...lowered.map(({ detail }) => detail),
      ...loweredBars(options)
    ],
    unreachable: unreachable([...absences, ...others.filter(({ code }) => code === 'UNIT_UNREACHABLE')]),
    notChecked: [
      ...absentNonces,
      ...(start === undefined ? [] : [`nonces 0 to ${start.nonce}: the replay began after them`]),
      ...(memories.cut === 0
        ? []
        : [
            memories.cut === 1
              ? 'the place at which the memory of 1 further checkpoint differs'
              : `the places at which the memories of ${memories.cut} further checkpoints differ`
          ]),
      ...unreadTexts(unreadCheckpoints),
      ...unownedTexts(options, reports),
      ...units.flatMap(({ judgement }) => behindRangeTexts(judgement))
    ],
    checkpoints: reports.map((checkpoint) => withMemory(checkpoint, memories)),
    claimants: [
      ...units.map((unit) => judgedAsHeard(claimantOf(options, unit, checkpoints, ofListings, setup.format), unheardUrls)),
      ...signersOf(reports)
    ],
    findings: distinct([
      ...withoutBlame(
        [
          ...subject.findings,
          ...checks.findings(),
          ...(await readScheduleFindings(inputs, run)),
          ...checkpoints.flatMap(({ findings }) => findings)
        ],
        unheardUrls
      ),
      ...unheardFindings(others),
      ...ofListings,
      ...unreadCheckpoints,
      ...gatewayFindings(await inputs.items.gatewayAnomalies(run.process)),
      ...blockFindings(await inputs.blocks.differences(run.process)),
      ...absenceFindings(absences),
      ...absentNonces.map(absentFinding),
      ...units.flatMap(({ found }) => hostInputFindings(found.judged.profiled)),
      ...units.flatMap(({ findings }) => findings),
      ...passes.flatMap(({ findings }) => findings),
      ...(start === undefined ? [] : [startFinding(start, run)]),
      ...lowered
    ]),
    profile: shown === undefined ? jointProfile(joint, setup.format) : profileReport(shown.profile, setup.format),
    stateHashes,
    tool: toolVersions(),
    timings: {
      fetchMs,
      verifyMs,
      replayMs,
      moduleMs,
      compareMs: joint.judged.compareMs,
      messagesPerSecond: moduleMs > 0 ? (moduleRuns * 1000) / moduleMs : 0,
      resumedAfter,
      jobs: options.jobs,
      partsAhead: { begun: joint.links.length, proven: joint.links.filter(({ proven }) => proven).length }
    }
  })
  return assertSound(report)
}

function askedUnits({ run }: AuditRunOptions, units: readonly JudgedUnit[], absences: readonly AuditError[]): AskedUnit[] {
  return run.computes.map((compute) => {
    const isAway = absences.some(({ unit }) => unit?.url === compute.url)
    const { compared = 0 } = units.find(({ claimant }) => claimant === compute.url)?.judgement.coverage ?? {}
    return { ...compute, heard: !isAway && compared > 0 }
  })
}

/** Counts checkpoints of every signer, because a unit's own may be among them. */
function unreadTexts(findings: readonly Finding[]): string[] {
  const count = findings.reduce((sum, finding) => sum + (finding.count ?? 1), 0)
  return count === 0 ? [] : [`${count === 1 ? '1 checkpoint that was' : `${count} checkpoints that were`} not read`]
}

/** Without a unit's address, nobody knows which checkpoints are its own. */
function unownedTexts({ run, checkpointOwners }: AuditRunOptions, reports: readonly CheckpointReport[]): string[] {
  const named = new Set([...checkpointOwners, ...run.computes.map(({ address }) => address)])
  const strangers = reports.filter(({ signer }) => !named.has(signer))
  if (strangers.length === 0) return []
  return run.computes
    .filter(({ address }) => address === undefined)
    .map(({ url }) => `which checkpoints belong to ${url}: it names no address (name one with --checkpoint-owner)`)
}

/** Nothing bounds the crons that a unit lists after the last message. */
function behindRangeTexts({ claimant, findings }: Judgement): readonly string[] {
  return findings.flatMap(({ code, count = 1 }) =>
    code === 'CRONS_BEHIND_RANGE'
      ? [`${counted(count, 'cron', 'crons')} that ${claimant} lists after the end of the range`]
      : []
  )
}

/** A unit as a claimant: its judgement, with the reasons from its own checkpoints and from its listings as a whole. */
function claimantOf(
  { run, checkpointOwners }: AuditRunOptions,
  { claimant, judgement, profile, reachedElsewhere }: JudgedUnit,
  checkpoints: readonly JudgedCheckpoint[],
  ofListings: readonly Finding[],
  format: string
): ClaimantParts {
  const { address } = run.computes.find(({ url }) => url === claimant) ?? {}
  const own = new Set([...checkpointOwners, address])
  const open = ofListings.filter((finding) => finding.claimant === claimant && LEAVES_OPEN.has(finding.code))
  const ofMemories = checkpoints.flatMap(({ report: { id, signer, nonce, status, dataSha256, computedSha256 }, findings }) => {
    if (!own.has(signer) || status === 'match' || reachedElsewhere.has(id)) return []
    if (findings.some(({ code }) => code === 'CHECKPOINT_DATA_INVALID')) {
      return [`the data of its own checkpoint ${id} does not match its tags`]
    }
    if (findings.some(({ code }) => code === 'CHECKPOINT_NOT_READ')) {
      return [`its own checkpoint ${id} names an evaluation that does not exist`]
    }
    // Nothing is known about data that a gateway spoilt.
    if (dataSha256 === null || computedSha256 === null) return []
    return [`its own checkpoint ${id} differs from the memory after nonce ${nonce} under every past that was tried`]
  })
  const reasons = [...ofMemories, ...open.map(({ detail }) => detail)]
  const verdict = reasons.length > 0 ? worstVerdict([judgement.verdict, 'inconclusive']) : judgement.verdict
  return {
    ...judgement,
    // A memory that differs accuses nobody, but it excludes a match; so does a listing that was not read completely.
    verdict,
    reasons: [...reasons, ...judgement.reasons],
    remarks: [...(verdict === 'mismatch' ? reasons : []), ...judgement.remarks],
    kind: 'compute-unit',
    audited: true,
    profile: profileReport(profile, format),
    ...defined({ address })
  }
}

/** Options of the user that made a match easier. */
function loweredBars({ minCoveragePercent, maxExplanations }: AuditRunOptions): string[] {
  const coverage = `a match needs claims about ${minCoveragePercent} % of the evaluations only (--min-coverage)`
  const explanations = `a unit may need up to ${maxExplanations} explanations (--max-explanations)`
  return [
    ...(minCoveragePercent < STRICT_TALLY.minCoveragePercent ? [coverage] : []),
    ...(maxExplanations > STRICT_TALLY.maxExplanations ? [explanations] : [])
  ]
}

function distinct(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()]
}

/** A report on an audit that could not begin. */
export function inconclusiveReport(process: string, absences: readonly AuditError[], fetchMs: number, date: string): Report {
  return buildReport({
    date,
    inputsDigest: null,
    processId: process,
    process: null,
    range: null,
    start: null,
    coverage: { scheduled: 0, cron: 0, evaluated: 0, compared: 0, skipped: 0, unclaimed: 0, unread: 0, unverified: 0 },
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

/** Nobody is to blame: the user asked for more than exists. */
function absentFinding(detail: string): Finding {
  return { code: 'INPUT_MISSING', severity: 'warning', attribution: 'auditor', detail }
}

/** @param place the nonce in words */
function trustedStart({ id, signer }: UsableCheckpoint, { computes }: Run, place: string): string {
  const own = computes.find(({ address }) => address === signer)
  const who = own === undefined ? signer : `${signer}, the address of ${own.url}: its own word`
  return `the memory after ${place} is that of checkpoint ${id}, signed by ${who}`
}

function startFinding(start: UsableCheckpoint, run: Run): Finding {
  const detail = `${trustedStart(start, run, 'this nonce')}; nothing before it was computed`
  return { code: 'TRUST_LOWERED', severity: 'warning', attribution: 'auditor', nonce: start.nonce, detail }
}

/** A unit that refused, or gave an unusable answer, does not count as unreachable. */
function unreachable(absences: readonly AuditError[]): UnreachableUnit[] {
  return absences.flatMap(({ unit, code, message, hint }) =>
    unit === undefined || (unit.role === 'compute-unit' && code !== 'UNIT_UNREACHABLE')
      ? []
      : { unit: unit.role, url: unit.url, code, detail: message, ...defined({ hint }) }
  )
}

function profileReport({ hypothesis, source, tried, trials, proven }: UnitProfile, format: string): ProfileReport {
  const { name, environment, clock, instances, blocks, loader, timeZone } = hypothesis.profile
  const start = clockStart(moduleFormat(format), hypothesis.profile)
  return {
    name,
    environment,
    clock: { start, step: clock.step },
    instances,
    ...defined({ blocks, timeZone }),
    loader,
    source,
    proven,
    tried,
    instancesTried: trials
  }
}

/** The profile of a report without audited units. */
function jointProfile({ hypothesis }: PassResult, format: string): ProfileReport {
  const { name } = hypothesis.profile
  return profileReport({ hypothesis, source: 'the default', tried: [name], trials: 0, proven: false }, format)
}
