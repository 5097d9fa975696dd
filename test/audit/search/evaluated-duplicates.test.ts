import { describe, expect, it } from 'vitest'
import { duplicateSets } from '../../../src/audit/search/evaluated-duplicates.ts'

const sets = (...args: Parameters<typeof duplicateSets>) => duplicateSets(...args).map((set) => [...set])

describe('duplicates that a unit may have evaluated', () => {
  it('are none if no message is skipped', () => {
    expect(sets([], [4])).toEqual([])
  })

  it('are those with a start of the unit between them and their twin, each alone, and all of them', () => {
    const twins = [
      { nonce: 5, of: 1 },
      { nonce: 7, of: 6 },
      { nonce: 9, of: 2 }
    ]
    expect(sets(twins, [3])).toEqual([[5, 9], [9], [7], [5], [5, 7, 9]])
    expect(sets(twins, [6])).toEqual([[7, 9], [9], [7], [5], [5, 7, 9]])
  })

  it('are those whose first copy the CU did not find while it compared nonces as text', () => {
    const twins = [
      { nonce: 13, of: 9 },
      { nonce: 14, of: 10 }
    ]
    expect(sets(twins, [])[0]).toEqual([13])
  })
})
