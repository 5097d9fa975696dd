/** Bounds on the contents of a report: a hostile claim can be as long and as deep as an answer may be. */

import { defined } from '../util/defined.ts'
import { fitsTerminal } from '../util/escape.ts'
import { boundedJson, RESULT_MAX_DEPTH } from '../util/json-depth.ts'
import type { FirstDivergence, ReportedDifference, ReportedEvaluation } from './model.ts'

/** The limit for the JSON of one value. */
const MAX_VALUE_CHARS = 16_384
/** The limit for nested arrays and objects in one value. */
const MAX_VALUE_DEPTH = 64
/** The limit for evaluations in one report; `--evaluations` has all of them. */
export const MAX_EVALUATIONS = 10_000
export const MAX_FINDINGS = 1_000
/** The limit for differences of one evaluation. */
export const MAX_DIFFERENCES = 50
/** The limit for a path, a reason, or the detail of a finding. */
const MAX_TEXT_CHARS = 1_000

/** How much of what two values share is shown before their first difference. */
const CONTEXT_CHARS = 5

/**
 * A value as one line of JSON.
 *
 * @returns `(nothing)` for undefined, `(cannot be written as JSON)` for a value that is nested too deeply
 */
export function valueText(value: unknown): string {
  if (value === undefined) return '(nothing)'
  if (isInfinite(value)) return infiniteText(value)
  return boundedJson(value, RESULT_MAX_DEPTH, readable) ?? '(cannot be written as JSON)'
}

/** Numbers that `JSON.parse` returns for texts such as `1e999`, and that `JSON.stringify` would write as null. */
function isInfinite(value: unknown): value is number {
  return typeof value === 'number' && !Number.isFinite(value)
}

function readable(_: string, value: unknown): unknown {
  return isInfinite(value) ? infiniteText(value) : value
}

function infiniteText(value: number): string {
  return value < 0 ? '-1e999' : '1e999'
}

/**
 * Both values of a difference as texts, so that their first difference fits in `maxChars`. If one of them would be cut, `…`
 * replaces the beginning that they share.
 *
 * @param maxChars characters of either text that will be shown, escaped; from 52 on two different values always look different
 * @returns `[claimed, computed]`, not cut at the end, not escaped
 */
export function differingTexts(difference: ReportedDifference, maxChars: number): readonly [claimed: string, computed: string] {
  const claimed = valueText(difference.claimed)
  const computed = valueText(difference.computed)
  const start = wholeCharacters(claimed, commonStart(claimed, computed) - CONTEXT_CHARS)
  if (start <= 0 || (fitsTerminal(claimed, maxChars) && fitsTerminal(computed, maxChars))) return [claimed, computed]
  return [`…${claimed.slice(start)}`, `…${computed.slice(start)}`]
}

/** An evaluation with no more differences than `maxDifferences`, each bounded, the rest counted. */
export function boundEvaluation(evaluation: ReportedEvaluation, maxDifferences = MAX_DIFFERENCES): ReportedEvaluation {
  const { reason } = evaluation
  return {
    ...evaluation,
    ...(evaluation.differences === undefined ? {} : boundDifferences(evaluation.differences, evaluation, maxDifferences)),
    ...defined({ reason: reason === undefined ? undefined : boundText(reason) })
  }
}

/** A first divergence with no more differences than an evaluation may have, each bounded, the rest counted. */
export function boundDivergence(divergence: FirstDivergence): FirstDivergence {
  return { ...divergence, ...boundDifferences(divergence.differences, divergence, MAX_DIFFERENCES) }
}

/** A text cut at {@link MAX_TEXT_CHARS}, with `… (N more)` in place of the rest. */
export function boundText(text: string, maxChars = MAX_TEXT_CHARS): string {
  if (text.length <= maxChars) return text
  const kept = text.slice(0, wholeCharacters(text, maxChars))
  return `${kept}… (${text.length - kept.length} more)`
}

function boundDifferences(
  differences: readonly ReportedDifference[],
  { differencesCut = 0 }: { readonly differencesCut?: number },
  maxDifferences: number
): { differences: ReportedDifference[]; differencesCut?: number } {
  const cut = differencesCut + Math.max(0, differences.length - maxDifferences)
  return {
    differences: differences.slice(0, maxDifferences).map(boundDifference),
    ...(cut === 0 ? {} : { differencesCut: cut })
  }
}

function boundDifference(difference: ReportedDifference): ReportedDifference {
  const path = boundText(difference.path)
  if (isBounded(difference.claimed) && isBounded(difference.computed)) return { ...difference, path }
  const [claimed, computed] = differingTexts(difference, MAX_VALUE_CHARS)
  return {
    path,
    ...defined({
      claimed: difference.claimed === undefined ? undefined : boundText(claimed, MAX_VALUE_CHARS),
      computed: difference.computed === undefined ? undefined : boundText(computed, MAX_VALUE_CHARS)
    }),
    cut: true
  }
}

function isBounded(value: unknown): boolean {
  return isShallow(value, MAX_VALUE_DEPTH) && valueText(value).length <= MAX_VALUE_CHARS
}

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return !isInfinite(value)
  return levels > 0 && Object.values(value).every((member) => isShallow(member, levels - 1))
}

function commonStart(left: string, right: string): number {
  let length = 0
  while (length < left.length && left[length] === right[length]) length++
  return length
}

/** The last place at or before `index` where `text` can be cut without halving a surrogate pair. */
function wholeCharacters(text: string, index: number): number {
  return /[\uD800-\uDBFF][\uDC00-\uDFFF]/.test(text.slice(Math.max(0, index - 1), index + 1)) ? index - 1 : index
}
