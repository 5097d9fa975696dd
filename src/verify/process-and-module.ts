/** Process and module, as they were signed. */
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
  /** Its data as `/raw/<id>` gives it to a CU, text; undefined where nobody has it. */
  readonly data: string | undefined
  readonly findings: readonly Finding[]
}

/**
 * Holds the scheduler's word about a process against its signature, and against the raw item where it does not prove itself.
 * Module and scheduler are those of the tags that are gone by, never words beside them.
 *
 * @throws AuditError `INPUT_MISSING` where the process names no module or no scheduler
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
  // Data and anchor may honestly be hidden (§1.4); what the module reads of a process are owner and tags.
  const same = owner.key === truth.owner.key && JSON.stringify(tags) === JSON.stringify(truth.tags)
  const detail = 'the scheduler shows the process otherwise than it was signed; the true item is used'
  const finding = { code: 'PROCESS_SIGNATURE_INVALID', severity: 'error', attribution: 'scheduler', detail } as const
  return { process: sealSigned(processOf(truth)), data: textOf(proof.item.data), findings: same ? [] : [finding] }
}

/** Whether what is shown of a process is what was signed: then its item need not be asked for. */
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

/** As `Response.text()`: no byte order mark, U+FFFD for what is no UTF-8. */
function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

/** Who served a process as it is shown: the scheduler did, and a gateway whose item is described alike. */
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
  /** Why nothing is run with it, unless the gateway is trusted. */
  readonly tampered?: UnprovenInput
}

/** Whether the module is the one that was signed under its id. */
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
  const reason = verdict.status === 'valid' ? 'it is described otherwise' : verdict.reason
  const detail = `the module from ${record.gateway}: ${reason}`
  const unproven: UnprovenInput = { what: 'the module', reason: detail, servedBy: ['gateway'] }
  const code = invalid ? 'MODULE_SIGNATURE_INVALID' : 'SIGNATURE_NOT_CHECKED'
  return {
    module: sealUnproven(itemOf(record), unproven),
    findings: [{ code, severity: invalid ? 'error' : 'warning', attribution: 'gateway', detail }],
    ...(invalid ? { tampered: unproven } : {})
  }
}

/** Since the boot loader a process has an assignment of its own, and it is the first (protocol §1.5). */
export function isOwnAssignment({ nonce, messageId }: ScheduledMessage, process: ProcessId): boolean {
  return nonce === 0 && (messageId as string) === process
}

/**
 * When the scheduler took the process: as its own assignment says, which is signed; or as the bundle around it does, where the
 * scheduler signed that. Else it is the scheduler's word, and whatever hangs on it proves nothing.
 *
 * @param first the first message of the schedule, checked; undefined where there is none
 * @param bundle the item that a gateway says the process lies in
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
  const reason = 'when the process was taken is the word of the scheduler alone: no assignment and no bundle says it'
  return sealUnproven({ timestamp, blockHeight }, { what: 'the time of the process', reason, servedBy: ['scheduler'] })
}
