/** Asks for smaller pages if a page exceeds its bound in bytes. */
import { AuditError } from '../model/errors.ts'

/** The next page is smaller by this factor. */
const SHRINK = 4

/**
 * Remembers which page size fits.
 *
 * @returns a function that asks with a size of at most `limit`, and with smaller and smaller sizes while the answer is too large
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
