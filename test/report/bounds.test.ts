import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { boundDivergence, boundEvaluation, boundText, differingTexts, valueText } from '../../src/report/bounds.ts'
import { escapeForTerminal } from '../../src/util/escape.ts'
import { DIVERGENCE, evaluation } from './fixtures.ts'

/** `levels` nested arrays. */
function nested(levels: number): unknown {
  let value: unknown = 'core'
  for (let level = 0; level < levels; level++) value = [value]
  return value
}

describe('valueText', () => {
  it.each([
    ['text "quoted"', '"text \\"quoted\\""'],
    [null, 'null'],
    [{ a: [1] }, '{"a":[1]}'],
    [undefined, '(nothing)'],
    [JSON.parse('1e999'), '1e999'],
    [[JSON.parse('-1e999'), null], '["-1e999",null]']
  ])('shows %s', (value, expected) => {
    expect(valueText(value)).toBe(expected)
  })

  it('does not fail on a value that JSON cannot write', () => {
    expect(valueText(nested(100_000))).toBe('(cannot be written as JSON)')
  })
})

describe('differingTexts', () => {
  it('leaves short values unchanged', () => {
    expect(differingTexts({ path: 'Output', claimed: 'a', computed: 'b' }, 60)).toEqual(['"a"', '"b"'])
  })

  it('starts a long value shortly before the first character that differs', () => {
    const same = 'x'.repeat(500)
    expect(differingTexts({ path: 'Output', claimed: `${same}1 end`, computed: `${same}2 end` }, 60)).toEqual([
      '…xxxxx1 end"',
      '…xxxxx2 end"'
    ])
  })

  it('does not split a surrogate pair', () => {
    const same = `${'x'.repeat(100)}🙂abcd`
    expect(differingTexts({ path: 'Output', claimed: `${same}1`, computed: `${same}2` }, 60)).toEqual([
      '…🙂abcd1"',
      '…🙂abcd2"'
    ])
  })

  it('leaves out the equal part if escaping alone makes it too long', () => {
    const same = '\u200b'.repeat(8)
    expect(differingTexts({ path: 'Output', claimed: `${same}1`, computed: `${same}2` }, 60)).toEqual([
      `…${'\u200b'.repeat(5)}1"`,
      `…${'\u200b'.repeat(5)}2"`
    ])
  })

  it('writes (nothing) for a side without a value', () => {
    expect(differingTexts({ path: 'Error', computed: 'boom' }, 60)).toEqual(['(nothing)', '"boom"'])
  })

  it('shows two different texts differently, however long and hostile', () => {
    const unit = fc.oneof(fc.constantFrom(0x1b, 0x200b, 0x202e, 0xdb40, 0xdc41, 0x61), fc.nat({ max: 0xffff }))
    const any = fc.array(unit, { maxLength: 120 }).map((units) => String.fromCharCode(...units))
    fc.assert(
      fc.property(any, any, any, (start, left, right) => {
        fc.pre(left !== right)
        const [claimed, computed] = differingTexts({ path: 'Output', claimed: start + left, computed: start + right }, 52)
        expect(escapeForTerminal(claimed, 52)).not.toBe(escapeForTerminal(computed, 52))
      })
    )
  })
})

describe('boundEvaluation', () => {
  it('leaves a small evaluation as it is', () => {
    const small = evaluation(7, {
      status: 'mismatch',
      reason: 'why',
      differences: [{ path: 'Output', claimed: 1, computed: [null] }]
    })
    expect(boundEvaluation(small)).toEqual(small)
  })

  it('counts all left-out differences, including those that were left out before', () => {
    const differences = Array.from({ length: 53 }, (_, index) => ({ path: `Messages[${index}]`, claimed: index }))
    const bounded = boundEvaluation(evaluation(7, { differences, differencesCut: 4 }))
    expect(bounded.differences).toEqual(differences.slice(0, 50))
    expect(bounded.differencesCut).toBe(7)
    expect(boundEvaluation(evaluation(7, { differences }), 0)).toEqual(evaluation(7, { differences: [], differencesCut: 53 }))
  })

  it('cuts a long value to the text around the difference and marks it as cut', () => {
    const same = 'x'.repeat(20_000)
    const difference = { path: 'Output', claimed: `${same}1${'y'.repeat(20_000)}`, computed: `${same}2` }
    expect(boundEvaluation(evaluation(7, { differences: [difference] })).differences).toEqual([
      { path: 'Output', claimed: `…xxxxx1${'y'.repeat(16_377)}… (3624 more)`, computed: '…xxxxx2"', cut: true }
    ])
  })

  it('keeps a missing side without a value if the other side is cut', () => {
    const [difference] =
      boundEvaluation(evaluation(7, { differences: [{ path: 'Output', computed: 'z'.repeat(20_000) }] })).differences ?? []
    expect(difference).toEqual({ path: 'Output', computed: `"${'z'.repeat(16_383)}… (3618 more)`, cut: true })
    expect(difference).not.toHaveProperty('claimed')
  })

  it('turns a deep value into text, at the bound and far beyond it', () => {
    const differences = [64, 65, 100_000].map((levels) => ({ path: `a${levels}`, claimed: nested(levels), computed: 0 }))
    expect(boundEvaluation(evaluation(7, { differences })).differences).toEqual([
      { path: 'a64', claimed: nested(64), computed: 0 },
      { path: 'a65', claimed: `${'['.repeat(65)}"core"${']'.repeat(65)}`, computed: '0', cut: true },
      { path: 'a100000', claimed: '(cannot be written as JSON)', computed: '0', cut: true }
    ])
  })

  it('cuts a path and a reason', () => {
    const long = 'p'.repeat(1_001)
    const bounded = boundEvaluation(evaluation(7, { reason: long, differences: [{ path: long, claimed: 1 }] }))
    expect(bounded.reason).toBe(`${'p'.repeat(1_000)}… (1 more)`)
    expect(bounded.differences?.[0]?.path).toBe(`${'p'.repeat(1_000)}… (1 more)`)
  })
})

describe('boundDivergence', () => {
  it('bounds differences as boundEvaluation does', () => {
    const differences = Array.from({ length: 51 }, (_, index) => ({ path: `Spawns[${index}]` }))
    expect(boundDivergence(DIVERGENCE)).toEqual(DIVERGENCE)
    expect(boundDivergence({ ...DIVERGENCE, differences })).toEqual({
      ...DIVERGENCE,
      differences: differences.slice(0, 50),
      differencesCut: 1
    })
  })
})

describe('boundText', () => {
  it('cuts before a surrogate pair instead of splitting it', () => {
    expect(boundText('ab🙂', 4)).toBe('ab🙂')
    expect(boundText('ab🙂c', 3)).toBe('ab… (3 more)')
    expect(boundText('ab🙂c', 4)).toBe('ab🙂… (1 more)')
  })
})
