/** Checkpoints that gateways list: first those of the audited units, then those of strangers, within tight limits. */
import PQueue from 'p-queue'
import type { GatewaySource } from '../fetch/unit-sources.ts'
import type { UnreadCheckpoints } from '../inputs/checkpoint-inputs.ts'
import { whole } from '../inputs/live-inputs.ts'
import type { Run } from '../inputs/run-record.ts'
import { AuditError } from '../model/errors.ts'
import { type Address, isAddress } from '../model/ids.ts'
import type { TransactionRecord } from '../model/records.ts'
import { checkpointFault, readCheckpointTags } from '../verify/checkpoint.ts'
import { type FetchItem, unlessAbsent } from './gateway-items.ts'
import type { PullOptions } from './pull-options.ts'

const CHECKPOINT_MAX_BYTES = 512 * 1024 * 1024
/** For each signer whose checkpoints count for an audited unit: as many as a CU itself considers (§3). */
const OWN_MAX = 50
/** For each stranger, and for all strangers: their checkpoints suggest profiles and starting points, at the auditor's cost. */
const STRANGERS_EACH = 10
const STRANGERS_MAX = 50
/** Compressed bytes of all strangers' checkpoints. */
const STRANGERS_BYTES = 1024 * 1024 * 1024
/** Records of one query, readable or not: unreadable ones take no room from the others. */
const LISTED_MAX = 1_000
/** Each checkpoint is in memory as a whole until it is stored. */
const AT_ONCE = 2

/**
 * Fetches the checkpoints in range (§3), each whole, because its signature covers its data. It takes the checkpoints of every
 * gateway's list; a shorter list is not a fault. It counts those that cannot be read or have no room.
 *
 * @returns a failure if no gateway could be asked
 */
export async function fetchCheckpoints(options: PullOptions, fetchItem: FetchItem, run: Run): Promise<AuditError | undefined> {
  const own = ownSigners(options, run)
  const asked = askedFor(options, own)
  const failures: AuditError[] = []
  const gateways = options.units.gateway.each()
  for (const gateway of gateways) {
    const url = gateway.listedBy[0] ?? ''
    // Also false if the user or the units have named other signers since.
    const read = await options.inputs.checkpoints.wereRead(run, url, asked)
    try {
      if (read) await fetchSpoilt(options, fetchItem, run)
      else await fetchListed(options, fetchItem, run, own, gateway, url)
    } catch (error) {
      if (!(error instanceof AuditError) || error.unit === undefined) throw error
      failures.push(error)
    }
  }
  return failures.length === gateways.length ? failures[0] : undefined
}

/** Fetches listed checkpoints again whose stored data is damaged or missing. */
async function fetchSpoilt({ inputs }: PullOptions, fetchItem: FetchItem, run: Run): Promise<void> {
  for (const id of await inputs.checkpoints.ids(run.process)) {
    await unlessAbsent(() => fetchItem(id, CHECKPOINT_MAX_BYTES))
  }
}

async function fetchListed(
  options: PullOptions,
  fetchItem: FetchItem,
  run: Run,
  own: readonly Address[],
  gateway: GatewaySource,
  url: string
): Promise<void> {
  const { inputs, startAt } = options
  const listed: TransactionRecord[] =
    startAt === undefined ? [] : [...(await gateway.transactions({ ids: [startAt], limit: 1 }))]
  // One query for each signer, so that many checkpoints of one do not hide those of another.
  for (const owner of own) listed.push(...(await gateway.transactions({ ...query(run), owners: [owner] })))
  const strangers = await gateway.transactions(query(run))
  const isOwn = ({ id, owner }: TransactionRecord) => id === startAt || own.some((address) => address === owner.address)
  const all = new Map([...listed, ...strangers.filter((record) => !isOwn(record))].map((record) => [record.id, record]))
  const chosen = choose([...all.values()], run, isOwn)
  const queue = new PQueue({ concurrency: AT_ONCE })
  const fetchOne = (id: TransactionRecord['id'], maxBytes: number) => unlessAbsent(() => fetchItem(id, maxBytes))
  await whole(chosen.own.map(({ id }) => queue.add(() => fetchOne(id, CHECKPOINT_MAX_BYTES))))
  const ids = chosen.own.map(({ id }) => id)
  let bytesLeft = STRANGERS_BYTES
  let cut = chosen.unread.cut
  for (const { id } of chosen.strangers) {
    const record = bytesLeft <= 0 ? undefined : await fetchOne(id, Math.min(bytesLeft, CHECKPOINT_MAX_BYTES))
    bytesLeft -= record?.data?.bytes ?? 0
    if (record === undefined) cut++
    else ids.push(id)
  }
  await inputs.checkpoints.put(run, url, ids, { signers: askedFor(options, own), unread: { ...chosen.unread, cut } })
}

/** The signers whose checkpoints count for an audited unit: those that the units name and those that the user names. */
function ownSigners({ checkpointOwners = [] }: PullOptions, { computes }: Run): readonly Address[] {
  const named = [...computes.flatMap(({ address }) => address ?? []), ...checkpointOwners]
  return [...new Set(named)].filter(isAddress).sort()
}

/** The parts of a query that come from the user or the units: if they change, gateways are asked again. */
function askedFor({ startAt }: PullOptions, own: readonly Address[]): readonly string[] {
  return startAt === undefined ? own : [...own, startAt]
}

function query(run: Run): Parameters<GatewaySource['transactions']>[0] {
  const tags = [
    { name: 'Process', values: [run.process] },
    { name: 'Type', values: ['Checkpoint'] },
    { name: 'Data-Protocol', values: ['ao'] }
  ]
  return { tags, limit: LISTED_MAX, sort: 'HEIGHT_DESC' }
}

interface Chosen {
  readonly own: readonly TransactionRecord[]
  readonly strangers: readonly TransactionRecord[]
  readonly unread: UnreadCheckpoints
}

/** Chooses the newest readable checkpoints in range, up to a limit for each signer. */
function choose(listed: readonly TransactionRecord[], run: Run, isOwn: (record: TransactionRecord) => boolean): Chosen {
  const own: TransactionRecord[] = []
  const strangers: TransactionRecord[] = []
  const ofSigner = new Map<string, number>()
  const faults = new Map<string, number>()
  let cut = 0
  for (const record of listed) {
    const tags = readCheckpointTags(record, run.process)
    if (tags === undefined) {
      const fault = checkpointFault(record)
      faults.set(fault, (faults.get(fault) ?? 0) + 1)
      continue
    }
    if (tags.nonce > run.to) continue
    const signer = record.owner.address
    const count = (ofSigner.get(signer) ?? 0) + 1
    const fits = isOwn(record) ? count <= OWN_MAX : count <= STRANGERS_EACH && strangers.length < STRANGERS_MAX
    if (!fits) {
      cut++
      continue
    }
    ofSigner.set(signer, count)
    const chosen = isOwn(record) ? own : strangers
    chosen.push(record)
  }
  return { own, strangers, unread: { faults: [...faults].map(([reason, count]) => ({ reason, count })), cut } }
}
