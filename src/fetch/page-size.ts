/** Pages that outgrow their bound in bytes are asked for in parts. */
import { AuditError } from '../model/errors.ts'

/** How much smaller the next page is. */
const SHRINK = 4

/**
 * Remembers which page size fits.
 *
 * @returns a function that asks with a size of at most `limit`, and with ever smaller ones while the answer is too large
 */
export function createPageSize(): <T>(limit: number, ask: (size: number) => Promise<T>) => Promise<T> {
  let fits = Number.POSITIVE_INFINITY
  return async (limit, ask) => {
    for (;;) {
      const size = Math.min(limit, fits)
      try {
        return await ask(size)
      } catch (error) {
        if (!(error instanceof AuditError) || error.code !== 'ANSWER_TOO_LARGE' || size <= 1) throw error
        fits = Math.ceil(size / SHRINK)
      }
    }
  }
}
