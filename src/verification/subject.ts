/** Process and module as they were signed. */
import type { Finding } from '../findings.ts'
import type { ProcessRecord, WireItem } from '../records.ts'
import { wireOfItem } from '../verify/as-signed.ts'
import { proveRawItem, verifyMessage } from '../verify/message-item.ts'
import { proveItem, type RawItem } from './raw-item.ts'

export interface CheckedProcess {
  /** As signed, where that is known. */
  readonly process: ProcessRecord
  readonly findings: readonly Finding[]
  /** Why it proves nothing. */
  readonly doubt?: string
}

/** Holds the scheduler's word about a process against its signature, and against the raw item where it does not prove itself. */
export function checkProcess(process: ProcessRecord, raw: RawItem | undefined): CheckedProcess {
  const { id, owner, tags, signature, anchor, target, data } = process
  const wire: WireItem = { id, owner, tags, signature, anchor, target, data }
  const verdict = verifyMessage(wire)
  if (verdict.status === 'valid') return { process, findings: [] }
  const proof = raw === undefined ? undefined : proveRawItem(raw.record, raw.data)
  if (proof?.item === undefined) {
    const invalid = verdict.status === 'invalid'
    const detail = `the process: ${verdict.reason}${raw === undefined ? '; no gateway has its item' : ''}`
    const code = invalid ? 'PROCESS_SIGNATURE_INVALID' : 'SIGNATURE_NOT_CHECKED'
    return {
      process,
      findings: [{ code, severity: invalid ? 'error' : 'warning', attribution: 'scheduler', detail }],
      doubt: detail
    }
  }
  const truth = wireOfItem(proof.item)
  // Data and anchor may honestly be hidden (§1.4); what the module reads of a process are owner and tags.
  const same = owner.key === truth.owner.key && JSON.stringify(tags) === JSON.stringify(truth.tags)
  if (same) return { process, findings: [] }
  const detail = 'the scheduler shows the process otherwise than it was signed; the true item is used'
  return {
    process: { ...process, owner: truth.owner, tags: truth.tags },
    findings: [{ code: 'PROCESS_SIGNATURE_INVALID', severity: 'error', attribution: 'scheduler', detail }]
  }
}

export type ModuleStanding =
  | { readonly kind: 'proven' }
  /** Nothing is run with it. */
  | { readonly kind: 'spoilt' | 'unproven'; readonly finding: Finding }

/** Whether the module is the one that was signed under its id. */
export function checkModule(module: RawItem): ModuleStanding {
  const { record } = module
  const { verdict } = proveItem(module)
  if (verdict.status === 'valid') return { kind: 'proven' }
  const detail = `the module from ${record.gateway}: ${verdict.reason}`
  if (verdict.status === 'invalid') {
    return { kind: 'spoilt', finding: { code: 'MODULE_SIGNATURE_INVALID', severity: 'error', attribution: 'gateway', detail } }
  }
  return { kind: 'unproven', finding: { code: 'SIGNATURE_NOT_CHECKED', severity: 'warning', attribution: 'gateway', detail } }
}
