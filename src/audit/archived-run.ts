/** Reads the run of an archive into a store of its own. */
import { z } from 'zod'
import { createInputs, type Inputs } from '../inputs/inputs.ts'
import { type Run, sourcesOf } from '../inputs/run-record.ts'
import { admitRun, type RecordAdmission } from '../inputs/stored-records.ts'
import { AuditError } from '../model/errors.ts'
import { isArweaveId } from '../model/ids.ts'
import { readArchive } from '../store/archive.ts'
import type { Store } from '../store/store.ts'

const subjectSchema = z.object({ process: z.string().refine(isArweaveId), run: z.string().min(1).max(100) })

export interface ArchivedRun {
  readonly inputs: Inputs
  readonly run: Run
}

/**
 * Reads an archive. It accepts only records that a pull writes for one run, and they are verified later as if they came from the
 * network.
 *
 * @param store an empty store
 * @throws AuditError `ARCHIVE_INVALID`, also if a record has another kind, shape, process or run; `STORE_UNUSABLE`
 */
export async function readArchivedRun(file: string, store: Store): Promise<ArchivedRun> {
  let admission: RecordAdmission | undefined
  const unclear = () =>
    new AuditError('ARCHIVE_INVALID', `${file} does not name its process and run`, {
      hint: 'create it again with `ao-audit pull`'
    })
  const subject = await readArchive(file, store, (named) => {
    const { data } = subjectSchema.safeParse(named)
    if (data === undefined) throw unclear()
    admission = admitRun(data.process, data.run)
    return admission.admits
  })
  const { process, run: id } = subjectSchema.parse(subject)
  const inputs = createInputs(store)
  const run = await inputs.runs.get(process as Run['process'], id)
  if (run === undefined) throw unclear()
  const foreign = [...(admission?.sources ?? [])].find((source) => !sourcesOf(run).includes(source))
  if (foreign !== undefined)
    throw new AuditError('ARCHIVE_INVALID', `${file} holds a schedule from a source that its run does not name`)
  return { inputs, run }
}
