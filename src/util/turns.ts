/** Long loops that give others their turn. */
import { setImmediate } from 'node:timers/promises'
import { AuditError } from '../model/errors.ts'

/** Well below a second, in which whoever interrupts wants an answer. */
const EVERY_MS = 50

/**
 * To be awaited in every round of a loop that may take long without waiting for anything: signals and timers are heard between its
 * rounds.
 *
 * @returns what rejects with `INTERRUPTED` where the signal has fired
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
