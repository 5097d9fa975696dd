import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createEvaluated, type Place } from '../../../src/replay/plan/duplicates.ts'
import { idOf, onChain, plan, processRecord, scheduled, tag } from './fixtures.ts'

test('findBefore returns the first place of a key if it is before the given place', () => {
  const evaluated = createEvaluated()
  evaluated.add('a', { epoch: 0, nonce: 3 })
  evaluated.add('a', { epoch: 0, nonce: 1 })
  evaluated.add('__proto__', { epoch: 0, nonce: 1 })
  expect(evaluated.findBefore('a', { epoch: 0, nonce: 4 })).toBe(3)
  expect(evaluated.findBefore('a', { epoch: 0, nonce: 3 })).toBeUndefined()
  expect(evaluated.findBefore('b', { epoch: 0, nonce: 9 })).toBeUndefined()
  expect(evaluated.findBefore('__proto__', { epoch: 0, nonce: 9 })).toBe(1)
  expect(evaluated.findBefore('constructor', { epoch: 0, nonce: 9 })).toBeUndefined()
})

test('findBefore finds an earlier nonce of the same epoch, or a nonce below the epoch', () => {
  const evaluated = createEvaluated()
  evaluated.add('a', { epoch: 1, nonce: 3 })
  const found = (place: Place) => evaluated.findBefore('a', place)
  expect([found({ epoch: 2, nonce: 9 }), found({ epoch: 1, nonce: 9 }), found({ epoch: 4, nonce: 0 })]).toEqual([
    undefined,
    3,
    3
  ])
})

/** Finds duplicates in rows like those of the CU's table, read from front to back. */
function naive(messages: readonly { kind: 'plain' | 'push' | 'assign'; what: number }[]): (number | undefined)[] {
  const rows: { key: string; nonce: number }[] = []
  return messages.map(({ kind, what }, nonce) => {
    const key = kind === 'push' ? `push ${what}` : `id ${what}`
    const earlier = rows.find((row) => row.key === key)
    if (kind !== 'plain' && earlier !== undefined) return earlier.nonce
    if (earlier === undefined) rows.push({ key, nonce })
    return undefined
  })
}

test('a plan skips the same messages as a table of rows', async () => {
  const message = fc.record({ kind: fc.constantFrom('plain' as const, 'push' as const, 'assign' as const), what: fc.nat(3) })
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 30 }), async (messages) => {
      const schedule = messages.map(({ kind, what }, nonce) => {
        if (kind === 'assign') return scheduled(nonce, { item: null, messageId: idOf(`id${what}`) })
        if (kind === 'plain') return scheduled(nonce, { messageId: idOf(`id${what}`) })
        return scheduled(nonce, { item: { tags: [tag('From-Process', 'p')], data: `${what}` } })
      })
      const items = [0, 1, 2, 3].map((what) => onChain(`id${what}`, {}, ''))
      const [boot, ...planned] = await plan({ process: processRecord(), schedule, items, processData: '' })
      expect(boot?.saved).toBe(false)
      expect(planned.map(({ work }) => (work.kind === 'skip' ? work.of : undefined))).toEqual(naive(messages))
    }),
    { numRuns: 200 }
  )
})
