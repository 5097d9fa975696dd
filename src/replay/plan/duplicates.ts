/** What the CU has evaluated already (ao-protocol §2.6; CU effects/ao-evaluation.js, saveEvaluation, findMessageBefore). */

/** A message's place in the schedule. */
export interface Place {
  readonly epoch: number
  readonly nonce: number
}

/** Evaluated messages by the key under which the CU looks for them; failed ones are among them, cron messages are not. */
export interface Evaluated {
  /** The nonce under which the CU finds it before this place; undefined where it is new. */
  findBefore(key: string, place: Place): number | undefined
  /** A key that is there already keeps its first place, as the CU's table does. */
  add(key: string, place: Place): void
}

export function createEvaluated(): Evaluated {
  const first = new Map<string, Place>()
  return {
    findBefore(key, { epoch, nonce }) {
      const earlier = first.get(key)
      if (earlier === undefined) return undefined
      // The CU compares the earlier nonce with the epoch too, which finds nothing while all epochs are 0.
      const before = earlier.nonce < epoch || (earlier.epoch === epoch && earlier.nonce < nonce)
      return before ? earlier.nonce : undefined
    },
    add(key, { epoch, nonce }) {
      if (!first.has(key)) first.set(key, { epoch, nonce })
    }
  }
}
