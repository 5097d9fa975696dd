/**
 * Lists of tags. Their order comes from Lua's tables and depends on heap addresses (profiles §2): two lists are the same except
 * for order if each name has the same values in the same order.
 */
import { defined } from '../util/defined.ts'
import { isJsonObject, type JsonObject, member, sameJson } from '../util/json-value.ts'

export type TagLike = JsonObject & { readonly name: string }

/** Places of two tags that correspond to each other; one side alone if the other list has no such tag. */
export interface TagPair {
  readonly claimed?: number
  readonly computed?: number
}

export function isTagList(value: unknown): value is readonly TagLike[] {
  return Array.isArray(value) && value.every((tag) => isJsonObject(tag) && typeof member(tag, 'name') === 'string')
}

/**
 * Pairs the tags of one list with those of the other, so that one altered tag makes one difference.
 *
 * Equal tags at both ends pair by place. The rest pairs by name, in order within a name; what is left pairs by value, because its
 * name was altered.
 *
 * @returns the pairs that are not equal, by place; empty if the lists are equal except for order
 */
export function differingTags(claimed: readonly TagLike[], computed: readonly TagLike[]): readonly TagPair[] {
  const all = { claimed: [...claimed.keys()], computed: [...computed.keys()] }
  const same = (left: number, right: number) => sameJson(claimed[left], computed[right])
  const middle = trim(all, same)
  const [only] = middle.claimed
  const [other] = middle.computed
  if (middle.claimed.length === 1 && middle.computed.length === 1) return [pairOf(only, other)]
  const pairs = pairByName(middle, claimed, computed, same)
  return pairByValue(pairs, claimed, computed).filter(
    (pair) => pair.claimed === undefined || pair.computed === undefined || !same(pair.claimed, pair.computed)
  )
}

interface Places {
  readonly claimed: readonly number[]
  readonly computed: readonly number[]
}

/** Leaves out the common beginning and end. */
function trim({ claimed, computed }: Places, same: (left: number, right: number) => boolean): Places {
  const shorter = Math.min(claimed.length, computed.length)
  const equalAt = (left: number, right: number) => same(claimed.at(left) ?? -1, computed.at(right) ?? -1)
  let start = 0
  while (start < shorter && equalAt(start, start)) start++
  let end = 0
  while (end < shorter - start && equalAt(-1 - end, -1 - end)) end++
  return { claimed: claimed.slice(start, claimed.length - end), computed: computed.slice(start, computed.length - end) }
}

function pairByName(
  places: Places,
  claimed: readonly TagLike[],
  computed: readonly TagLike[],
  same: (left: number, right: number) => boolean
): TagPair[] {
  const claimedByName = placesByName(places.claimed, claimed)
  const computedByName = placesByName(places.computed, computed)
  return [...new Set([...claimedByName.keys(), ...computedByName.keys()])].flatMap((name) => {
    const ours = { claimed: claimedByName.get(name) ?? [], computed: computedByName.get(name) ?? [] }
    // If one list has more tags of a name, the common beginning and end show which tag is the extra one.
    const left = ours.claimed.length === ours.computed.length ? ours : trim(ours, same)
    const longer = Math.max(left.claimed.length, left.computed.length)
    return Array.from({ length: longer }, (_, index) => pairOf(left.claimed[index], left.computed[index]))
  })
}

function placesByName(places: readonly number[], tags: readonly TagLike[]): Map<string, number[]> {
  const byName = new Map<string, number[]>()
  for (const place of places) {
    const name = tags[place]?.name ?? ''
    const found = byName.get(name)
    if (found === undefined) byName.set(name, [place])
    else found.push(place)
  }
  return byName
}

/** Joins a tag that only one list has with a tag of equal value that only the other has. */
function pairByValue(pairs: readonly TagPair[], claimed: readonly TagLike[], computed: readonly TagLike[]): TagPair[] {
  const added = inOrder(pairs.filter((pair) => pair.computed === undefined))
  const removed = inOrder(pairs.filter((pair) => pair.claimed === undefined))
  const byValue = new Map<unknown, number[]>()
  // From the end, so that `pop` gives the first.
  for (const { computed: place = -1 } of removed.reverse()) {
    const value = valueAt(computed, place)
    const found = byValue.get(value)
    if (found === undefined) byValue.set(value, [place])
    else found.push(place)
  }
  const joined = added.map(({ claimed: place = -1 }) => pairOf(place, byValue.get(valueAt(claimed, place))?.pop()))
  const taken = new Set(joined.map((pair) => pair.computed))
  const rest = removed.filter((pair) => !taken.has(pair.computed))
  return inOrder([...pairs.filter((pair) => pair.claimed !== undefined && pair.computed !== undefined), ...joined, ...rest])
}

function valueAt(tags: readonly TagLike[], place: number): unknown {
  const tag = tags[place]
  return tag === undefined ? undefined : member(tag, 'value')
}

function inOrder(pairs: readonly TagPair[]): TagPair[] {
  const place = (pair: TagPair) => pair.claimed ?? pair.computed ?? 0
  return [...pairs].sort((left, right) => place(left) - place(right))
}

function pairOf(claimed: number | undefined, computed: number | undefined): TagPair {
  return defined({ claimed, computed })
}
