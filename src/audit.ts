/** An audit, from the network or from an archive, to a report. */
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, homedir, tmpdir } from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import { inconclusiveReport } from './audit-report.ts'
import { auditRun } from './audit-run.ts'
import { DEFAULT_COMPUTES, DEFAULT_GATEWAYS, parseProcessId, parseStart, parseTrust, parseUnitUrl } from './config.ts'
import { AuditError } from './errors.ts'
import { createCompute } from './fetch/compute.ts'
import { createGateway } from './fetch/gateway.ts'
import { createHttp } from './fetch/http.ts'
import type { FetchLimits } from './fetch/limits.ts'
import { locateScheduler } from './fetch/locate.ts'
import { createScheduler } from './fetch/scheduler.ts'
import type { GatewaySource } from './fetch/sources.ts'
import type { ProcessId, TransactionId } from './ids.ts'
import { createInputs, type Inputs, type Run, runPrefixes, transactionKey } from './inputs.ts'
import type { JudgingOptions } from './judging.ts'
import { beginPull, type Pulling, pull } from './pull.ts'
import type { PullOptions, PullProgress } from './pull-options.ts'
import type { BlobRef } from './records.ts'
import { namesDrive } from './replay/drive/admission.ts'
import { type ExecutionProfile, namedProfile } from './replay/profile.ts'
import type { SandboxLimits } from './replay/sandbox/protocol.ts'
import { startSpareChild } from './replay/sandbox/sandbox.ts'
import type { Report } from './report/model.ts'
import type { AuditRunOptions } from './run-options.ts'
import { type ScheduleSource, schedulersOf } from './schedule-sources.ts'
import { joined } from './signals.ts'
import { parseStateHashes } from './state-hashes.ts'
import { readArchive, type Selection, writeArchive } from './store/archive.ts'
import { defaultStoreDirectory } from './store/default-directory.ts'
import { openStore } from './store/level-store.ts'
import type { RecordKey, Store } from './store/store.ts'
import type { TrustRole } from './verification/trust.ts'

/** Whom to ask, and where to keep what they say. */
export interface SourceOptions {
  /** The scheduler's base URL; looked up where it is not given. */
  readonly scheduler?: string
  /** Whose schedule is read: the scheduler's (the default), what lies on Arweave, or both, held against each other. */
  readonly schedule?: ScheduleSource
  /** Compute Units to audit, base URLs. */
  readonly compute?: readonly string[]
  /** Gateways in the order in which they are asked, base URLs. */
  readonly gateway?: readonly string[]
  /** Nonces to judge, both inclusive; from the first to the newest where not given. */
  readonly from?: number
  readonly to?: number
  readonly fetchLimits?: Partial<FetchLimits>
  /** Whether a record or a redirect may lead to a private address. */
  readonly allowPrivate?: boolean
  /** The store's folder; the user's cache folder where not given. */
  readonly store?: string
  readonly onPull?: (progress: PullProgress) => void
  /** Told about every request, for a log. */
  readonly onRequest?: (url: string) => void
  readonly signal?: AbortSignal
}

export interface AuditOptions extends SourceOptions {
  /** The process's id; not with an archive. */
  readonly process?: string
  /** An archive to audit in place of the network. */
  readonly archive?: string
  /** `auto` (the default), a named profile, or one of one's own. */
  readonly profile?: string | ExecutionProfile
  /** Addresses whose checkpoints speak for the audited units, besides those that the units name. */
  readonly checkpointOwners?: readonly string[]
  /** Whether other instances and profiles are tried where a result differs; true where not given. */
  readonly search?: boolean
  /** `checkpoint:ID`: the replay begins with its memory, taken on trust, and judges what is behind it. */
  readonly start?: string
  /** Whose word is taken for inputs that prove themselves nowhere; nobody's where not given. The report counts what needed it. */
  readonly trust?: readonly TrustRole[]
  /** Sandboxes at the same time, as far as they fit in memory; as many as there are cores where not given. */
  readonly jobs?: number
  /** Whether what is computed is kept in the store, so that a later audit goes on from there; true where not given. */
  readonly snapshots?: boolean
  /** `last`, `N,N,…` or `every:K`. */
  readonly stateHash?: string
  readonly sandboxLimits?: Partial<SandboxLimits>
  readonly onEvaluation?: JudgingOptions['onEvaluation']
  /** Told when a replay begins; what was told of an earlier one no longer holds. */
  readonly onPass?: () => void
}

/** A sandbox starts in about a second, in which another one runs some hundred messages. */
const PART_MESSAGES = 500

const archivedRun = z.object({ process: z.string(), run: z.string() })

/**
 * Audits a process: reads its module, schedule and claims, evaluates, compares.
 *
 * A unit that stays away, or a scheduler that does not know the process, ends in an inconclusive report.
 *
 * @throws AuditError `USAGE`, `STORE_LOCKED`, `STORE_UNUSABLE`, `ARCHIVE_INVALID`, `SANDBOX_FAILED`, `INTERRUPTED`
 *
 * @example
 * ```ts
 * const report = await audit({ archive: 'ledger.tar.gz' })
 * console.log(report.verdict, report.firstDivergence?.nonce)
 * ```
 */
export async function audit(options: AuditOptions): Promise<Report> {
  if (options.stateHash !== undefined) parseStateHashes(options.stateHash)
  if (options.start !== undefined) parseStart(options.start)
  for (const role of options.trust ?? []) parseTrust(role)
  profileOf(options)
  if (options.archive !== undefined) return auditArchive(options, options.archive)
  if (options.process === undefined) throw new AuditError('USAGE', 'name a process, or an archive with --archive FILE')
  const process = parseProcessId(options.process)
  return withStore(options.store, (store) => auditFetched(options, process, store))
}

/** The replay begins while inputs still come. */
async function auditFetched(options: AuditOptions, process: ProcessId, store: Store): Promise<Report> {
  const begun = performance.now()
  const stop = new AbortController()
  const signal = joined(stop.signal, options.signal)
  const stored = createInputs(store)
  let gateway: GatewaySource
  let pulling: Pulling
  try {
    const wanted = await pullOptions({ ...options, signal }, process, stored, 'new')
    gateway = wanted.units.gateway
    pulling = await beginPull(wanted)
  } catch (error) {
    return withoutInputs(error, begun)
  }
  const { run, inputs, ready, ended, failedWith } = pulling
  const fetched = ended.then(({ absences }) => ({ absences, fetchMs: performance.now() - begun }))
  // Awaited when the report is written.
  fetched.catch(() => {})
  const spare = startSpareChild()
  try {
    await ready
    const report = await auditStored(options, store, inputs, run, () => fetched, { gateway, spare })
    await stored.putRun({ ...run, state: 'finished' })
    return report
  } catch (error) {
    stop.abort()
    await Promise.allSettled([ended])
    if (failedWith(error)) return withoutInputs(error, begun)
    throw error
  } finally {
    spare.close()
  }
}

/** The report where an audit cannot go on without what could not be had. */
function withoutInputs(error: unknown, begun: number): Report {
  const absence = absenceOf(error)
  if (absence === undefined) throw error
  return inconclusiveReport([absence], performance.now() - begun)
}

/**
 * Fetches all that an audit needs into one archive file. What the store has already is not asked for again.
 *
 * @throws AuditError as `audit`, and where anything is missing: an archive is whole
 */
export async function pullArchive(options: SourceOptions & { readonly process: string }, file: string): Promise<Run> {
  const process = parseProcessId(options.process)
  return withStore(options.store, async (store) => {
    const inputs = createInputs(store)
    const pulling = await pullOptions(options, process, inputs, 'add')
    const { run, absences } = await pull(pulling)
    const [absence] = absences
    if (absence !== undefined) throw absence
    // Which files it opens shows as it runs: an audit keeps them.
    if (await opensFiles(inputs, run))
      await auditStored(options, store, inputs, run, noneAway(0), { gateway: pulling.units.gateway })
    const finished: Run = { ...run, state: 'finished' }
    await inputs.putRun(finished)
    await writeArchive(store, await selectionOf(inputs, finished), file)
    return finished
  })
}

async function opensFiles(inputs: Inputs, run: Run): Promise<boolean> {
  const process = await inputs.process(run.process)
  const module = process === undefined ? undefined : await inputs.transaction(process.moduleId)
  return process !== undefined && module !== undefined && namesDrive({ process, module })
}

async function auditArchive(options: AuditOptions, archive: string): Promise<Report> {
  if (options.process !== undefined) throw new AuditError('USAGE', 'name a process or an archive, not both')
  const folder = await mkdtemp(path.join(tmpdir(), 'ao-audit-'))
  try {
    return await withStore(folder, async (store) => {
      const begun = performance.now()
      const subject = archivedRun.safeParse(await readArchive(archive, store))
      const inputs = createInputs(store)
      const run = subject.success ? await inputs.run(parseProcessId(subject.data.process), subject.data.run) : undefined
      if (run === undefined) throw new AuditError('ARCHIVE_INVALID', `${archive} does not say what it is of`)
      return auditStored(options, store, inputs, run, noneAway(performance.now() - begun))
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function noneAway(fetchMs: number): AuditRunOptions['fetched'] {
  return async () => ({ absences: [], fetchMs })
}

function narrowed(run: Run, { from, to }: SourceOptions): Run {
  const range = { from: Math.max(run.from, from ?? run.from), to: Math.min(run.to, to ?? run.to) }
  if (range.from > range.to) throw new AuditError('USAGE', `the archive holds nonces ${run.from} to ${run.to}`)
  return { ...run, ...range }
}

async function auditStored(
  options: Omit<AuditOptions, 'process' | 'archive'>,
  store: Store,
  inputs: Inputs,
  run: Run,
  fetched: AuditRunOptions['fetched'],
  network?: Pick<AuditRunOptions, 'gateway' | 'spare'>
): Promise<Report> {
  return auditRun({
    store,
    inputs,
    run: narrowed(run, options),
    claimsFrom: run.from,
    ...network,
    fetched,
    profile: profileOf(options),
    search: options.search ?? true,
    checkpointOwners: options.checkpointOwners ?? [],
    ...(options.stateHash === undefined ? {} : { stateHashes: parseStateHashes(options.stateHash) }),
    ...(options.start === undefined ? {} : { start: parseStart(options.start) }),
    trust: options.trust ?? [],
    jobs: options.jobs ?? availableParallelism(),
    // The store of an archive is gone with the audit.
    snapshots: network !== undefined && (options.snapshots ?? true),
    partMessages: options.jobs === undefined ? PART_MESSAGES : 1,
    freeBytes: globalThis.process.availableMemory(),
    ...(options.sandboxLimits === undefined ? {} : { limits: options.sandboxLimits }),
    clock: () => performance.now(),
    ...(options.onEvaluation === undefined ? {} : { onEvaluation: options.onEvaluation }),
    ...(options.onPass === undefined ? {} : { onPass: options.onPass }),
    ...(options.signal === undefined ? {} : { signal: options.signal })
  })
}

async function pullOptions(
  options: SourceOptions,
  process: PullOptions['process'],
  inputs: Inputs,
  claims: PullOptions['claims']
): Promise<PullOptions> {
  const gateways = (options.gateway ?? DEFAULT_GATEWAYS).map(parseUnitUrl)
  const computes = [...new Set((options.compute ?? DEFAULT_COMPUTES).map(parseUnitUrl))]
  const given = options.scheduler === undefined ? undefined : parseUnitUrl(options.scheduler)
  const http = createHttp({
    trusted: [...gateways, ...computes, ...(given === undefined ? [] : [given])],
    ...(options.fetchLimits === undefined ? {} : { limits: options.fetchLimits }),
    ...(options.allowPrivate === undefined ? {} : { allowPrivate: options.allowPrivate }),
    ...(options.onRequest === undefined ? {} : { onAttempt: options.onRequest }),
    ...(options.signal === undefined ? {} : { signal: options.signal })
  })
  const gateway = createGateway(http, gateways)
  const located = () => locateScheduler(gateway, process, options.allowPrivate ?? false)
  const schedulers = await schedulersOf(options.schedule, gateway, inputs, async () =>
    createScheduler(http, given ?? (await located()))
  )
  return {
    process,
    inputs,
    units: {
      ...schedulers,
      gateway,
      computes: computes.map((url) => createCompute(http, url))
    },
    ...(options.from === undefined ? {} : { from: options.from }),
    ...(options.to === undefined ? {} : { to: options.to }),
    claims,
    now: () => new Date().toISOString(),
    ...(options.onPull === undefined ? {} : { onProgress: options.onPull }),
    ...(options.signal === undefined ? {} : { signal: options.signal })
  }
}

/** What belongs to a run, and nothing else of the store. */
async function selectionOf(inputs: Inputs, run: Run): Promise<Selection> {
  const process = await inputs.process(run.process, run.scheduler)
  const items: RecordKey[] = []
  const blobs: BlobRef[] = []
  /** Of these only what was needed lies in the store: what is on the chain, and the true item of what does not prove itself. */
  const take = async (id: TransactionId) => {
    const record = await inputs.transaction(id)
    if (record === undefined) return
    items.push(transactionKey(id))
    if (record.data !== undefined) blobs.push(record.data)
  }
  await take(run.process)
  if (process !== undefined) await take(process.moduleId)
  for await (const { assignment, messageId } of inputs.schedule(run, 0, run.to)) {
    await take(assignment.id)
    await take(messageId)
  }
  for (const id of await inputs.checkpoints(run.process)) await take(id)
  for (const file of await inputs.driveFiles(run.process)) {
    if (file.kind === 'data') await take(file.id)
    else blobs.push(file.content)
  }
  return { prefixes: [...runPrefixes(run), ...items], blobs, subject: { process: run.process, run: run.id } }
}

/** The error, where it says that something could not be had: then there is a report, an inconclusive one. */
function absenceOf(error: unknown): AuditError | undefined {
  if (!(error instanceof AuditError)) return undefined
  const answered = ['USAGE', 'STORE_LOCKED', 'STORE_UNUSABLE', 'ARCHIVE_INVALID', 'SANDBOX_FAILED', 'INTERRUPTED']
  return answered.includes(error.code) ? undefined : error
}

async function withStore<T>(directory: string | undefined, use: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(directory ?? defaultStoreDirectory(process.env, process.platform, homedir()))
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}

function profileOf({ profile = 'auto' }: AuditOptions): ExecutionProfile | 'auto' {
  if (profile === 'auto') return profile
  return typeof profile === 'string' ? namedProfile(profile) : profile
}
