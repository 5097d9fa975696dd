/** Assignments of a process on Arweave, each with its scheduler's valid signature. */
import type { AssignmentId } from '../../model/ids.ts'
import { isArweaveId } from '../../model/ids.ts'
import { type TransactionRecord, tagValue, type WireItem } from '../../model/records.ts'
import { verifyMessage } from '../../verify/message-item.ts'
import { isSignedBy } from '../../verify/verify-schedule.ts'
import type { GatewaySource } from '../unit-sources.ts'
import { type ArweaveItems, askAgain, type KnownProcess, provenIn } from './items.ts'

export interface Assignment {
  readonly nonce: number
  readonly wire: WireItem & { readonly id: AssignmentId }
  readonly record: TransactionRecord
}

export interface AssignmentReader {
  /** The assignments of these nonces, in nonce order; a nonce may have none or several. */
  ofNonces(process: KnownProcess, nonces: readonly number[]): Promise<readonly Assignment[]>
  /** Some of the newest assignments. */
  newest(process: KnownProcess): Promise<readonly Assignment[]>
}

/** The highest number of assignments that are checked for one nonce. */
const ASSIGNMENTS_OF_A_NONCE = 4
const NEWEST = 100

export function createAssignmentReader(gateway: GatewaySource, items: ArweaveItems): AssignmentReader {
  /** If a gateway shows an assignment without its key or signature, the bundle may still hold it whole. */
  async function prove(record: TransactionRecord, { id, scheduler }: KnownProcess): Promise<Assignment | undefined> {
    const shown = await proveShown(record)
    if (shown === undefined || !isSignedBy(shown, scheduler) || tagValue(shown.tags, 'Process') !== id) return undefined
    if (tagValue(shown.tags, 'Type') !== 'Assignment') return undefined
    const nonce = nonceOf(shown)
    return nonce === undefined ? undefined : { nonce, record: shown, wire: wireOf(shown) }
  }

  async function proveShown(record: TransactionRecord): Promise<TransactionRecord | undefined> {
    if (verifyMessage(wireOf(record)).status === 'valid') return record
    const inside = record.bundledIn === undefined ? undefined : await items.bundle(record.bundledIn)
    const proven = inside === undefined ? undefined : provenIn(inside, record.id, record)
    if (proven === undefined || record.bundledIn === undefined) return undefined
    return { ...proven.record, bundledIn: record.bundledIn }
  }

  async function proveAll(records: readonly TransactionRecord[], process: KnownProcess): Promise<Assignment[]> {
    const found = new Map<string, Assignment>()
    for (const record of records) {
      const assignment = found.has(record.id) ? undefined : await prove(record, process)
      if (assignment !== undefined) found.set(record.id, assignment)
    }
    return [...found.values()]
  }

  const query = ({ id, scheduler }: KnownProcess) => ({
    // Arweave identifies an owner by the hash of its key, whatever a `Scheduler` tag says.
    ...(isArweaveId(scheduler) ? { owners: [scheduler] } : {}),
    tags: [
      { name: 'Type', values: ['Assignment'] },
      { name: 'Process', values: [id] }
    ]
  })

  return {
    async ofNonces(process, nonces) {
      const { tags, ...owners } = query(process)
      const records = await askAgain(gateway, nonces, nonceOf, (left) => ({
        ...owners,
        tags: [...tags, { name: 'Nonce', values: left.map(String) }],
        limit: left.length * ASSIGNMENTS_OF_A_NONCE,
        sort: 'HEIGHT_ASC'
      }))
      const wanted = new Set(nonces)
      const found = (await proveAll(records, process)).filter(({ nonce }) => wanted.has(nonce))
      return found.sort((left, right) => left.nonce - right.nonce)
    },

    async newest(process) {
      const records = await gateway.transactions({ ...query(process), limit: NEWEST, sort: 'HEIGHT_DESC' })
      return proveAll(records, process)
    }
  }
}

/** The form in which a scheduler serves it with `show-anchor` (§1.4). */
function wireOf({ id, owner, tags, signature, anchor, recipient }: TransactionRecord): Assignment['wire'] {
  return { id: id as AssignmentId, owner, tags, signature, anchor: anchor === '' ? null : anchor, target: recipient }
}

function nonceOf({ tags }: Pick<TransactionRecord, 'tags'>): number | undefined {
  const text = tagValue(tags, 'Nonce') ?? ''
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
