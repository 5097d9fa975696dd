/** One audit over what is in the store: plan, replay, compare, report. It asks nobody. */
import { AuditError } from './errors.ts'
import { agrees, compareResult } from './compare/result.ts'
import { absenceFindings, hostInputFindings, scheduleFindings } from './audit-findings.ts'
import { type JudgingOptions, judgeEvaluations } from './judging.ts'
import type { Inputs, Run } from './inputs.ts'
import { type Claim, keyText, type ProcessRecord, type ScheduledMessage, type TransactionRecord, tagValue } from './records.ts'
import { planEvaluations } from './replay/plan/plan.ts'
import { moduleEnvironment, moduleOptions } from './replay/plan/module.ts'
import type { PlannedEvaluation } from './replay/plan/types.ts'
import type { ExecutionProfile } from './replay/profile.ts'
import { replay } from './replay/replay.ts'
import type { ModuleSetup, SandboxLimits } from './replay/sandbox/protocol.ts'
import { buildReport } from './report/build.ts'
import type { ProfileReport, Report, UnreachableUnit } from './report/model.ts'
import type { StateHashes } from './state-hashes.ts'
import type { Store } from './store/store.ts'
import { toolVersions } from './version.ts'

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
  const { inputs, run, profile } = options
  const { process, module, setup } = await readSubject(options)
  const crons = process.tags.some(({ name }) => name === 'Cron-Interval')
  const times = { handleMs: 0 }
  const begun = options.clock()
  const judged = await judgeEvaluations({
    inputs,
    run,
    units: run.computes.map(({ url }) => url),
    evaluations: replay({
      setup,
      profile,
      plan: () => plan(options, process),
      agrees: (planned, text) => agreesWithClaims(options, planned, text),
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      hashAfter: (nonce) => options.stateHashes?.(nonce, run.to) ?? false,
      onRun: (handleUs) => {
        times.handleMs += handleUs / 1000
      },
      ...(options.signal === undefined ? {} : { signal: options.signal })
    }),
    crons,
    strictTagOrder: false,
    gate: async () => ({ accusable: true, verified: false, blocksKnown: false }),
    ...(options.onEvaluation === undefined ? {} : { onEvaluation: options.onEvaluation })
  })
  const elapsedMs = options.clock() - begun
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
    notChecked: ['signatures and the hash chain'],
    checkpoints: [],
    claimants: judged.judgements.map((judgement) => ({
      ...judgement,
      kind: 'compute-unit' as const,
      audited: true,
      ...addressOf(run, judgement.claimant)
    })),
    findings: [
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
      replayMs: elapsedMs,
      compareMs: Math.max(0, elapsedMs - times.handleMs),
      messagesPerSecond: elapsedMs > 0 ? (counts.evaluated * 1000) / elapsedMs : 0
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

interface Subject {
  readonly process: ProcessRecord
  readonly module: TransactionRecord
  readonly setup: ModuleSetup
}

async function readSubject({ inputs, run, store }: AuditRunOptions): Promise<Subject> {
  const process = await inputs.process(run.process)
  const module = process === undefined ? undefined : await inputs.transaction(process.moduleId)
  // Read once through the store, which checks the content hash; the sandbox then opens the file itself.
  if (process === undefined || module?.data === undefined || (await store.getBlob(module.data)) === undefined) {
    throw new AuditError('INPUT_MISSING', `the ${process === undefined ? 'process' : 'module'} is not in the store`)
  }
  return {
    process,
    module,
    setup: {
      wasmPath: store.blobPath(module.data),
      format: tagValue(module.tags, 'Module-Format') ?? '',
      env: moduleEnvironment(process, module),
      options: moduleOptions(process, module)
    }
  }
}

/** The plan over what is stored; a nonce that nobody served ends it. */
async function* plan({ inputs, run }: AuditRunOptions, process: ProcessRecord): AsyncGenerator<PlannedEvaluation> {
  const text = async (record: TransactionRecord) => {
    const bytes = await inputs.data(record)
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes)
  }
  let next = 0
  async function* unbroken(): AsyncGenerator<ScheduledMessage> {
    for await (const message of inputs.schedule(run, 0, run.to)) {
      if (message.nonce !== next) return
      next++
      yield message
    }
  }
  yield* planEvaluations({
    process,
    schedule: unbroken(),
    async transaction(id) {
      const record = await inputs.transaction(id)
      if (record === undefined) return undefined
      const dataText = await text(record)
      return { record, ...(dataText === undefined ? {} : { dataText }) }
    },
    async processData() {
      const record = await inputs.transaction(process.id)
      return record === undefined ? undefined : text(record)
    },
    blocks: (from, to) => inputs.blocks(process.id, from, to)
  })
  yield* beyondGap(inputs, run, next)
}

/** Nothing can be evaluated from a missing nonce on, but what is there is still named. */
async function* beyondGap(inputs: Inputs, run: Run, from: number): AsyncGenerator<PlannedEvaluation> {
  const work = { kind: 'missing', reason: `the scheduler did not serve nonce ${from}` } as const
  let next = from
  for await (const { nonce, timestamp, messageId } of inputs.schedule(run, from, run.to)) {
    for (; next < nonce; next++) yield { key: { ordinate: next, timestamp: 0 }, nonce: next, saved: true, work }
    yield { key: { ordinate: nonce, timestamp }, nonce, messageId, saved: true, work }
    next = nonce + 1
  }
  for (; next <= run.to; next++) yield { key: { ordinate: next, timestamp: 0 }, nonce: next, saved: true, work }
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
