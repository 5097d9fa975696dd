/** Writes all inputs of an audit into one file. */

import { createInputs, type Inputs } from '../inputs/inputs.ts'
import type { Run } from '../inputs/run-record.ts'
import { pull } from '../pull/pull.ts'
import { namesDrive } from '../replay/drive/admission.ts'
import { checkArchiveFile, writeArchive } from '../store/archive.ts'
import { directoryOf, withStore } from '../store/default-store.ts'
import { assertApart } from '../store/places.ts'
import { verifyMessage } from '../verify/message-item.ts'
import type { SourceOptions } from './audit-options.ts'
import { checkSourceOptions } from './checked-options.ts'
import { parseProcessId, parseUnits } from './config.ts'
import { selectionOf } from './run-records.ts'
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
  parseUnits(options)
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
    const { process: proven } = await readSigned(inputs, finished)
    await writeArchive(store, await selectionOf(inputs, finished, proven), file)
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
