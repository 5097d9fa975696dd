/** Sets of known blocks compared with the listings of units and with a replay. */
import { describe, expect, it } from 'vitest'
import { type BlockCandidate, createBlockChooser } from '../../../src/audit/search/block-choice.ts'
import { assumedAtFirst, blocksAreKnown, createBlockWatch } from '../../../src/audit/search/block-watch.ts'
import { type Claim, type EvaluationKey, keyText } from '../../../src/model/records.ts'
import type { PlannedEvaluation } from '../../../src/replay/plan/planned.ts'
import type { KnownBlockSets } from '../../../src/replay/profile.ts'
import { CU, claimOf, cronEvaluated, evaluated, LISTED, resultOf } from '../../compare/fixtures.ts'
import { openInputs, runOf } from '../../pull/start.ts'

const message = (nonce: number): EvaluationKey => ({ ordinate: nonce, timestamp: nonce * 100 })
const cron = (nonce: number, more: number): EvaluationKey => ({
  ordinate: nonce,
  cron: '0-1-block',
  timestamp: nonce * 100 + more
})
const planned = (key: EvaluationKey, height = 7): PlannedEvaluation => {
  const nonce = key.cron === undefined ? { nonce: key.ordinate } : {}
  return { key, ...nonce, saved: true, work: { kind: 'run', message: { 'Block-Height': height } } }
}
const listed = (key: EvaluationKey): Claim => claimOf({ key }, { Output: keyText(key) }, { kind: 'listed', covers: LISTED })

/** Candidates for messages 0 to 3 with the crons of a set between them, and a unit that lists these keys. */
async function candidates(
  crons: Readonly<Record<string, readonly EvaluationKey[]>>,
  lists: readonly EvaluationKey[],
  passedRange?: true
) {
  const inputs = await openInputs()
  const run = runOf()
  const progress = { to: run.to, done: true, ...(passedRange === undefined ? {} : { last: message(run.to + 1) }) }
  await inputs.claims.put(run, lists.map(listed), { unit: CU, listing: 'results', progress })
  async function* plan(set: KnownBlockSets) {
    const fired = crons[typeof set === 'string' ? set : 'asked'] ?? crons['stepwise'] ?? []
    for (let nonce = 0; nonce <= run.to; nonce++) {
      yield planned(message(nonce))
      for (const key of fired) if (key.ordinate === nonce) yield planned(key)
    }
  }
  const chooser = await createBlockChooser({ inputs, run, claimsFrom: 0, plan, units: [CU] })
  return chooser.candidates()
}

const shown = ({ set, units }: BlockCandidate) => {
  const { unlisted, unplanned, unaskedFrom } = units.get(CU) ?? { unlisted: [], unplanned: [], unaskedFrom: undefined }
  return [set, [...unlisted], [...unplanned], unaskedFrom]
}
const [a, b, c] = [cron(0, 10), cron(1, 10), cron(2, 10)]
const all = [0, 1, 2, 3].map(message)

describe('the candidates for the known blocks', () => {
  it('begin with the set whose crons are exactly those listed, and contain sets with equal crons once', async () => {
    const found = await candidates({ stepwise: [a], 'one-stream': [a, b], all: [a, b] }, [...all, a, b])
    expect(found.map(shown)).toEqual([
      ['one-stream', [], [], undefined],
      ['stepwise', [], [keyText(b)], undefined]
    ])
  })

  it('rank a set that fires all listed crons and more before one that misses a listed cron', async () => {
    const found = await candidates({ stepwise: [a], 'one-stream': [a, b, c], all: [a, b, c] }, [...all, a, b])
    expect(found.map(shown)).toEqual([
      ['one-stream', [keyText(c)], [], undefined],
      ['stepwise', [], [keyText(b)], undefined]
    ])
  })

  it('do not treat a cron after the end of a listing as one that did not fire', async () => {
    const [best] = await candidates({ stepwise: [a, b, c] }, [message(0), a, message(1)])
    expect(best === undefined ? [] : shown(best)).toEqual(['stepwise', [], [], b])
    const [none] = await candidates({ stepwise: [a] }, [])
    expect(none === undefined ? [] : shown(none)).toEqual(['stepwise', [], [], a])
    const [passed] = await candidates({ stepwise: [a, b, c] }, [message(0), a, message(1)], true)
    expect(passed === undefined ? [] : shown(passed)).toEqual(['stepwise', [keyText(b), keyText(c)], [], undefined])
  })

  it('do not count crons as unplanned if they are listed after the last evaluation of the range', async () => {
    const [best] = await candidates({ stepwise: [a] }, [...all, a, cron(3, 0), cron(3, 10)])
    expect(best === undefined ? [] : shown(best)).toEqual(['stepwise', [], [], undefined])
  })
})

describe('a replay under a set of known blocks', () => {
  const candidate: BlockCandidate = {
    set: 'all',
    digest: '',
    firstCron: a,
    units: new Map([[CU, { unlisted: new Set([a, b].map(keyText)), unplanned: new Set<string>(), unaskedFrom: undefined }]])
  }
  const evaluatedAs = (key: EvaluationKey, failed: boolean) => ({
    ...cronEvaluated(0, 0, failed ? { Error: 'no' } : resultOf(1)),
    key
  })

  it('shows that the set fits if all unlisted crons fail', () => {
    const watch = createBlockWatch(candidate, () => new Map())
    for (const key of [a, b]) watch.take(evaluatedAs(key, true))
    expect(watch.found().get(CU)).toMatchObject({ fits: true, leftOut: [], failed: new Set([a, b].map(keyText)) })
  })

  it('shows that the set does not fit if an unlisted cron does not fail', () => {
    const watch = createBlockWatch(candidate, () => new Map())
    watch.take(evaluatedAs(a, true))
    watch.take(evaluatedAs(b, false))
    expect(assumedAtFirst(candidate).get(CU)?.fits).toBe(true)
    expect(watch.found().get(CU)).toMatchObject({ fits: false, leftOut: [b] })
  })

  it("shows that a unit evaluated a cron that it does not list if the replay reaches the unit's own later memory", () => {
    for (const [hash, fits] of [
      ['same', true],
      ['other', false]
    ] as const) {
      const watch = createBlockWatch(candidate, () => new Map([['2', hash]]))
      watch.take(evaluatedAs(a, false))
      watch.take({ ...evaluated(2, resultOf(2)), key: message(2), stateHash: 'same' })
      expect(watch.found().get(CU)).toMatchObject({ fits, shown: new Set(fits ? [keyText(a)] : []) })
    }
  })

  it('settles nothing from the first cron on if the set does not fit, nor after the end of the listings', () => {
    const known = (key: EvaluationKey, fits: boolean, unaskedFrom?: EvaluationKey) =>
      blocksAreKnown(key, a, { unaskedFrom }, { fits })
    expect([message(0), a, message(1)].map((key) => known(key, false))).toEqual([true, false, false])
    expect([message(0), a, message(1), b, message(2)].map((key) => known(key, true, b))).toEqual([
      true,
      true,
      true,
      false,
      false
    ])
  })
})
