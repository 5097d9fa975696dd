/** The facts about earlier evaluations that the judgement of a later one needs, in little memory. */

import { createHash } from 'node:crypto'
import type { MessageId } from '../model/ids.ts'
import type { Evaluation, EvaluationResult } from '../model/records.ts'
import { defined } from '../util/defined.ts'
import { createDigestTable } from '../util/digest-table.ts'
import { isJsonObject, memberNames } from '../util/json-value.ts'
import { type CanonicalResult, canonicalResult } from './canonical.ts'
import { isTagList } from './tags.ts'

/** What came before an evaluation. */
export interface Before {
  /** The result evaluated last; undefined if there is none or it is unknown. */
  readonly previous?: CanonicalResult
  /** The {@link fingerprint} of the first result of the same message id; undefined if there is none or it is unknown. */
  readonly firstOfMessage?: string
  /** The {@link fingerprint} of the result of the message that this one repeats under another id; undefined as above. */
  readonly firstOfTwin?: string
  /** Whether it is a cron, or comes after one. */
  readonly crons: boolean
}

/** Receives every evaluation once, in order; shared by all judges of the same evaluations. */
export interface History {
  /**
   * Returns what came before. May be called again with the evaluation of the last call.
   *
   * @param twin the id of the message that it repeats, if it is skipped as a duplicate
   */
  before(evaluation: Evaluation, twin?: MessageId): Before
}

/** 128 bits. */
const PRINT_BYTES = 16

/**
 * Takes 40 to 70 bytes for each message id.
 *
 * @returns a history that begins with the first evaluation it receives; evaluations before the judged range belong in it too
 */
export function createHistory(): History {
  const firsts = createDigestTable(PRINT_BYTES / 4)
  let previous: CanonicalResult | undefined
  let crons = false
  let latest: { readonly evaluation: Evaluation; readonly before: Before } | undefined

  return {
    before(evaluation, twin) {
      if (latest?.evaluation === evaluation) return latest.before
      const { key, messageId, outcome } = evaluation
      crons ||= key.cron !== undefined
      const firstOfMessage = firstOf(messageId)
      const firstOfTwin = firstOf(twin)
      const before = {
        crons,
        ...defined({ previous, firstOfMessage, firstOfTwin })
      }
      if (outcome.kind === 'result') {
        previous = canonicalResult(outcome.result)
        remember(messageId, outcome.result)
      } else if (outcome.kind === 'inconclusive') previous = undefined
      latest = { evaluation, before }
      return before
    }
  }

  function firstOf(messageId: MessageId | undefined): string | undefined {
    const first = messageId === undefined ? undefined : firsts.get(messageId)
    return first === undefined ? undefined : asText(first)
  }

  function remember(messageId: MessageId | undefined, result: EvaluationResult): void {
    if (messageId === undefined || firsts.get(messageId) !== undefined) return
    firsts.add(messageId, asWords(fingerprint(result)))
  }
}

function asWords(print: string): Uint32Array {
  const bytes = Uint8Array.from(Buffer.from(print, 'base64url'))
  return new Uint32Array(bytes.buffer)
}

function asText(words: Uint32Array): string {
  return Buffer.from(words.slice().buffer).toString('base64url')
}

/**
 * A hash of all fields of a result except GasUsed, independent of the order of keys and of differently named tags. It uses its own
 * stack, so only memory bounds the depth.
 *
 * @returns 22 characters
 */
export function fingerprint(result: EvaluationResult): string {
  const { GasUsed: _, ...fields } = canonicalResult(result)
  const said: string[] = []
  const stack: unknown[] = [fields]
  while (stack.length > 0) {
    const value = stack.pop()
    if (Array.isArray(value)) {
      said.push(`array ${value.length}`)
      for (const item of value) stack.push(item)
    } else if (isJsonObject(value)) {
      const names = memberNames(value).sort(byCodeUnits)
      said.push(`object ${JSON.stringify(names)}`)
      for (const name of names) stack.push(name === 'Tags' ? inOrderOfNames(value[name]) : value[name])
    } else said.push(typeof value === 'number' ? String(value) : JSON.stringify(value))
  }
  return createHash('sha256').update(said.join('\n')).digest().subarray(0, PRINT_BYTES).toString('base64url')
}

function inOrderOfNames(tags: unknown): unknown {
  return isTagList(tags) ? [...tags].sort((left, right) => byCodeUnits(left.name, right.name)) : tags
}

function byCodeUnits(left: string, right: string): number {
  return left < right ? -1 : Number(left > right)
}
