/** The whole order in which the inputs of an audit are verified. Nothing that is not read off what this gives reaches a replay. */

import { createConflictingAssignments } from '../inputs/conflicting-assignments.ts'
import type { Inputs } from '../inputs/inputs.ts'
import type { Run } from '../inputs/run-record.ts'
import { AuditError } from '../model/errors.ts'
import type { ChainItem, ScheduledMessage, Times, TransactionRecord } from '../model/records.ts'
import { checkChainItem } from '../verify/chain-item.ts'
import { type CheckedMessage, checkSchedule } from '../verify/checked-schedule.ts'
import { type CheckedModule, type CheckedProcess, checkModule, checkProcess, checkTimes } from '../verify/process-and-module.ts'
import type { RawItem } from '../verify/raw-item.ts'
import type { Checked } from '../verify/signed.ts'
import type { Verifier } from '../verify/verification-threads.ts'
import { proveOnce, verifyOnce } from '../verify/verified-once.ts'

export interface VerifiedInputs extends CheckedProcess {
  readonly module: CheckedModule
  /** May be read again and again: what was verified once is remembered. */
  schedule(): AsyncGenerator<CheckedMessage>
  /** An item that an assignment names; undefined where nobody has it. */
  chainItem(id: TransactionRecord['id']): Promise<{ readonly item: Checked<ChainItem>; readonly dataText?: string } | undefined>
  taken(first: Checked<ScheduledMessage> | undefined): Promise<Checked<Times>>
}

/**
 * Verifies what the store has of a run. Each step goes by what the one before it has proven, and by nothing else.
 *
 * @throws AuditError `INPUT_MISSING` where process or module are not in the store
 */
export async function verifyInputs(inputs: Inputs, run: Run, verifier: Pick<Verifier, 'verify'>): Promise<VerifiedInputs> {
  const once = verifyOnce(verifier)
  const prove = proveOnce()
  const rawItem = (id: TransactionRecord['id']) => rawItemOf(inputs, id)

  // 1. The process: by the signature in what is shown of it, else by the item of its id.
  const shown = await inputs.items.process(run.process, run.scheduler)
  if (shown === undefined) throw new AuditError('INPUT_MISSING', `the process ${run.process} is not in the store`)
  const checked = checkProcess(shown, await rawItem(run.process))
  const { process } = checked

  // 2. The module that the process's own tags name.
  const module = await rawItem(process.moduleId)
  if (module?.record.data === undefined)
    throw new AuditError('INPUT_MISSING', `the module ${process.moduleId} is not in the store`)

  return {
    ...checked,
    module: checkModule(module, module.record.data),

    // 3. The schedule: assignments signed by whom the process's own tags name, each with the message of the id that it assigns.
    schedule: () => {
      const shown = inputs.schedule.messages(run, 0, run.to)
      const known = (from: number, to: number) => inputs.schedule.verdicts(run, from, to)
      return checkSchedule({
        process,
        schedule: shown,
        verifier: once,
        conflictingAssignments: createConflictingAssignments(inputs, run),
        known,
        rawItem,
        prove
      })
    },

    // 4. Items on the chain, of the ids that assignments name.
    async chainItem(id) {
      const record = await inputs.items.transaction(id)
      return record === undefined ? undefined : checkChainItem(record, await inputs.items.data(record), prove)
    },

    // 5. When the process was taken: by its own assignment, else by the bundle around it, else nobody signed it.
    async taken(first) {
      const around = (await inputs.items.transaction(process.id))?.bundledIn
      return checkTimes(process, shown, first, around === undefined ? undefined : await rawItem(around))
    }
  }
}

async function rawItemOf(inputs: Inputs, id: TransactionRecord['id']): Promise<RawItem | undefined> {
  const record = await inputs.items.transaction(id)
  const data = record === undefined ? undefined : await inputs.items.data(record)
  return record === undefined || data === undefined ? undefined : { record, data }
}
