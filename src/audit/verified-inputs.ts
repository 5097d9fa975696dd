/** Verifies the inputs of an audit, in order. A replay reads its inputs only from here. */

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
  /** May be read repeatedly: verified messages are remembered. */
  schedule(): AsyncGenerator<CheckedMessage>
  /** An item that an assignment names; undefined if nobody has it. */
  chainItem(id: TransactionRecord['id']): Promise<{ readonly item: Checked<ChainItem>; readonly dataText?: string } | undefined>
  taken(first: Checked<ScheduledMessage> | undefined): Promise<Checked<Times>>
}

/**
 * Verifies the inputs of a run in the store. Each step relies only on facts that the step before has proven.
 *
 * @throws AuditError `INPUT_MISSING` if the process or the module is not in the store
 */
export async function verifyInputs(inputs: Inputs, run: Run, verifier: Pick<Verifier, 'verify'>): Promise<VerifiedInputs> {
  const once = verifyOnce(verifier)
  const prove = proveOnce()
  const rawItem = (id: TransactionRecord['id']) => rawItemOf(inputs, id)

  // 1. The process: by the signature that the scheduler shows, else by the item of its id.
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

    // 3. The schedule: assignments signed by the scheduler that the process's own tags name, each with the message that it assigns.
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

    // 4. Items on the chain, by the ids that assignments name.
    async chainItem(id) {
      const record = await inputs.items.transaction(id)
      return record === undefined ? undefined : checkChainItem(record, await inputs.items.data(record), prove)
    },

    // 5. The time at which the process was accepted: by its own assignment, else by the bundle around it, else unsigned.
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
