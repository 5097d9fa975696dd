import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PlannedEvaluation } from '../../src/replay/plan/planned.ts'
import { sharePlan } from '../../src/replay/shared-plan.ts'

const keyOf = (nonce: number) => ({ ordinate: nonce, timestamp: nonce })
const planned = (nonce: number): PlannedEvaluation => ({
  key: keyOf(nonce),
  nonce,
  saved: true,
  work: { kind: 'skip', reason: 'duplicate-push', of: 0 }
})

/** A plan that counts how many of its evaluations were read. */
function planOf(count: number) {
  const seen = { read: 0, closed: 0 }
  async function* plan() {
    try {
      for (let nonce = 0; nonce < count; nonce++) {
        seen.read = nonce + 1
        yield planned(nonce)
      }
    } finally {
      seen.closed++
    }
  }
  return { seen, plan: plan() }
}

async function noncesOf(part: AsyncIterable<PlannedEvaluation>): Promise<(number | undefined)[]> {
  const nonces: (number | undefined)[] = []
  for await (const { nonce } of part) nonces.push(nonce)
  return nonces
}

describe('sharePlan', () => {
  it('reads the plan once and gives each part its evaluations, led by the last one of the part before', async () => {
    const { seen, plan } = planOf(9)
    const shared = sharePlan(plan, [keyOf(2), keyOf(5)])
    const parts = await Promise.all([0, 1, 2].map((place) => noncesOf(shared.part(place))))
    expect(parts).toEqual([
      [0, 1, 2],
      [2, 3, 4, 5],
      [5, 6, 7, 8]
    ])
    expect(seen).toEqual({ read: 9, closed: 1 })
  })

  it('gives each part the same evaluations, whichever parts are read at a time and in whatever order', async () => {
    const turns = fc.array(fc.nat(2), { maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(turns, fc.integer({ min: 1, max: 20_000 }), async (order, maxChars) => {
        const { plan } = planOf(12)
        const shared = sharePlan(plan, [keyOf(3), keyOf(7)], maxChars)
        const parts = [0, 1, 2].map((place) => shared.part(place))
        const found: (number | undefined)[][] = [[], [], []]
        const under: Promise<void>[] = []
        for (const place of [...order, ...Array.from({ length: 39 }, (_, turn) => turn % 3)]) {
          const part = parts[place]
          if (part === undefined) continue
          under.push(part.next().then(({ done, value }) => void (done === true || found[place]?.push(value.nonce))))
        }
        await Promise.all(under)
        expect(found).toEqual([
          [0, 1, 2, 3],
          [3, 4, 5, 6, 7],
          [7, 8, 9, 10, 11]
        ])
      }),
      { numRuns: 100 }
    )
  })

  it('reads no further ahead than its limit until the part before has taken its evaluations', async () => {
    const { seen, plan } = planOf(100)
    const shared = sharePlan(plan, [keyOf(50)], 20_000)
    const [first, second] = [shared.part(0), shared.part(1)]
    const ahead = second.next()
    await expect.poll(() => seen.read).toBe(10)
    expect((await first.next()).value?.nonce).toBe(0)
    await expect.poll(() => seen.read).toBe(11)
    const rest = noncesOf(first)
    expect((await ahead).value?.nonce).toBe(50)
    expect((await rest).length).toBe(50)
    await second.return(undefined)
    await shared.close()
    expect(seen.closed).toBe(1)
  })

  it('continues for the other parts if the reader of one gives up, and closes the plan at the end', async () => {
    const { seen, plan } = planOf(100)
    const shared = sharePlan(plan, [keyOf(50)], 20_000)
    const first = shared.part(0)
    await first.next()
    await first.return(undefined)
    expect((await noncesOf(shared.part(1))).slice(0, 2)).toEqual([50, 51])
    await shared.close()
    expect(seen).toEqual({ read: 100, closed: 1 })
  })

  it('passes a failure of the plan to every part that the plan did not reach', async () => {
    async function* plan() {
      yield planned(0)
      throw new Error('no more')
    }
    const shared = sharePlan(plan(), [keyOf(0)])
    expect(await noncesOf(shared.part(0))).toEqual([0])
    await expect(noncesOf(shared.part(1))).rejects.toThrow('no more')
  })
})
