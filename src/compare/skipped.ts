/** Honest answers for a message that the CU's own rules skip (protocol §2.6). */
import type { Claim, Outcome } from '../model/records.ts'
import { canonicalResult, EMPTY_RESULT } from './canonical.ts'
import type { Comparison } from './comparison.ts'
import { type Before, fingerprint } from './history.ts'
import { agrees, type ComparisonOptions, compareResult } from './result.ts'

export type SkippedOutcome = Extract<Outcome, { readonly kind: 'skipped' }>

export type SkippedAnswer =
  /** One of the answers that an honest CU may give. */
  | {
      readonly kind: 'agrees'
      readonly as:
        | 'the empty result'
        | 'the result before it'
        | 'the first result of the same message'
        | 'the result of the message that it repeats'
    }
  /** None of them; the differences are those from the nearest. */
  | { readonly kind: 'differs'; readonly comparison: Comparison }
  /** The unit says that it evaluated the message; after an Error it went on from the state before. */
  | { readonly kind: 'evaluated'; readonly stateKept: boolean }
  /** It may be an honest answer that is not known here. */
  | { readonly kind: 'unknown'; readonly why: string }

const UNKNOWN_GAS = 'its answer reports gas that no known result before it used'

/**
 * Judges an answer for a skipped message.
 *
 * A request whose stream evaluates nothing gives the empty result. One that evaluates messages before the skipped one gives the
 * last of their results (CU domain/lib/evaluate.js: `prev` stays; issue permaweb/ao#1091). `/result` is cached by message id
 * alone (CU routes/result.js) and the scheduler looks an id up by its oldest assignment (§1.2): an id that was evaluated before
 * gives that result.
 *
 * The CU keeps the list of messages it saw in its own database (§2.6): a CU that starts anew from a checkpoint after the first
 * message may evaluate the second. It then lists it in `/results`, or answers with an Error: neither shows dishonesty.
 */
export function judgeSkipped(
  answer: Claim,
  { reason }: SkippedOutcome,
  { previous, firstOfMessage, firstOfTwin }: Before,
  options: ComparisonOptions
): SkippedAnswer {
  if (answer.kind === 'listed') return { kind: 'evaluated', stateKept: false }
  // Nothing was evaluated: the answer may report the gas of the result that it repeats.
  const { GasUsed: gas } = canonicalResult(answer.value)
  if (gas !== undefined && typeof gas !== 'number') return { kind: 'unknown', why: UNKNOWN_GAS }
  const known = isKnownGas(gas, previous)
  const claim = { ...answer, covers: answer.covers.filter((field) => field !== 'GasUsed') }
  const toEmpty = compareResult(claim, EMPTY_RESULT, options)
  if (agrees(toEmpty) && known) return { kind: 'agrees', as: 'the empty result' }
  const toPrevious = previous === undefined ? toEmpty : compareResult(claim, previous, options)
  if (agrees(toPrevious) && known) return { kind: 'agrees', as: 'the result before it' }
  if (firstOfMessage !== undefined && fingerprint(claim.value) === firstOfMessage) {
    return { kind: 'agrees', as: 'the first result of the same message' }
  }
  if (firstOfTwin !== undefined && fingerprint(claim.value) === firstOfTwin) {
    return { kind: 'agrees', as: 'the result of the message that it repeats' }
  }
  if (agrees(toEmpty) || agrees(toPrevious)) return { kind: 'unknown', why: UNKNOWN_GAS }
  if (canonicalResult(claim.value).Error) return { kind: 'evaluated', stateKept: true }
  const firstUnknown = reason === 'duplicate-assignment' && firstOfMessage === undefined
  if (previous === undefined || firstUnknown) return { kind: 'unknown', why: 'the evaluations before it were not run here' }
  return { kind: 'differs', comparison: size(toPrevious) < size(toEmpty) ? toPrevious : toEmpty }
}

/** Whether the unit reports no gas, or the gas of the result before; the gas of a first result is not kept. */
function isKnownGas(gas: unknown, previous: Before['previous']): boolean {
  return gas === undefined || gas === 0 || gas === previous?.GasUsed
}

function size({ differences, cut }: Comparison): number {
  return differences.length + cut
}
