import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { claimsAnError, createAnswerReader } from '../../src/inputs/claim-reader.ts'
import { createInputs, type Inputs } from '../../src/inputs/inputs.ts'
import { createWatermark, followInputs } from '../../src/inputs/live-inputs.ts'
import type { Run } from '../../src/inputs/run-record.ts'
import { type Claim, type ClaimUnavailable, type EvaluationKey, keyText } from '../../src/model/records.ts'
import { CU, claimOf, keyOf, listedOf, messageId, unavailableOf } from '../compare/fixtures.ts'
import { nameOf, openInputs, openTemporaryStore, runOf } from '../pull/start.ts'

const cronKey = (ordinate: number, cron = '0-1-minutes') => ({ ordinate, cron, timestamp: 7 })
const claim = (key: EvaluationKey) => claimOf({ key }, { Output: keyText(key) })

async function readerOf(answers: readonly (Claim | ClaimUnavailable)[]) {
  const inputs = await openInputs()
  await inputs.claims.put(runOf({ to: 100 }), answers)
  return createAnswerReader(inputs, runOf({ to: 100 }), CU)
}

describe('the answer reader', () => {
  it('returns each answer by its key, and separates message and cron of one ordinate', async () => {
    const reader = await readerOf([claim(keyOf(1)), listedOf({ key: keyOf(1) }, {}), claim(cronKey(1)), unavailableOf(2, 425)])
    expect((await reader.take({ key: keyOf(1) })).claims.map(nameOf).sort()).toEqual(['l1', 'r1'])
    expect((await reader.take({ key: cronKey(1) })).claims.map(nameOf)).toEqual(['r1/0-1-minutes'])
    expect(await reader.take({ key: keyOf(2) })).toEqual({ claims: [], unavailable: [unavailableOf(2, 425)] })
    expect(await reader.leftover(100)).toEqual([])
  })

  it('leaves over, once, a claim with the same nonce but another time', async () => {
    const reader = await readerOf([claim({ ordinate: 1, timestamp: 1 }), claim(keyOf(2))])
    expect((await reader.take({ key: keyOf(1) })).claims).toEqual([])
    expect((await reader.leftover(1)).map(nameOf)).toEqual(['r1'])
    expect(await reader.leftover(1)).toEqual([])
    expect((await reader.take({ key: keyOf(2) })).claims.map(nameOf)).toEqual(['r2'])
  })

  it('leaves over an answer that names another message', async () => {
    const reader = await readerOf([claim(keyOf(1)), { ...claim(keyOf(1)), raw: '{}', messageId: messageId('m2') }])
    expect((await reader.take({ key: keyOf(1), messageId: messageId('m1') })).claims.map(({ raw }) => raw)).toEqual([
      claim(keyOf(1)).raw
    ])
    expect((await reader.leftover(1)).map((left) => left.messageId)).toEqual([messageId('m2')])
  })

  it('leaves over the claims between two evaluations up to the requested ordinate only', async () => {
    const reader = await readerOf([1, 3, 5, 10].map((nonce) => claim(keyOf(nonce))))
    await reader.take({ key: keyOf(4) })
    expect((await reader.leftover(3)).map(nameOf)).toEqual(['r1', 'r3'])
    expect((await reader.leftover(9)).map(nameOf)).toEqual(['r5'])
    expect((await reader.take({ key: keyOf(10) })).claims.map(nameOf)).toEqual(['r10'])
  })

  it('returns nothing for a unit that answered nothing', async () => {
    const reader = await readerOf([])
    expect(await reader.take({ key: keyOf(0) })).toEqual({ claims: [], unavailable: [] })
    expect(await reader.leftover(100)).toEqual([])
  })
})

describe('claimsAnError', () => {
  const OTHER = 'http://other'
  const run = runOf({ to: 100 })
  const keys = [keyOf(1), keyOf(2), cronKey(2), keyOf(3), cronKey(3), keyOf(4)]
  const answers = [
    claim(keyOf(1)),
    claimOf({ key: keyOf(2) }, { Error: 'boom' }),
    claim(cronKey(2)),
    claim(keyOf(3)),
    claimOf({ key: cronKey(3) }, { Error: '' }),
    unavailableOf(4, 425)
  ]
  const EXPECTED = [false, true, false, false, true, false]
  const saidOf = (inputs: Inputs, units = [OTHER, CU]) => Promise.all(keys.map((key) => claimsAnError(inputs, run, units, key)))

  it('uses the claims that have arrived so far, and does not wait', async () => {
    const inputs = await openInputs()
    const coming = followInputs(inputs, { schedule: createWatermark(), claims: new Map([[CU, createWatermark()]]) })
    expect(await saidOf(coming)).toEqual([false, false, false, false, false, false])
    await inputs.claims.put(run, answers)
    expect(await saidOf(coming)).toEqual(EXPECTED)
    expect(await saidOf(coming, [])).toEqual([false, false, false, false, false, false])
  })

  it('reads stored claims that another process fetched', async () => {
    const store = await openTemporaryStore()
    await createInputs(store).claims.put(run, answers)
    expect(await saidOf(createInputs(store))).toEqual(EXPECTED)
  })

  it('is true if any of the given units claims it, also with a later claim', async () => {
    const inputs = await openInputs()
    await inputs.claims.put(run, answers)
    await inputs.claims.put(run, [{ ...claimOf({ key: keyOf(1) }, { Error: 'boom' }), claimant: OTHER }])
    await inputs.claims.put(run, [claimOf({ key: keyOf(3) }, { Error: 'boom' })])
    expect(await saidOf(inputs)).toEqual([true, true, false, true, true, false])
    expect(await saidOf(inputs, [CU])).toEqual([false, true, false, true, true, false])
    expect(await claimsAnError(inputs, { ...run, id: 'another run' }, [CU], keyOf(2))).toBe(false)
  })
})

it('the answer reader returns every claim once, taken or left over, whatever is evaluated', () => {
  const anyKey = fc.record(
    { ordinate: fc.nat(8), timestamp: fc.nat(1), cron: fc.constantFrom('a', '__proto__') },
    { requiredKeys: ['ordinate', 'timestamp'] }
  )
  const inOrder = (left: EvaluationKey, right: EvaluationKey) => left.ordinate - right.ordinate
  return fc.assert(
    fc.asyncProperty(
      fc.array(anyKey, { maxLength: 20 }),
      fc.uniqueArray(anyKey, { selector: keyText, maxLength: 12 }),
      fc.constantFrom(0, 1, 3, Number.POSITIVE_INFINITY),
      async (claimed, evaluated, step) => {
        const claims = claimed.sort(inOrder).map((key, place) => ({ ...claim(key), raw: String(place) }))
        async function* stream({ from, to }: Run) {
          yield* claims.filter(({ key }) => key.ordinate >= from && key.ordinate <= to)
        }
        async function* none() {}
        // The claims arrive in parts of `step`.
        const completeTo = async (_run: Run, _unit: string, ordinate: number) => ordinate + step
        const inputs = { claims: { of: stream, unavailable: none, completeTo } } as unknown as Inputs
        const reader = createAnswerReader(inputs, runOf({ to: 8 }), CU)
        const seen: Claim[] = []
        for (const key of evaluated.sort(inOrder)) {
          seen.push(...(await reader.leftover(key.ordinate - 1)))
          const taken = (await reader.take({ key })).claims
          expect(taken).toEqual(claims.filter((one) => keyText(one.key) === keyText(key)))
          seen.push(...taken)
        }
        seen.push(...(await reader.leftover(8)))
        expect(seen.map(({ raw }) => Number(raw)).sort((left, right) => left - right)).toEqual(claims.map((_, place) => place))
      }
    )
  )
})
