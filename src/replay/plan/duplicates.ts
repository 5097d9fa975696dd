/** What the CU has evaluated already (protocol §2.6; CU effects/ao-evaluation.js, saveEvaluation, findMessageBefore). */
import { createDigestTable } from '../../util/digest-table.ts'

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

/** Some 40 to 70 bytes for each key, whatever its length. */
export function createEvaluated(): Evaluated {
  const first = createDigestTable(PLACE_WORDS)
  return {
    findBefore(key, { epoch, nonce }) {
      const found = first.get(key)
      if (found === undefined) return undefined
      const earlier = placeIn(found)
      // The CU compares the earlier nonce with the epoch too, which finds nothing while all epochs are 0.
      const before = earlier.nonce < epoch || (earlier.epoch === epoch && earlier.nonce < nonce)
      return before ? earlier.nonce : undefined
    },
    add: (key, { epoch, nonce }) => first.add(key, new Uint32Array(Float64Array.of(epoch, nonce).buffer))
  }
}

/** Two doubles: nothing of a number is lost. */
const PLACE_WORDS = 4

function placeIn(words: Uint32Array): Place {
  const [epoch = 0, nonce = 0] = new Float64Array(words.slice().buffer)
  return { epoch, nonce }
}
