import { describe, expect, it } from 'vitest'
import { defined } from '../../src/util/defined.ts'

describe('defined', () => {
  it('omits only undefined fields, not those that are null, false or empty', () => {
    expect(Object.entries(defined({ a: undefined, b: null, c: false, d: '', e: 0 }))).toEqual([
      ['b', null],
      ['c', false],
      ['d', ''],
      ['e', 0]
    ])
  })
})
