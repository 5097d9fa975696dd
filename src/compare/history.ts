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
    const print = fingerprint(result)
    if (print === undefined) return
    firsts.set(messageId, print)
    const [oldest] = firsts.size > MAX_REMEMBERED ? firsts.keys() : []
    if (oldest !== undefined) firsts.delete(oldest)
  }
}

const MAX_DEPTH = 200

/**
 * A hash of what a result says in all fields but GasUsed, whatever the order of keys and of differently named tags.
 *
 * @returns 22 characters; undefined where the result is nested too deeply
 */
export function fingerprint(result: EvaluationResult): string | undefined {
  const { GasUsed: _, ...fields } = canonicalResult(result)
  const plain = ordered(fields, MAX_DEPTH)
  if (plain === TOO_DEEP) return undefined
  return createHash('sha256').update(JSON.stringify(plain)).digest('base64url').slice(0, 22)
}

const TOO_DEEP = Symbol('too deep')

/** A value as arrays alone: objects as pairs by name, so that no name means anything to JavaScript. */
function ordered(value: unknown, levels: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (levels === 0) return TOO_DEEP
  const items = Array.isArray(value) ? value.map((item) => ordered(item, levels - 1)) : orderedMembers(value, levels)
  return items.some((item) => item === TOO_DEEP) ? TOO_DEEP : [Array.isArray(value) ? 'array' : 'object', ...items]
}

function orderedMembers(value: object, levels: number): unknown[] {
  if (!isJsonObject(value)) return []
  return memberNames(value)
    .sort(byCodeUnits)
    .map((name) => {
      const tags = name === 'Tags' ? value[name] : undefined
      const content = isTagList(tags) ? [...tags].sort((left, right) => byCodeUnits(left.name, right.name)) : value[name]
      const item = ordered(content, levels - 1)
      return item === TOO_DEEP ? TOO_DEEP : [name, item]
    })
}

function byCodeUnits(left: string, right: string): number {
  return left < right ? -1 : Number(left > right)
}
