import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { boundedJson, nestsDeeperThan, RECORD_MAX_DEPTH, RESULT_MAX_DEPTH } from '../../src/util/json-depth.ts'

/** Levels of a value, counted in another way: by walking through it. */
function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

const lists = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels))

describe('the depth of JSON', () => {
  it('counts the same depth as a walk through the value, whatever its strings contain', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6, stringUnit: fc.constantFrom('[', ']', '{', '}', '"', '\\', 'a') }), (value) => {
        const json = JSON.stringify(value)
        const depth = depthOf(value)
        expect(nestsDeeperThan(json, depth)).toBe(false)
        if (depth > 0) expect(nestsDeeperThan(json, depth - 1)).toBe(true)
      })
    )
  })

  it('limits the depth at exactly the given level, also for values that nest far deeper', () => {
    for (const levels of [RESULT_MAX_DEPTH, RECORD_MAX_DEPTH]) {
      expect(boundedJson(lists(levels), levels)).toBe('['.repeat(levels) + ']'.repeat(levels))
      for (const deeper of [levels + 1, 10_000, 500_000]) expect(boundedJson(lists(deeper), levels)).toBeUndefined()
    }
  })

  it('returns undefined for values that JSON cannot express', () => {
    for (const value of [undefined, () => 1, 1n]) expect(boundedJson(value)).toBeUndefined()
  })
})
