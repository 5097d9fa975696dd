/** Writes all inputs of an audit into one file. */
import { createReadStream } from 'node:fs'
import path from 'node:path'
import { createInputs, type Inputs } from '../inputs/inputs.ts'
import type { Run } from '../inputs/run-record.ts'
import { pull } from '../pull/pull.ts'
import { namesDrive } from '../replay/drive/admission.ts'
import { checkArchiveFile, type Selection, writeArchive } from '../store/archive.ts'
import { directoryOf, withStore } from '../store/default-store.ts'
import { assertApart } from '../store/places.ts'
import type { Store } from '../store/store.ts'
import { verifyMessage } from '../verify/message-item.ts'
import type { SourceOptions } from './audit-options.ts'
import { checkSourceOptions } from './checked-options.ts'
import { parseProcessId, parseUnits } from './config.ts'
import { selectionOf } from './run-records.ts'
import { auditStored, noneAway } from './stored-audit.ts'
import { pullOptions } from './units.ts'
import { verifyInputs } from './verified-inputs.ts'

/** The name of a file, or a function that receives the bytes of the complete archive. */
export type ArchiveOutput = string | ((archive: AsyncIterable<Uint8Array>) => Promise<void>)

/**
 * Fetches all inputs of an audit into one archive. Inputs that the store already has are not requested again.
 *
 * @param output the file to write, or a function that receives the bytes once the archive is complete
 * @throws AuditError `USAGE` for an option that cannot be used; `STORE_LOCKED`, `STORE_UNUSABLE`; `OUTPUT_UNUSABLE`. Because an archive
 *   is always complete, also where `audit` would report that something is missing: `UNIT_UNREACHABLE`, `WIRE_INVALID`, `UNIT_REFUSED`,
 *   `ANSWER_TOO_LARGE`, `ADDRESS_FORBIDDEN`, `INPUT_MISSING`. For a process with WeaveDrive, which is run once: `MODULE_UNSUPPORTED`,
 *   `ENVIRONMENT_UNFIT`, `SANDBOX_FAILED`. `INTERRUPTED` if the signal fired
 */
export async function pullArchive(options: SourceOptions & { readonly process: string }, output: ArchiveOutput): Promise<Run> {
  checkSourceOptions(options)
  const process = parseProcessId(options.process)
  parseUnits(options)
  // Checked before hours of work; a device or a pipe is never replaced, nor filled.
  if (typeof output === 'string') await assertApart([await checkArchiveFile(output)], [], directoryOf(options.store))
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
    const { process: proven } = await readSigned(inputs, finished)
    await writeTo(output, store, await selectionOf(inputs, finished, proven))
    return finished
  })
}

async function writeTo(output: ArchiveOutput, store: Store, selection: Selection): Promise<void> {
  if (typeof output === 'string') return writeArchive(store, selection, output)
  const file = path.join(await store.temporary(), 'archive.tar.gz')
  await writeArchive(store, selection, file)
  await output(createReadStream(file))
}

async function opensFiles(inputs: Inputs, run: Run): Promise<boolean> {
  const { process, module } = await readSigned(inputs, run)
  return namesDrive({ process, module: module.module })
}

/** Reads process and module, but nothing of the schedule. */
function readSigned(inputs: Inputs, run: Run) {
  return verifyInputs(inputs, run, { verify: async (items) => items.map(verifyMessage) })
}
