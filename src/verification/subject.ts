/** Process and module as they were signed. */
import type { Finding } from '../findings.ts'
import type { ProcessRecord, WireItem } from '../records.ts'
import { wireOfItem } from '../verify/as-signed.ts'
import { proveRawItem, verifyMessage } from '../verify/message-item.ts'
import { proveItem, type RawItem } from './raw-item.ts'
import type { Doubt } from './trust.ts'

export interface CheckedProcess {
  /** As signed, where that is known. */
  readonly process: ProcessRecord
  readonly findings: readonly Finding[]
  /** Why it proves nothing. */
  readonly doubt?: Doubt
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
      doubt: { what: 'the process', reason: detail, servedBy: serversOfProcess(process, raw) }
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

/** Who served a process as it is shown: the scheduler did, and a gateway whose item is described alike. */
export function serversOfProcess(
  { owner, tags }: Pick<WireItem, 'owner' | 'tags'>,
  raw: RawItem | undefined
): Doubt['servedBy'] {
  const pairs = (all: typeof tags) => JSON.stringify(all.map(({ name, value }) => [name, value]))
  const alike = raw?.record.owner.address === owner.address && pairs(raw.record.tags) === pairs(tags)
  return alike ? ['gateway', 'scheduler'] : ['scheduler']
}

export type ModuleStanding =
  | { readonly kind: 'proven' }
  /** `spoilt`: nothing is run with it, unless the gateway is trusted. */
  | { readonly kind: 'spoilt' | 'unproven'; readonly finding: Finding; readonly doubt: Doubt }

/** Whether the module is the one that was signed under its id. */
export function checkModule(module: RawItem): ModuleStanding {
  const { record } = module
  const { verdict } = proveItem(module)
  if (verdict.status === 'valid') return { kind: 'proven' }
  const detail = `the module from ${record.gateway}: ${verdict.reason}`
  const doubt: Doubt = { what: 'the module', reason: detail, servedBy: ['gateway'] }
  const about = { attribution: 'gateway', detail } as const
  if (verdict.status === 'invalid') {
    return { kind: 'spoilt', finding: { code: 'MODULE_SIGNATURE_INVALID', severity: 'error', ...about }, doubt }
  }
  return { kind: 'unproven', finding: { code: 'SIGNATURE_NOT_CHECKED', severity: 'warning', ...about }, doubt }
}
