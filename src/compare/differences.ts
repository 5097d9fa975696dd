/** Deep differences of two JSON values: the order of keys does not count, that of arrays does, that of tags on request. */
import { defined } from '../util/defined.ts'
import { isJsonObject, type JsonObject, member, memberNames, sameJson } from '../util/json-value.ts'
import type { Comparison, Difference } from './comparison.ts'
import { differingTags, isTagList, type TagLike } from './tags.ts'

/** A difference at a deeper level is shown at this level, with the whole value. */
export const MAX_PATH_DEPTH = 64
/** How many differences one comparison lists by default. */
export const MAX_LISTED_DIFFERENCES = 50

export interface DifferenceOptions {
  /** The place of the values; the path of each difference begins with it. */
  readonly at: string
  /** How to compare arrays named `Tags`: like any other, by name, or by name with a different order as a difference too. */
  readonly tags: 'array' | 'any-order' | 'strict-order'
}

/** Gathers the differences that walks through two values find. */
export class DifferenceCollector implements Comparison {
  readonly differences: Difference[] = []
  cut = 0
  tagOrderDiffers = false
  tagOrderBits = 0
  readonly #maxDifferences: number

  constructor(maxDifferences = MAX_LISTED_DIFFERENCES) {
    this.#maxDifferences = maxDifferences
  }

  /** Counts a different order of this many tags. */
  addOrder(tags: number): void {
    this.tagOrderDiffers = true
    for (let place = 2; place <= tags; place++) this.tagOrderBits += Math.log2(place)
  }

  /** Counts a difference, and keeps it if there is room. */
  add(path: Path, claimed: unknown, computed: unknown): void {
    if (this.differences.length >= this.#maxDifferences) {
      this.cut++
      return
    }
    this.differences.push({
      path: pathText(path),
      ...defined({ claimed, computed })
    })
  }
}

/** A place in a value, from the leaf to the root. Becomes text only for a difference. */
interface Path {
  readonly parent?: Path
  readonly step: string | number
  readonly depth: number
}

/**
 * Gathers all differences of two values.
 *
 * @example
 * ```ts
 * const found = new DifferenceCollector()
 * collectDifferences({ a: [1, 2] }, { a: [1, 3] }, { at: 'Output', tags: 'array' }, found)
 * found.differences // [{ path: 'Output.a[1]', claimed: 2, computed: 3 }]
 * ```
 */
export function collectDifferences(
  claimed: unknown,
  computed: unknown,
  { at, tags }: DifferenceOptions,
  found: DifferenceCollector
): void {
  walk(claimed, computed, { step: at, depth: 0 })

  function walk(left: unknown, right: unknown, path: Path): void {
    if (left === right) return
    if (path.depth >= MAX_PATH_DEPTH) {
      if (!sameJson(left, right)) found.add(path, left, right)
    } else if (Array.isArray(left) && Array.isArray(right)) {
      if (tags !== 'array' && path.step === 'Tags' && isTagList(left) && isTagList(right)) walkTags(left, right, path)
      else walkArrays(left, right, path)
    } else if (isJsonObject(left) && isJsonObject(right)) walkObjects(left, right, path)
    else found.add(path, left, right)
  }

  function walkArrays(left: readonly unknown[], right: readonly unknown[], path: Path): void {
    const longer = Math.max(left.length, right.length)
    for (let index = 0; index < longer; index++) walk(left[index], right[index], below(path, index))
  }

  function walkObjects(left: JsonObject, right: JsonObject, path: Path): void {
    for (const name of memberNames(left)) walk(left[name], member(right, name), below(path, name))
    for (const name of memberNames(right)) {
      if (member(left, name) === undefined) found.add(below(path, name), undefined, right[name])
    }
  }

  function walkTags(left: readonly TagLike[], right: readonly TagLike[], path: Path): void {
    const pairs = differingTags(left, right)
    for (const { claimed: ours, computed: theirs } of pairs) {
      const place = below(path, ours ?? theirs ?? 0)
      walk(ours === undefined ? undefined : left[ours], theirs === undefined ? undefined : right[theirs], place)
    }
    if (pairs.length > 0 || sameJson(left, right)) return
    if (tags === 'strict-order') walkArrays(left, right, path)
    else found.addOrder(left.length)
  }
}

function below(parent: Path, step: string | number): Path {
  return { parent, step, depth: parent.depth + 1 }
}

const IDENTIFIER = /^[A-Za-z_$][A-Za-z0-9_$]*$/

function pathText(path: Path): string {
  const steps: string[] = []
  let place = path
  for (; place.parent !== undefined; place = place.parent) {
    const { step } = place
    steps.push(IDENTIFIER.test(String(step)) ? `.${step}` : `[${JSON.stringify(step)}]`)
  }
  return [String(place.step), ...steps.reverse()].join('')
}
