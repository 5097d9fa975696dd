/** Audits a run that is in the store, or arrives there meanwhile. */

import { availableParallelism } from 'node:os'
import { STRICT_TALLY } from '../compare/tally.ts'
import type { Inputs } from '../inputs/inputs.ts'
import type { Run } from '../inputs/run-record.ts'
import { AuditError } from '../model/errors.ts'
import { type ExecutionProfile, namedProfile } from '../replay/profile.ts'
import type { Report } from '../report/model.ts'
import type { Store } from '../store/store.ts'
import { defined } from '../util/defined.ts'
import { isoNow } from '../util/iso-now.ts'
import { absentMemories, absentNonces } from './absent-nonces.ts'
import type { AuditOptions, SourceOptions } from './audit-options.ts'
import { auditRun } from './run.ts'
import type { AuditRunOptions } from './run-options.ts'
import { selectStateHashes } from './state-hashes.ts'

/** A sandbox starts in about a second; meanwhile another one runs some hundred messages. */
const PART_MESSAGES = 500

/** Audits a run, in the requested range. */
export async function auditStored(
  options: Omit<AuditOptions, 'process' | 'archive'>,
  store: Store,
  inputs: Inputs,
  run: Run,
  fetched: AuditRunOptions['fetched'],
  network?: Pick<AuditRunOptions, 'gateway' | 'spare' | 'onBusy'>
): Promise<Report> {
  const range = narrowed(run, options)
  return auditRun({
    store,
    inputs,
    run: range,
    absentNonces: [...absentNonces(run, options, network === undefined), ...absentMemories(range.to, options.stateHashes)],
    claimsFrom: run.from,
    ...network,
    fetched,
    profile: profileOf(options),
    search: options.search ?? true,
    checkpointOwners: options.checkpointOwners ?? [],
    ...defined({
      stateHashes: options.stateHashes === undefined ? undefined : selectStateHashes(options.stateHashes),
      start: options.start?.checkpoint
    }),
    trustedRoles: options.trustedRoles ?? [],
    minCoveragePercent: options.minCoverage ?? STRICT_TALLY.minCoveragePercent,
    maxExplanations: options.maxExplanations ?? STRICT_TALLY.maxExplanations,
    jobs: options.jobs ?? availableParallelism(),
    // The store of an archive is removed after the audit.
    snapshots: network !== undefined && (options.snapshots ?? true),
    partMessages: options.jobs === undefined ? PART_MESSAGES : 1,
    freeBytes: globalThis.process.availableMemory(),
    ...defined({ limits: options.sandboxLimits }),
    clock: () => performance.now(),
    now: isoNow,
    ...defined({
      onEvaluation: options.onEvaluation,
      onReplayed: options.onReplayed,
      onPass: options.onPass,
      signal: options.signal
    })
  })
}

/** The result of an earlier fetch that lacks nothing. */
export function noneAway(fetchMs: number): AuditRunOptions['fetched'] {
  return async () => ({ absences: [], unheard: [], fetchMs })
}

function narrowed(run: Run, { from, to }: SourceOptions): Run {
  const range = { from: Math.max(run.from, from ?? run.from), to: Math.min(run.to, to ?? run.to) }
  if (range.from > range.to) throw new AuditError('USAGE', `the archive holds nonces ${run.from} to ${run.to}`)
  return { ...run, ...range }
}

/** @throws AuditError `USAGE` if no profile has the name */
export function profileOf({ profile = 'auto' }: AuditOptions): ExecutionProfile | 'auto' {
  if (profile === 'auto') return profile
  return typeof profile === 'string' ? namedProfile(profile) : profile
}
