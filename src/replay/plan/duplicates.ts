/**
 * The messages that the CU has already evaluated (protocol §2.6; CU effects/ao-evaluation.js, saveEvaluation, findMessageBefore).
 */
import { createDigestTable } from '../../util/digest-table.ts'

/** A message's place in the schedule. */
export interface Place {
  readonly epoch: number
  readonly nonce: number
}

/** Evaluated messages by the key under which the CU looks for them. They include failed messages, but no cron messages. */
export interface Evaluated {
  /** Returns the nonce under which the CU finds the key before this place; undefined if it is new. */
  findBefore(key: string, place: Place): number | undefined
  /** Adds a key. A known key keeps its first place, as in the CU's table. */
  add(key: string, place: Place): void
}

/** Creates an empty table, which takes about 40 to 70 bytes for each key, whatever its length. */
export function createEvaluated(): Evaluated {
  const first = createDigestTable(PLACE_WORDS)
  return {
    findBefore(key, { epoch, nonce }) {
      const found = first.get(key)
      if (found === undefined) return undefined
      const earlier = placeIn(found)
      // The CU also compares the earlier nonce with the epoch, which finds nothing while all epochs are 0.
      const before = earlier.nonce < epoch || (earlier.epoch === epoch && earlier.nonce < nonce)
      return before ? earlier.nonce : undefined
    },
    add: (key, { epoch, nonce }) => first.add(key, new Uint32Array(Float64Array.of(epoch, nonce).buffer))
  }
}

/** Two doubles, which keep numbers exactly. */
const PLACE_WORDS = 4

function placeIn(words: Uint32Array): Place {
  const [epoch = 0, nonce = 0] = new Float64Array(words.slice().buffer)
  return { epoch, nonce }
}
