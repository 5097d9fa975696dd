/** Reads claims alongside evaluations: both are in the order of ordinates, so neither is in memory as a whole. */

import type { MessageId } from '../model/ids.ts'
import { type Claim, type ClaimUnavailable, type Evaluation, type EvaluationKey, keyText } from '../model/records.ts'
import type { Inputs } from './inputs.ts'
import type { Run } from './run-record.ts'

/** The answers of one unit about one evaluation. */
export interface Answers {
  readonly claims: readonly Claim[]
  readonly unavailable: readonly ClaimUnavailable[]
}

export interface AnswerReader {
  /**
   * The answers about an evaluation: those under its key that name its message or none. Keys must come in the order of ordinates;
   * each answer is returned once.
   */
  take(evaluation: Pick<Evaluation, 'key' | 'messageId'>): Promise<Answers>
  /** Claims up to and including `ordinate` that no evaluation has taken; they are returned once. */
  leftover(ordinate: number): Promise<readonly Claim[]>
}

/** Reads the answers of one unit alongside the evaluations. */
export function createAnswerReader(inputs: Inputs, run: Run, unit: string): AnswerReader {
  const cameTo = (ordinate: number) => inputs.claims.completeTo(run, unit, ordinate)
  const claims = createGroups(run, (part) => inputs.claims.of(part, unit), cameTo)
  const unavailable = createGroups(run, (part) => inputs.claims.unavailable(part, unit), cameTo)
  return {
    take: async (evaluation) => ({ claims: await claims.take(evaluation), unavailable: await unavailable.take(evaluation) }),
    leftover: (ordinate) => claims.leftover(ordinate)
  }
}

interface Keyed {
  readonly key: EvaluationKey
  readonly messageId?: MessageId
}

/**
 * Reads a stream in the order of ordinates, part by part as it arrives, and hands out its items by key.
 *
 * @param cameTo resolves when all items of an ordinate are stored, to the last ordinate for which that is true
 */
function createGroups<T extends Keyed>(
  run: Run,
  read: (part: Run) => AsyncIterable<T>,
  cameTo: (ordinate: number) => Promise<number>
) {
  let part: AsyncIterator<T> | undefined
  /** The last ordinate of the current part, or of the previous one. */
  let partEnd = run.from - 1
  let next: T | undefined
  let open: T[] = []

  async function advance(): Promise<void> {
    const { done, value } = (await part?.next()) ?? { done: true, value: undefined }
    next = done === true ? undefined : value
    if (done === true) part = undefined
  }

  async function readTo(ordinate: number): Promise<void> {
    for (;;) {
      while (next !== undefined && next.key.ordinate <= ordinate) {
        open.push(next)
        await advance()
      }
      if (part !== undefined || partEnd >= Math.min(ordinate, run.to)) return
      const from = partEnd + 1
      partEnd = Math.min(run.to, await cameTo(ordinate))
      part = read({ ...run, from, to: partEnd })[Symbol.asyncIterator]()
      await advance()
    }
  }

  return {
    async take({ key, messageId }: Keyed): Promise<readonly T[]> {
      await readTo(key.ordinate)
      const wanted = keyText(key)
      const isWanted = (item: T) =>
        keyText(item.key) === wanted && (item.messageId ?? messageId) === (messageId ?? item.messageId)
      const taken = open.filter(isWanted)
      if (taken.length > 0) open = open.filter((item) => !isWanted(item))
      return taken
    },
    async leftover(ordinate: number): Promise<readonly T[]> {
      await readTo(ordinate)
      const left = open.filter(({ key }) => key.ordinate <= ordinate)
      open = open.filter(({ key }) => key.ordinate > ordinate)
      return left
    }
  }
}

/** All claims of the units about one evaluation. */
export async function claimsOf(
  inputs: Inputs,
  run: Run,
  units: readonly string[],
  key: Claim['key']
): Promise<readonly Claim[]> {
  const wanted = keyText(key)
  const found: Claim[] = []
  for (const url of units) {
    for (const claim of await inputs.claims.at(run, url, key.ordinate)) if (keyText(claim.key) === wanted) found.push(claim)
  }
  return found
}

/** Whether a unit that has answered by now claims that an evaluation failed. */
export async function claimsAnError(inputs: Inputs, run: Run, units: readonly string[], key: Claim['key']): Promise<boolean> {
  for (const url of units) if (await inputs.claims.claimsAnError(run, url, key)) return true
  return false
}
