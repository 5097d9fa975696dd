/** What of earlier evaluations a later one is judged by, in little memory. */
import { createHash } from 'node:crypto'
import type { MessageId } from '../ids.ts'
import type { Evaluation, EvaluationResult } from '../records.ts'
import { type CanonicalResult, canonicalResult } from './canonical.ts'
import { isJsonObject, memberNames } from './equality.ts'
import { isTagList } from './tags.ts'

/** What came before an evaluation. */
export interface Before {
  /** The result evaluated last; undefined where there is none or it is unknown. */
  readonly previous?: CanonicalResult
  /** The {@link fingerprint} of the first result of the same message id; undefined where there is none or it is unknown. */
  readonly firstOfMessage?: string
  /** Whether it is a cron, or comes after one. */
  readonly crons: boolean
}

/** Told about every evaluation once, in order; shared by all who judge the same evaluations. */
export interface History {
  /** What came before; the evaluation asked for last may be asked for again. */
  before(evaluation: Evaluation): Before
}

/** Message ids whose first result is remembered, some 150 bytes each. */
const MAX_REMEMBERED = 500_000

/** @returns a history that begins with the first evaluation it is asked about; those before the judged range belong in it too */
export function createHistory(): History {
  const firsts = new Map<string, string>()
  let previous: CanonicalResult | undefined
  let crons = false
  let latest: { readonly evaluation: Evaluation; readonly before: Before } | undefined

  return {
    before(evaluation) {
      if (latest?.evaluation === evaluation) return latest.before
      const { key, messageId, outcome } = evaluation
      crons ||= key.cron !== undefined
      const firstOfMessage = messageId === undefined ? undefined : firsts.get(messageId)
      const before = {
        crons,
        ...(previous === undefined ? {} : { previous }),
        ...(firstOfMessage === undefined ? {} : { firstOfMessage })
      }
      if (outcome.kind === 'result') {
        previous = canonicalResult(outcome.result)
        remember(messageId, outcome.result)
      } else if (outcome.kind === 'inconclusive') previous = undefined
      latest = { evaluation, before }
      return before
    }
  }

  function remember(messageId: MessageId | undefined, result: EvaluationResult): void {
    if (messageId === undefined || firsts.has(messageId)) return
    firsts.set(messageId, fingerprint(result))
    const [oldest] = firsts.size > MAX_REMEMBERED ? firsts.keys() : []
    if (oldest !== undefined) firsts.delete(oldest)
  }
}

/**
 * A hash of what a result says in all fields but GasUsed, whatever the order of keys and of differently named tags. A stack of its
 * own: depth is bounded by memory alone.
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
    } else said.push(JSON.stringify(value))
  }
  return createHash('sha256').update(said.join('\n')).digest('base64url').slice(0, 22)
}

function inOrderOfNames(tags: unknown): unknown {
  return isTagList(tags) ? [...tags].sort((left, right) => byCodeUnits(left.name, right.name)) : tags
}

function byCodeUnits(left: string, right: string): number {
  return left < right ? -1 : Number(left > right)
}
