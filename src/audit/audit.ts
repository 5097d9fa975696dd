/** Audits a process, from the network or from an archive. */

import type { GatewaySource } from '../fetch/unit-sources.ts'
import { createInputs } from '../inputs/inputs.ts'
import { AuditError, type AuditErrorCode } from '../model/errors.ts'
import type { ProcessId } from '../model/ids.ts'
import { beginPull, type Pulling } from '../pull/pull.ts'
import { startSpareChild } from '../replay/sandbox/sandbox.ts'
import type { SpareChild } from '../replay/sandbox/spare-child.ts'
import type { Report } from '../report/model.ts'
import { withPassingStore, withStore } from '../store/default-store.ts'
import type { Store } from '../store/store.ts'
import { isoNow } from '../util/iso-now.ts'
import { joined } from '../util/signals.ts'
import { readArchivedRun } from './archived-run.ts'
import type { AuditOptions } from './audit-options.ts'
import { checkAuditOptions } from './checked-options.ts'
import { parseProcessId, parseUnits } from './config.ts'
import { inconclusiveReport } from './outcome/audit-report.ts'
import { auditStored, noneAway, profileOf } from './stored-audit.ts'
import { pullOptions } from './units.ts'

/**
 * Audits a process: reads its module, schedule and claims, evaluates, compares.
 *
 * If a unit does not answer, or the scheduler does not know the process, the report is inconclusive.
 *
 * @throws AuditError `USAGE` for an option that cannot be used; `STORE_LOCKED`, `STORE_UNUSABLE`; `ARCHIVE_INVALID`;
 *   `ENVIRONMENT_UNFIT` or `SANDBOX_FAILED` if the module cannot be run here; `INTERRUPTED` if the signal fired
 *
 * @example
 * ```ts
 * const report = await audit({ archive: 'ledger.tar.gz' })
 * console.log(report.verdict, report.firstDivergence?.nonce)
 * ```
 */
export async function audit(options: AuditOptions): Promise<Report> {
  checkAuditOptions(options)
  profileOf(options)
  if (options.archive !== undefined) return auditArchive(options, options.archive)
  if (options.process === undefined) throw new AuditError('USAGE', 'name a process, or an archive with --archive FILE')
  const process = parseProcessId(options.process)
  parseUnits(options)
  return withStore(options.store, (store) => auditFetched(options, process, store))
}

/** Starts the sandbox's child first, because that takes longest. */
async function auditFetched(options: AuditOptions, process: ProcessId, store: Store): Promise<Report> {
  const spare = startSpareChild()
  try {
    return await auditWith(spare, options, process, store)
  } finally {
    spare.close()
  }
}

/** Begins the replay while inputs are still being fetched. */
async function auditWith(spare: SpareChild, options: AuditOptions, process: ProcessId, store: Store): Promise<Report> {
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
    return withoutInputs(error, process, begun)
  }
  const { run, inputs, ready, ended, askForClaims, failedWith } = pulling
  const fetched = ended.then(({ absences, unheard }) => ({ absences, unheard, fetchMs: performance.now() - begun }))
  // Awaited when the report is written.
  fetched.catch(() => {})
  try {
    await ready
    const report = await auditStored(options, store, inputs, run, () => fetched, { gateway, spare, onBusy: askForClaims })
    await stored.runs.put({ ...(await ended).run, state: 'finished' })
    return report
  } catch (error) {
    stop.abort()
    await Promise.allSettled([ended])
    // An unsupported module, or a missing start, also ends in a report.
    if (failedWith(error) || isOfInputs(error)) return withoutInputs(error, process, begun)
    throw error
  }
}

async function auditArchive(options: AuditOptions, archive: string): Promise<Report> {
  if (options.process !== undefined) throw new AuditError('USAGE', 'name a process or an archive, not both')
  return withPassingStore(options.store, async (store) => {
    const begun = performance.now()
    const { inputs, run } = await readArchivedRun(archive, store)
    try {
      return await auditStored(options, store, inputs, run, noneAway(performance.now() - begun))
    } catch (error) {
      return withoutInputs(error, run.process, begun)
    }
  })
}

/** The report of an audit that cannot continue because an input is missing. */
function withoutInputs(error: unknown, process: string, begun: number): Report {
  const absence = absenceOf(error)
  if (absence === undefined) throw error
  return inconclusiveReport(process, [absence], performance.now() - begun, isoNow())
}

function isOfInputs(error: unknown): boolean {
  return error instanceof AuditError && (error.code === 'MODULE_UNSUPPORTED' || error.code === 'INPUT_MISSING')
}

const ABSENCES: readonly AuditErrorCode[] = [
  'UNIT_UNREACHABLE',
  'WIRE_INVALID',
  'UNIT_REFUSED',
  'ANSWER_TOO_LARGE',
  'ADDRESS_FORBIDDEN',
  'INPUT_MISSING',
  'MODULE_UNSUPPORTED'
]

/** The error if it says that an input is missing: then the audit ends in an inconclusive report. */
function absenceOf(error: unknown): AuditError | undefined {
  if (!(error instanceof AuditError)) return undefined
  return ABSENCES.includes(error.code) ? error : undefined
}
