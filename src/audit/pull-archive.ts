/** Writes all inputs of an audit into one file. */

import { createInputs, type Inputs, runPrefixes } from '../inputs/inputs.ts'
import { transactionKey } from '../inputs/item-inputs.ts'
import type { Run } from '../inputs/run-record.ts'
import type { TransactionId } from '../model/ids.ts'
import type { BlobRef } from '../model/records.ts'
import { pull } from '../pull/pull.ts'
import { namesDrive } from '../replay/drive/admission.ts'
import { checkArchiveFile, type Selection, writeArchive } from '../store/archive.ts'
import { directoryOf, withStore } from '../store/default-store.ts'
import { assertApart } from '../store/places.ts'
import type { RecordKey } from '../store/store.ts'
import { verifyMessage } from '../verify/message-item.ts'
import type { SourceOptions } from './audit-options.ts'
import { checkSourceOptions } from './checked-options.ts'
import { parseProcessId } from './config.ts'
import { auditStored, noneAway } from './stored-audit.ts'
import { pullOptions } from './units.ts'
import { verifyInputs } from './verified-inputs.ts'

/**
 * Fetches all inputs of an audit into one archive file. Inputs that the store already has are not requested again.
 *
 * @throws AuditError as `audit`, and if anything is missing, because an archive is always complete
 */
export async function pullArchive(options: SourceOptions & { readonly process: string }, file: string): Promise<Run> {
  checkSourceOptions(options)
  const process = parseProcessId(options.process)
  // Checked before hours of work; a device or a pipe is never replaced, nor filled.
  await assertApart([await checkArchiveFile(file)], [], directoryOf(options.store))
  return withStore(options.store, async (store) => {
    const inputs = createInputs(store)
    const pulling = await pullOptions(options, process, inputs, 'add')
    const { run, absences } = await pull(pulling)
    const [absence] = absences
    if (absence !== undefined) throw absence
    // Only a run shows which files it opens: an audit keeps them.
    if (await opensFiles(inputs, run))
      await auditStored(options, store, inputs, run, noneAway(0), { gateway: pulling.units.gateway })
    const finished: Run = { ...run, state: 'finished' }
    await inputs.runs.put(finished)
    await writeArchive(store, await selectionOf(inputs, finished), file)
    return finished
  })
}

async function opensFiles(inputs: Inputs, run: Run): Promise<boolean> {
  const { process, module } = await readSigned(inputs, run)
  return namesDrive({ process, module: module.module })
}

/** Reads process and module, but nothing of the schedule. */
function readSigned(inputs: Inputs, run: Run) {
  return verifyInputs(inputs, run, { verify: async (items) => items.map(verifyMessage) })
}

/** Selects the records that belong to a run, and nothing else of the store. */
async function selectionOf(inputs: Inputs, run: Run): Promise<Selection> {
  const { process } = await readSigned(inputs, run)
  const items: RecordKey[] = []
  const blobs: BlobRef[] = []
  /** The store holds such items only if they were needed: items on the chain, and the raw item of a record that lacks proof. */
  const take = async (id: TransactionId) => {
    const record = await inputs.items.transaction(id)
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
