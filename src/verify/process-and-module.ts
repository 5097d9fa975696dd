/** The process and the module as they were signed. */
import { AuditError } from '../model/errors.ts'
import type { Finding } from '../model/findings.ts'
import { isAddress, isArweaveId, type ModuleId, type ProcessId } from '../model/ids.ts'
import {
  type BlobRef,
  type ModuleItem,
  type ProcessItem,
  type ProcessRecord,
  type ScheduledMessage,
  type Times,
  tagValue,
  type WireItem
} from '../model/records.ts'
import { signedWire, wireOfItem } from './as-signed.ts'
import { verifyMessage } from './message-item.ts'
import { timesInBundle } from './process-times.ts'
import { proveItem, type RawItem } from './raw-item.ts'
import { sealSigned, sealUnproven } from './seal.ts'
import type { Checked } from './signed.ts'
import type { UnprovenInput } from './trust.ts'

export interface CheckedProcess {
  readonly process: Checked<ProcessItem>
  /** Its data as text, as a CU gets it from `/raw/<id>`; undefined if nobody has it. */
  readonly data: string | undefined
  readonly findings: readonly Finding[]
}

/**
 * Checks the scheduler's description of a process against its signature, and against the raw item if the signature does not prove
 * it. Module and scheduler always come from the tags of the description that is used.
 *
 * @throws AuditError `INPUT_MISSING` if the process names no module or no scheduler
 */
export function checkProcess(shown: ProcessRecord, raw: RawItem | undefined): CheckedProcess {
  const { owner, tags, data } = shown
  const wire = wireOf(shown)
  const verdict = verifyMessage(wire)
  if (verdict.status === 'valid') {
    return { process: sealSigned(processOf(signedWire(wire))), data: textOf(Buffer.from(data ?? '')), findings: [] }
  }
  const proof = raw === undefined ? undefined : proveItem(raw)
  if (raw === undefined || proof?.item === undefined) {
    const invalid = verdict.status === 'invalid'
    const detail = `the process: ${verdict.reason}${raw === undefined ? '; no gateway has its item' : ''}`
    const code = invalid ? 'PROCESS_SIGNATURE_INVALID' : 'SIGNATURE_NOT_CHECKED'
    const unproven: UnprovenInput = { what: 'the process', reason: detail, servedBy: serversOfProcess(shown, raw) }
    return {
      process: sealUnproven(processOf(wire), unproven),
      data: raw === undefined ? undefined : textOf(raw.data),
      findings: [{ code, severity: invalid ? 'error' : 'warning', attribution: 'scheduler', detail }]
    }
  }
  const truth = wireOfItem(proof.item)
  // An honest scheduler may hide data and anchor (§1.4); the module reads only the owner and the tags of a process.
  const same = owner.key === truth.owner.key && JSON.stringify(tags) === JSON.stringify(truth.tags)
  const detail = "the scheduler's process differs from the signed one; the signed one is used"
  const finding = { code: 'PROCESS_SIGNATURE_INVALID', severity: 'error', attribution: 'scheduler', detail } as const
  return { process: sealSigned(processOf(truth)), data: textOf(proof.item.data), findings: same ? [] : [finding] }
}

/** Whether the scheduler's description of a process proves itself: then its raw item is not needed. */
export function provesItself(shown: ProcessRecord): boolean {
  return verifyMessage(wireOf(shown)).status === 'valid'
}

function wireOf({ id, owner, tags, signature, anchor, target, data }: ProcessRecord): WireItem {
  return { id, owner, tags, signature, anchor, target, data }
}

function processOf({ id, owner, tags, signature, anchor }: WireItem): ProcessItem {
  const moduleId = tagValue(tags, 'Module') ?? ''
  const scheduler = tagValue(tags, 'Scheduler') ?? ''
  if (!isArweaveId(moduleId)) throw new AuditError('INPUT_MISSING', `the process ${id} names no module`)
  if (!isAddress(scheduler)) throw new AuditError('INPUT_MISSING', `the process ${id} names no scheduler`)
  return { id: id as ProcessId, owner, tags, signature, anchor, moduleId: moduleId as ModuleId, scheduler }
}

/** Decodes as `Response.text()` does: without a byte order mark, and with U+FFFD for invalid UTF-8. */
function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

/** The roles that served a process as it is shown: the scheduler, and a gateway that describes it in the same way. */
export function serversOfProcess(
  { owner, tags }: Pick<WireItem, 'owner' | 'tags'>,
  raw: RawItem | undefined
): UnprovenInput['servedBy'] {
  const pairs = (all: typeof tags) => JSON.stringify(all.map(({ name, value }) => [name, value]))
  const alike = raw?.record.owner.address === owner.address && pairs(raw.record.tags) === pairs(tags)
  return alike ? ['gateway', 'scheduler'] : ['scheduler']
}

export interface CheckedModule {
  readonly module: Checked<ModuleItem>
  readonly findings: readonly Finding[]
  /** Why it is not run, unless the user trusts the gateway. */
  readonly tampered?: UnprovenInput
}

/** Checks that the module is the item that was signed under its id. */
export function checkModule(raw: RawItem, blob: BlobRef): CheckedModule {
  const { record } = raw
  const { verdict, facts } = proveItem(raw)
  const itemOf = ({ id, owner, tags }: Pick<ModuleItem, 'id' | 'owner' | 'tags'>): ModuleItem => ({
    id,
    owner,
    tags,
    data: blob
  })
  if (facts !== undefined) return { module: sealSigned(itemOf(facts)), findings: [] }
  const invalid = verdict.status === 'invalid'
  const reason = verdict.status === 'valid' ? 'its description differs from the signed item' : verdict.reason
  const detail = `the module from ${record.gateway}: ${reason}`
  const unproven: UnprovenInput = { what: 'the module', reason: detail, servedBy: ['gateway'] }
  const code = invalid ? 'MODULE_SIGNATURE_INVALID' : 'SIGNATURE_NOT_CHECKED'
  return {
    module: sealUnproven(itemOf(record), unproven),
    findings: [{ code, severity: invalid ? 'error' : 'warning', attribution: 'gateway', detail }],
    ...(invalid ? { tampered: unproven } : {})
  }
}

/** Since the boot loader a process has an assignment of its own, which is the first (protocol §1.5). */
export function isOwnAssignment({ nonce, messageId }: ScheduledMessage, process: ProcessId): boolean {
  return nonce === 0 && (messageId as string) === process
}

/**
 * The time at which the scheduler accepted the process, from its own signed assignment, or from the bundle around it if the
 * scheduler signed that. Otherwise it is only the scheduler's word, and nothing that depends on it proves anything.
 *
 * @param first the first message of the schedule, checked; undefined if there is none
 * @param bundle the item that, by a gateway's word, contains the process
 */
export function checkTimes(
  process: Checked<ProcessItem>,
  shown: Times,
  first: Checked<ScheduledMessage> | undefined,
  bundle: RawItem | undefined
): Checked<Times> {
  if (first !== undefined && isOwnAssignment(first, process.id)) {
    const { timestamp, blockHeight } = first
    return 'unproven' in first
      ? sealUnproven({ timestamp, blockHeight }, first.unproven)
      : sealSigned({ timestamp, blockHeight })
  }
  const outer = bundle === undefined ? undefined : proveItem(bundle).item
  const times = outer === undefined ? undefined : timesInBundle(outer, process.id, process.scheduler)
  if (times !== undefined) return sealSigned(times)
  const { timestamp, blockHeight } = shown
  const reason = 'only the scheduler states when it accepted the process: no signed assignment or bundle confirms it'
  return sealUnproven({ timestamp, blockHeight }, { what: 'the time of the process', reason, servedBy: ['scheduler'] })
}
