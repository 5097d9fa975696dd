import { describe, expect, it } from 'vitest'
import { type JudgingOptions, judgeEvaluations } from '../../src/audit/judge-pass.ts'
import type { Gate } from '../../src/compare/comparison.ts'
import type { Run } from '../../src/inputs/run-record.ts'
import type { Claim, Evaluation } from '../../src/model/records.ts'
import {
  CU,
  claimOf,
  cronEvaluated,
  evaluated,
  keyOf,
  listedOf,
  resultOf,
  skipped,
  unavailableOf
} from '../compare/fixtures.ts'
import { openInputs, runOf } from '../pull/start.ts'

const OTHER = 'https://other.example'
const ACCUSABLE: Gate = { evidence: { search: { kind: 'complete' } } }

const fine = (nonce: number) => evaluated(nonce, resultOf(nonce))
const claimFine = (nonce: number, more: Partial<Claim> = {}) => claimOf(fine(nonce), resultOf(nonce), more)
const unknown = (nonce: number): Evaluation => ({ ...fine(nonce), outcome: { kind: 'inconclusive', reason: 'missing' } })

async function judged(
  evaluations: readonly Evaluation[],
  answers: Parameters<Awaited<ReturnType<typeof openInputs>>['claims']['put']>[1],
  options: Partial<JudgingOptions> = {},
  run: Run = runOf({ to: 9 })
) {
  const inputs = await openInputs()
  await inputs.claims.put(run, answers)
  async function* stream() {
    yield* evaluations
  }
  const result = await judgeEvaluations({
    inputs,
    run,
    units: [CU],
    evaluations: stream(),
    crons: false,
    mayFire: () => true,
    clock: () => 0,
    strictTagOrder: false,
    gate: () => ACCUSABLE,
    ...options
  })
  const [first] = result.judgements
  if (first === undefined) throw new Error('nobody was judged')
  return { ...result, first }
}

const codes = (judgement: { readonly findings: readonly { readonly code: string }[] }) =>
  judgement.findings.map(({ code }) => code)

describe('a pass over several units', () => {
  it('accuses the unit that differs and leaves the other a match', async () => {
    const wrong = claimOf(fine(1), resultOf(99), { claimant: OTHER })
    const { judgements } = await judged(
      [fine(0), fine(1)],
      [claimFine(0), claimFine(1), claimFine(0, { claimant: OTHER }), wrong],
      { units: [CU, OTHER] }
    )
    expect(judgements.map(({ claimant, verdict }) => [claimant, verdict])).toEqual([
      [CU, 'match'],
      [OTHER, 'mismatch']
    ])
    expect(judgements[1]?.firstDivergence).toMatchObject({ nonce: 1, claimant: OTHER })
  })

  it('does not judge a unit that is not part of it', async () => {
    const { judgements } = await judged([fine(0)], [claimFine(0), claimFine(0, { claimant: OTHER })])
    expect(judgements.map(({ claimant }) => claimant)).toEqual([CU])
  })

  it('passes the status of each unit to the listener with the evaluation', async () => {
    const told: unknown[] = []
    await judged([fine(0), fine(1)], [claimFine(0), claimFine(1, { claimant: OTHER }), unavailableOf(1, 404)], {
      units: [CU, OTHER],
      onEvaluation: ({ nonce }, stands) => told.push([nonce, stands.map(({ claimant, status }) => `${claimant} ${status}`)])
    })
    expect(told).toEqual([
      [0, [`${CU} match`, `${OTHER} unclaimed`]],
      [1, [`${CU} unclaimed`, `${OTHER} match`]]
    ])
  })

  it('is inconclusive if there is no claim to compare', async () => {
    const { first } = await judged([fine(0)], [unavailableOf(0, 404)])
    expect(first.verdict).toBe('inconclusive')
    expect(codes(first)).toEqual(['RESULT_UNAVAILABLE'])
  })

  it('is inconclusive if there are no evaluations', async () => {
    expect((await judged([], [])).first.verdict).toBe('inconclusive')
  })

  it('accuses nobody if the gate forbids it', async () => {
    const gate = ({ nonce }: Evaluation): Gate =>
      nonce === 1 ? { evidence: { search: { kind: 'open', reason: 'in doubt' } } } : ACCUSABLE
    const { first } = await judged([fine(0), fine(1)], [claimFine(0), claimOf(fine(1), resultOf(99))], { gate })
    expect(first).toMatchObject({ verdict: 'inconclusive', firstDivergence: null })
  })
})

describe('claims that no evaluation asks for', () => {
  const cron = listedOf({ key: { ordinate: 1, cron: '0-1-minutes', timestamp: 5 } }, { Output: '' })

  it('are reported and rule out a match', async () => {
    const { first } = await judged([fine(0), fine(1), fine(2)], [claimFine(0), claimFine(1), claimFine(2), cron])
    expect(first.verdict).toBe('inconclusive')
    expect(codes(first)).toEqual(['CLAIM_UNMATCHED'])
  })

  it('excuse later differences, which may follow from them', async () => {
    const { first } = await judged([fine(0), fine(1), fine(2)], [cron, claimOf(fine(2), resultOf(99))], { crons: true })
    expect(first).toMatchObject({ verdict: 'inconclusive', firstDivergence: null })
  })

  it('do not excuse earlier differences', async () => {
    const { first } = await judged([fine(0), fine(1), fine(2)], [claimOf(fine(1), resultOf(99)), cron], { crons: true })
    expect(first.firstDivergence).toMatchObject({ nonce: 1 })
  })

  it('are also reported if they lie after the last evaluation', async () => {
    const { first } = await judged([fine(0)], [claimFine(0), claimFine(9)])
    expect(codes(first)).toEqual(['CLAIM_UNMATCHED'])
  })

  it('are only counted if they are of crons after the last evaluation of the range', async () => {
    const behind = listedOf({ key: { ...keyOf(1), cron: '0-1-minutes' } }, { Output: '' })
    const { first } = await judged([fine(0), fine(1)], [claimFine(0), claimFine(1), behind], { crons: true }, runOf({ to: 1 }))
    expect(first).toMatchObject({ verdict: 'match', findings: [{ code: 'CRONS_BEHIND_RANGE', severity: 'info', count: 1 }] })
  })

  it('are not reported at a skipped message, because its stream may still evaluate crons before it', async () => {
    const late = cronEvaluated(1, keyOf(1).timestamp + 1, resultOf(7))
    const evaluations = [fine(0), fine(1), skipped(2, 1), late, fine(3)]
    const { first } = await judged(evaluations, [claimFine(1), listedOf(late, resultOf(7)), claimFine(3)], { crons: true })
    expect(first).toMatchObject({ verdict: 'inconclusive', findings: [{ code: 'DUPLICATE_SKIPPED' }] })
  })

  it('are not reported once an evaluation is missing on our side', async () => {
    const { first } = await judged([fine(0), unknown(1), unknown(2)], [claimFine(0), cron, claimFine(9)])
    expect(codes(first)).not.toContain('CLAIM_UNMATCHED')
    expect(first.verdict).toBe('inconclusive')
  })

  it('are ignored if they lie outside of the range', async () => {
    const { first } = await judged([fine(0), fine(1)], [claimFine(0), claimFine(1), claimFine(2)], {}, runOf({ to: 1 }))
    expect(first).toMatchObject({ verdict: 'match', findings: [] })
  })
})

describe('the range', () => {
  it('begins with evaluations before it that are replayed and passed to the listener but not judged', async () => {
    const each: unknown[] = []
    const inRange: unknown[] = []
    const { first, counts } = await judged(
      [fine(0), fine(1), fine(2)],
      [claimOf(fine(0), resultOf(99)), claimFine(2)],
      { onEach: ({ nonce }) => each.push(nonce), onEvaluation: ({ nonce }) => inRange.push(nonce) },
      runOf({ from: 2, to: 2 })
    )
    expect(each).toEqual([0, 1, 2])
    expect(inRange).toEqual([2])
    expect(first).toMatchObject({ verdict: 'match', coverage: { scheduled: 1, compared: 1 } })
    expect(counts).toEqual({ scheduled: 1, cron: 0, evaluated: 1, skipped: 0, unverified: 0 })
  })

  it('is counted by kind', async () => {
    const injected: Evaluation = { key: { ordinate: 0, timestamp: 1 }, outcome: fine(0).outcome }
    const evaluations = [injected, fine(0), cronEvaluated(0, 7, resultOf(0)), fine(1), skipped(2, 1), unknown(3)]
    const { counts } = await judged(evaluations, [], { gate: ({ nonce }) => ({ ...ACCUSABLE, verified: nonce !== 1 }) })
    expect(counts).toEqual({ scheduled: 4, cron: 1, evaluated: 3, skipped: 1, unverified: 1 })
  })
})

it('returns the evaluations that agree only under another profile', async () => {
  const { key, messageId, outcome } = fine(1)
  if (messageId === undefined || outcome.kind !== 'result') throw new Error('no result')
  const profiled: Evaluation = { key, nonce: 1, messageId, outcome: { ...outcome, profile: 'another' }, hostInputs: ['now'] }
  const result = await judged([fine(0), profiled], [claimFine(0), claimFine(1)])
  expect(result.profiled).toEqual([profiled])
  expect(result.first.evaluations).toMatchObject([{ nonce: 1, status: 'match-profile', profile: 'another' }])
})

it('uses fixtures whose keys equal those of claims', () => {
  expect(claimFine(1).key).toEqual(keyOf(1))
})
