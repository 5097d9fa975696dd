/** Checkpoints as gateways list them: those of the audited units first, strangers' as far as they cost little. */
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
/** Of each signer whose checkpoints speak for an audited unit: as many as a CU itself looks at (§3). */
const OWN_MAX = 50
/** Of each stranger, and of all strangers: they show profiles and places to begin with, and cost nobody but the auditor. */
const STRANGERS_EACH = 10
const STRANGERS_MAX = 50
/** Packed bytes of all strangers' checkpoints. */
const STRANGERS_BYTES = 1024 * 1024 * 1024
/** Listed of one question, readable or not: what cannot be read uses up none of the others' room. */
const LISTED_MAX = 1_000
/** Each is in memory as a whole until it is stored. */
const AT_ONCE = 2

/**
 * Fetches the checkpoints in range (§3), each whole, for its signature covers its data. What any gateway lists is taken; a shorter
 * list is no fault. What cannot be read, or has no room, is counted.
 *
 * @returns a failure where no gateway could be asked
 */
export async function fetchCheckpoints(options: PullOptions, fetchItem: FetchItem, run: Run): Promise<AuditError | undefined> {
  const own = ownSigners(options, run)
  const asked = askedFor(options, own)
  const failures: AuditError[] = []
  const gateways = options.units.gateway.each()
  for (const gateway of gateways) {
    const url = gateway.urls[0] ?? ''
    // Others may be asked for by now.
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

/** Checkpoints that were read, and whose data is no longer what was kept. */
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
  // Each signer alone: however many one has, another's are found.
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

/** The signers whose checkpoints speak for an audited unit: what the units name, and what the user does. */
function ownSigners({ checkpointOwners = [] }: PullOptions, { computes }: Run): readonly Address[] {
  const named = [...computes.flatMap(({ address }) => address ?? []), ...checkpointOwners]
  return [...new Set(named)].filter(isAddress).sort()
}

/** What of a reading is the user's or the units' own: with other ones it is made anew. */
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

/** The newest of each signer that can be read and lie in range, each signer up to a number of its own. */
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
