/** Assignments of a process on Arweave, each proven to be its scheduler's. */
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
  /** All of these nonces, in their order; none of a nonce that is not there, several where there are several. */
  ofNonces(process: KnownProcess, nonces: readonly number[]): Promise<readonly Assignment[]>
  /** Some of the newest. */
  newest(process: KnownProcess): Promise<readonly Assignment[]>
}

/** Copies of one assignment, and other ones of the same nonce, that are looked at. */
const ASSIGNMENTS_OF_A_NONCE = 4
const NEWEST = 100

export function createAssignmentReader(gateway: GatewaySource, items: ArweaveItems): AssignmentReader {
  /** One that a gateway shows without its key or signature may still lie whole in its bundle. */
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
    // Arweave names a key by its hash, whatever a `Scheduler` tag calls it.
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

/** As a scheduler shows it with `show-anchor` (§1.4). */
function wireOf({ id, owner, tags, signature, anchor, recipient }: TransactionRecord): Assignment['wire'] {
  return { id: id as AssignmentId, owner, tags, signature, anchor: anchor === '' ? null : anchor, target: recipient }
}

function nonceOf({ tags }: Pick<TransactionRecord, 'tags'>): number | undefined {
  const text = tagValue(tags, 'Nonce') ?? ''
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
