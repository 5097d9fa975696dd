import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { differingTags, isTagList } from '../../src/compare/tags.ts'
import { tagsArbitrary } from './fixtures.ts'

/** `A=1 B=2` as tags. */
const tags = (text: string) =>
  text
    .split(' ')
    .filter(Boolean)
    .map((pair) => ({ name: pair.split('=')[0] ?? '', value: pair.split('=')[1] ?? '' }))
const pairs = (claimed: string, computed: string) => differingTags(tags(claimed), tags(computed))

describe('differingTags', () => {
  it('finds nothing if the lists are equal, or equal except for the order of names', () => {
    expect(pairs('A=1 B=2', 'A=1 B=2')).toEqual([])
    expect(pairs('B=2 A=1', 'A=1 B=2')).toEqual([])
    expect(pairs('A=1 B=2 A=2', 'B=2 A=1 A=2')).toEqual([])
    expect(pairs('', '')).toEqual([])
  })

  it('compares the order of values within a name', () => {
    expect(pairs('A=1 A=2', 'A=2 A=1')).toEqual([
      { claimed: 0, computed: 0 },
      { claimed: 1, computed: 1 }
    ])
  })

  it.each([
    ['an altered value', 'A=1 B=9 C=3', 'A=1 B=2 C=3', { claimed: 1, computed: 1 }],
    ['an altered value at another place', 'C=3 A=1 B=9', 'A=1 B=2 C=3', { claimed: 2, computed: 1 }],
    ['an altered second value of a name', 'B=1 A=1 A=9', 'A=1 A=2 B=1', { claimed: 2, computed: 1 }],
    ['an altered name', 'A=1 X=2 C=3', 'A=1 B=2 C=3', { claimed: 1, computed: 1 }],
    ['an altered name and value', 'A=1 X=9 C=3', 'A=1 B=2 C=3', { claimed: 1, computed: 1 }],
    ['an altered name at another place', 'X=2 C=3 A=1', 'A=1 B=2 C=3', { claimed: 0, computed: 1 }],
    ['a name altered into an existing one', 'B=5 B=5', 'X=5 B=5', { claimed: 0, computed: 0 }],
    ['an added tag', 'A=1 X=9 B=2', 'A=1 B=2', { claimed: 1 }],
    ['an added tag, in another order', 'B=2 X=9 A=1', 'A=1 B=2', { claimed: 1 }],
    ['an added tag of an existing name', 'B=1 A=1 A=7 A=2', 'A=1 A=2 B=1', { claimed: 2 }],
    ['a removed tag', 'A=1 C=3', 'A=1 B=2 C=3', { computed: 1 }],
    ['a removed tag, in another order', 'C=3 A=1', 'A=1 B=2 C=3', { computed: 1 }],
    ['a removed last tag', 'A=1', 'A=1 A=1', { computed: 1 }]
  ])('finds one difference for %s', (_, claimed, computed, pair) => {
    expect(pairs(claimed, computed)).toEqual([pair])
  })

  it('lists pairs by place, and pairs tags with altered names by their values in order', () => {
    expect(pairs('X=2 Y=2 A=1', 'A=1 B=2 C=2')).toEqual([
      { claimed: 0, computed: 1 },
      { claimed: 1, computed: 2 }
    ])
    expect(pairs('Z=9 B=3 A=1', 'A=1 B=2 C=4')).toEqual([{ claimed: 0 }, { claimed: 1, computed: 1 }, { computed: 2 }])
  })

  it('is empty exactly if each name has the same values in the same order', () => {
    fc.assert(
      fc.property(tagsArbitrary, tagsArbitrary, (left, right) => {
        expect(differingTags(left, right).length === 0).toBe(JSON.stringify(byName(left)) === JSON.stringify(byName(right)))
        expect(differingTags(left, left)).toEqual([])
      })
    )
  })

  it('names no place twice and none that does not exist', () => {
    fc.assert(
      fc.property(tagsArbitrary, tagsArbitrary, (left, right) => {
        const found = differingTags(left, right)
        for (const [side, length] of [
          ['claimed', left.length],
          ['computed', right.length]
        ] as const) {
          const places = found.flatMap((pair) => pair[side] ?? [])
          expect(new Set(places).size).toBe(places.length)
          expect(places.every((place) => place >= 0 && place < length)).toBe(true)
        }
      })
    )
  })

  // Under the mutator's counters it takes seconds, for each mutant anew.
  it.skipIf('STRYKER_MUTATOR_WORKER' in process.env)('pairs a hundred thousand tags of one value in reasonable time', () => {
    const many = (name: string) => Array.from({ length: 100_000 }, (_, index) => ({ name: `${name}${index}`, value: 'v' }))
    expect(differingTags(many('a'), many('b'))).toHaveLength(100_000)
  })
})

describe('isTagList', () => {
  it('accepts lists of objects with a text as their name, and nothing else', () => {
    expect(isTagList([])).toBe(true)
    expect(isTagList([{ name: '__proto__', value: 1 }])).toBe(true)
    for (const other of [null, {}, 'ab', [null], [['name']], [{ value: 'x' }], [{ name: 1 }], [Object.create({ name: 'a' })]]) {
      expect(isTagList(other)).toBe(false)
    }
  })
})

function byName(list: readonly { name: string; value: string }[]): unknown {
  const names = [...new Set(list.map(({ name }) => name))].sort()
  return names.map((name) => [name, list.filter((tag) => tag.name === name).map(({ value }) => value)])
}
