import { describe, expect, it } from 'vitest'
import { defined } from '../../src/util/defined.ts'

describe('defined', () => {
  it('leaves out fields that are undefined, and none that is null, false or empty', () => {
    expect(Object.entries(defined({ a: undefined, b: null, c: false, d: '', e: 0 }))).toEqual([
      ['b', null],
      ['c', false],
      ['d', ''],
      ['e', 0]
    ])
  })
})
