/** Further assignments of a nonce that the run's schedule does not use: a second one of a source, or that of the other source. */
import { ARWEAVE } from '../fetch/arweave-schedule/schedule.ts'
import type { ScheduledMessage } from '../model/records.ts'
import { createNonceSet } from '../util/nonce-set.ts'
import type { Inputs } from './inputs.ts'
import { type Run, sourcesOf } from './run-record.ts'

/** Reads once, as far as the schedule has arrived, which nonces have further messages; reads the messages only when asked. */
export function createConflictingAssignments(
  inputs: Inputs,
  run: Run
): (nonce: number) => Promise<readonly ScheduledMessage[]> {
  const twice = createNonceSet()
  let readTo = -1
  async function readOn(): Promise<void> {
    // Records that arrive meanwhile are read the next time.
    const to = inputs.schedule.completeTo()
    const range = { from: readTo + 1, ...(Number.isFinite(to) ? { to } : {}) }
    for (const source of sourcesOf(run)) {
      for await (const { nonce, messages = [] } of inputs.schedule.anomalies(run, source, range))
        if (messages.length > 0) twice.add(nonce)
    }
    readTo = to
  }
  return async (nonce) => {
    if (nonce > readTo) await readOn()
    const second = run.schedule === 'both' ? await inputs.schedule.at(ARWEAVE, run.process, nonce) : undefined
    const conflicting = second === undefined ? [] : [second]
    for (const source of twice.has(nonce) ? sourcesOf(run) : []) {
      for await (const { messages = [] } of inputs.schedule.anomalies(run, source, { from: nonce, to: nonce }))
        conflicting.push(...messages)
    }
    return conflicting
  }
}
