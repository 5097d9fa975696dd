/** Lets other work run during long loops. */
import { setImmediate } from 'node:timers/promises'
import { AuditError } from '../model/errors.ts'

/** Well below a second: a user who interrupts expects an answer within one. */
const EVERY_MS = 50

/**
 * Await the returned function in every round of a loop that may run long without waiting for anything, so that signals and timers
 * are handled between rounds.
 *
 * @returns a function whose promise rejects with `INTERRUPTED` if the signal has fired
 */
export function createTurns(signal?: AbortSignal): () => Promise<void> | undefined {
  let last = performance.now()
  return () => {
    if (performance.now() - last < EVERY_MS) return undefined
    return setImmediate().then(() => {
      last = performance.now()
      if (signal?.aborted === true) throw new AuditError('INTERRUPTED', 'interrupted')
    })
  }
}
