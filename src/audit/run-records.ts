/** The records of a store that belong to one run: everything that an audit of the run reads. */
import { type Inputs, runPrefixes } from '../inputs/inputs.ts'
import { transactionKey } from '../inputs/item-inputs.ts'
import type { Run } from '../inputs/run-record.ts'
import type { TransactionId } from '../model/ids.ts'
import type { BlobRef, ProcessItem } from '../model/records.ts'
import { hashRecords, type Selection } from '../store/archive.ts'
import type { RecordKey, Store } from '../store/store.ts'
import { isJsonObject, type JsonObject } from '../util/json-value.ts'

/** Selects the records that belong to a run, and nothing else of the store. */
export async function selectionOf(inputs: Inputs, run: Run, process: Pick<ProcessItem, 'moduleId'>): Promise<Selection> {
  const items: RecordKey[] = []
  const blobs: BlobRef[] = []
  /** The store holds such items only if they were needed: items on the chain, and the raw item of a record that lacks proof. */
  const stored = await inputs.items.transactionIds()
  const take = async (id: TransactionId) => {
    const record = stored.has(id) ? await inputs.items.transaction(id) : undefined
    if (record === undefined) return
    items.push(transactionKey(id))
    if (record.data !== undefined) blobs.push(record.data)
  }
  await take(run.process)
  await take(process.moduleId)
  const around = (await inputs.items.transaction(run.process))?.bundledIn
  if (around !== undefined) await take(around)
  for await (const { assignment, messageId } of inputs.schedule.messages(run, 0, run.to)) {
    await take(assignment.id)
    await take(messageId)
  }
  for (const id of await inputs.checkpoints.ids(run.process)) await take(id)
  for (const file of await inputs.drive.files(run.process)) {
    if (file.kind === 'data') await take(file.id)
    else blobs.push(file.content)
  }
  return { prefixes: [...runPrefixes(run), ...items], blobs, subject: { process: run.process, run: run.id } }
}

/**
 * Computes the digest of everything that an audit of a run reads, whichever part of its range is judged: a SHA-256 over the records that
 * an archive of the run holds. It covers blobs by their hashes. It leaves out the run itself, because the report says what was asked for,
 * records behind the run's last nonce, and the time of each answer: units that give the same answers again give the same digest.
 */
export async function digestOfInputs(
  store: Store,
  inputs: Inputs,
  run: Run,
  process: Pick<ProcessItem, 'moduleId'>
): Promise<string> {
  const whole = (await inputs.runs.get(run.process, run.id)) ?? run
  const { prefixes } = await selectionOf(inputs, whole, process)
  return hashRecords(store, prefixes, ([kind, , , nonce], value) => {
    if (kind === 'run') return undefined
    if ((kind === 'schedule' || kind === 'anomaly') && Number(nonce) > whole.to) return undefined
    return isJsonObject(value) ? withoutTime(value) : value
  })
}

function withoutTime(record: JsonObject): JsonObject {
  const { receivedAt: _, ...rest } = record
  return rest
}
