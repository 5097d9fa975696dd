import { describe, expect, it } from 'vitest'
import type { Gate } from '../../src/compare/comparison.ts'
import { createHistory } from '../../src/compare/history.ts'
import { createJudge, type JudgeOptions } from '../../src/compare/judge.ts'
import { STRICT_TALLY } from '../../src/compare/tally.ts'
import type { Claim, ClaimUnavailable, Evaluation } from '../../src/model/records.ts'
import {
  CU,
  claimOf,
  cronEvaluated,
  evaluated,
  keyOf,
  listedOf,
  messageId,
  nested,
  resultOf,
  skipped,
  unavailableOf
} from './fixtures.ts'

const OPEN: Gate = { evidence: { search: { kind: 'complete' } } }
/** A gate that blames nobody. */
const closed = (reason: string): Gate => ({ evidence: { search: { kind: 'open', reason } } })
/** A gate without settled knowledge of the unit's blocks. */
const UNSETTLED: Gate = {
  evidence: { search: { kind: 'complete' }, unsettledBlocks: 'the unit’s known blocks are not settled' }
}

/** A judge, and short ways to give it evaluations. */
function open(options: Partial<JudgeOptions> = {}) {
  const judge = createJudge({ claimant: CU, history: createHistory(), crons: false, ...options })
  const take = (evaluation: Evaluation, claims: readonly Claim[], gate = OPEN, unavailable: readonly ClaimUnavailable[] = []) =>
    judge.evaluation(evaluation, claims, unavailable, gate)
  /** Gives it an evaluation with honest claims. */
  const honest = (nonce: number) => {
    const evaluation = evaluated(nonce, resultOf(nonce))
    return take(evaluation, [claimOf(evaluation, resultOf(nonce)), listedOf(evaluation, resultOf(nonce))])
  }
  const codes = () => judge.finish().findings.map(({ code, severity }) => `${code} ${severity}`)
  return { judge, take, honest, codes }
}

describe('a claimant that agrees', () => {
  it('matches, with nothing to report', () => {
    const { judge, honest } = open()
    expect([honest(0), honest(1)]).toEqual(['match', 'match'])
    expect(judge.finish()).toEqual({
      claimant: CU,
      verdict: 'match',
      reasons: [],
      coverage: { scheduled: 2, cron: 0, evaluated: 2, compared: 2, skipped: 0, unclaimed: 0, unread: 0, unverified: 0 },
      firstDivergence: null,
      evaluations: [],
      evaluationsCut: 0,
      findings: [],
      tolerances: [],
      remarks: [],
      unexplained: null,
      contradicts: null
    })
  })

  it('is judged by its listing if /result gave nothing', () => {
    const { judge, take } = open()
    const evaluation = evaluated(0, resultOf(0))
    expect(take(evaluation, [listedOf(evaluation, resultOf(0))], OPEN, [unavailableOf(0, 425)])).toBe('match')
    expect(judge.finish().findings).toEqual([
      {
        code: 'RESULT_UNAVAILABLE',
        severity: 'info',
        attribution: 'compute-unit',
        claimant: CU,
        key: keyOf(0),
        nonce: 0,
        detail: '/result answered 425, gone'
      }
    ])
  })

  it('is no match, but not blamed, if one of its answers could not be read, whatever it lists', () => {
    const { judge, take } = open()
    const unread = (nonce: number): ClaimUnavailable => {
      const { status: _, ...rest } = unavailableOf(nonce, 0)
      return { ...rest, unread: true, detail: 'its answer is not JSON' }
    }
    const [first, second, third] = [0, 1, 2].map((nonce) => evaluated(nonce, resultOf(nonce))) as [
      Evaluation,
      Evaluation,
      Evaluation
    ]
    expect(take(first, [listedOf(first, resultOf(0))], OPEN, [unread(0)])).toBe('inconclusive')
    expect(take(second, [], OPEN, [unread(1)])).toBe('inconclusive')
    expect(take(third, [claimOf(third, resultOf(2))])).toBe('match')
    const again = skipped(3, 1)
    expect(take(again, [], OPEN, [unread(3)])).toBe('inconclusive')
    const { verdict, coverage, findings, reasons } = judge.finish()
    expect([verdict, coverage.unread, coverage.compared, coverage.unclaimed]).toEqual(['inconclusive', 3, 2, 0])
    expect(reasons.join()).toContain('nonce 0: its answer could not be read: its answer is not JSON')
    expect(findings.filter(({ code }) => code === 'ANSWER_NOT_READ')).toMatchObject(
      [0, 1, 3].map((nonce) => ({ nonce, severity: 'warning' }))
    )
  })

  it('is a mismatch if its listing is wrong, although its answer could not be read', () => {
    const { take } = open()
    const evaluation = evaluated(0, resultOf(0))
    const { status: _, ...rest } = unavailableOf(0, 0)
    expect(take(evaluation, [listedOf(evaluation, resultOf(9))], OPEN, [{ ...rest, unread: true }])).toBe('mismatch')
  })

  it('matches under another profile, which the reasons say', () => {
    const { judge, take } = open()
    const base = evaluated(3, resultOf(3))
    const evaluation = { ...base, outcome: { ...base.outcome, profile: 'fresh' } } as Evaluation
    expect(take(evaluation, [claimOf(evaluation, resultOf(3))])).toBe('match-profile')
    const { verdict, evaluations, reasons, coverage } = judge.finish()
    expect(verdict).toBe('match')
    expect(coverage.compared).toBe(1)
    expect(evaluations).toStrictEqual([
      {
        key: keyOf(3),
        nonce: 3,
        message: messageId('m3'),
        status: 'match-profile',
        claimant: CU,
        profile: 'fresh',
        reason: 'agrees under the profile fresh'
      }
    ])
    expect(reasons).toEqual(['1 evaluation: agrees under another execution profile'])
    expect(judge.finish().remarks).toEqual(reasons)
  })

  it('matches with a different order of tags, which is counted, but not under a proven profile', () => {
    const permuted = structuredClone(resultOf(1)) as { Messages: { Tags: unknown[] }[] }
    permuted.Messages[0]?.Tags.reverse()
    permuted.Messages[0]?.Tags.splice(0, 2, { name: 'X-Note', value: 'a' }, { name: 'X-Note', value: 'b' })
    const { judge, take } = open()
    for (const nonce of [1, 2]) {
      const evaluation = evaluated(nonce, resultOf(1))
      expect(take(evaluation, [claimOf(evaluation, permuted), listedOf(evaluation, permuted)])).toBe('match')
    }
    const { verdict, findings, reasons } = judge.finish()
    expect(verdict).toBe('match')
    expect(findings).toMatchObject([
      { code: 'TAG_ORDER_DIFFERS', severity: 'info', attribution: 'auditor', nonce: 1, key: keyOf(1), count: 2, claimant: CU }
    ])
    expect(reasons).toEqual(['2 evaluations: agrees except for the order of tags'])

    const strict = open({ strictTagOrder: true })
    const evaluation = evaluated(1, resultOf(1))
    expect(strict.take(evaluation, [claimOf(evaluation, permuted)])).toBe('mismatch')
    expect(strict.codes()).toEqual(['RESULT_MISMATCH error'])
  })
})

it('a judge notices a different order of tags in one of several claims', () => {
  const { take, codes } = open()
  const evaluation = evaluated(1, resultOf(1))
  const permuted = structuredClone(resultOf(1)) as { Messages: { Tags: unknown[] }[] }
  const [tags] = permuted.Messages.map(({ Tags }) => Tags)
  tags?.push(...tags.splice(0, 1))
  expect(take(evaluation, [claimOf(evaluation, permuted), listedOf(evaluation, resultOf(1))])).toBe('match')
  expect(codes()).toEqual(['TAG_ORDER_DIFFERS info'])
})

describe('a claimant that differs', () => {
  it('is a mismatch from the first difference on, and later evaluations are still judged', () => {
    const { judge, take, honest } = open()
    honest(0)
    for (const nonce of [1, 3]) {
      const evaluation = evaluated(nonce, resultOf(100))
      expect(take(evaluation, [claimOf(evaluation, resultOf(101)), listedOf(evaluation, resultOf(101))])).toBe('mismatch')
      expect(honest(nonce + 1)).toBe('match')
    }
    const differences = [{ path: 'Messages[0].Tags[1].value', claimed: '101', computed: '100' }]
    const { verdict, firstDivergence, evaluations, findings, reasons, coverage } = judge.finish()
    expect(verdict).toBe('mismatch')
    expect(firstDivergence).toStrictEqual({ key: keyOf(1), nonce: 1, message: messageId('m1'), claimant: CU, differences })
    expect(evaluations.map(({ nonce, status }) => [nonce, status])).toEqual([
      [1, 'mismatch'],
      [3, 'mismatch']
    ])
    expect(evaluations[0]?.differences).toEqual(differences)
    expect(findings).toMatchObject([
      { code: 'RESULT_MISMATCH', severity: 'error', attribution: 'compute-unit', nonce: 1, claimant: CU },
      { code: 'RESULT_MISMATCH', severity: 'error', attribution: 'compute-unit', nonce: 3, claimant: CU }
    ])
    expect(findings[0]?.detail).toBe('Messages[0].Tags[1].value differs')
    expect(reasons).toEqual(['2 evaluations: the claim differs from the computed result, the first at nonce 1'])
    expect(coverage).toMatchObject({ scheduled: 5, evaluated: 5, compared: 5, unclaimed: 0 })
  })

  it('contradicts itself if /result and /results differ, whichever of them is wrong', () => {
    for (const [result, listed] of [
      [1, 2],
      [2, 1]
    ] as const) {
      const { take, codes } = open()
      const evaluation = evaluated(1, resultOf(1))
      expect(take(evaluation, [listedOf(evaluation, resultOf(listed)), claimOf(evaluation, resultOf(result))])).toBe('mismatch')
      expect(codes()).toEqual(['RESULT_MISMATCH error', 'CLAIMANT_CONTRADICTS_ITSELF warning'])
    }
  })

  it('does not contradict itself in gas, which /results does not show', () => {
    const { take, codes } = open()
    const evaluation = evaluated(1, resultOf(1))
    expect(take(evaluation, [claimOf(evaluation, { ...resultOf(1), GasUsed: 9 }), listedOf(evaluation, resultOf(1))])).toBe(
      'mismatch'
    )
    expect(codes()).toEqual(['RESULT_MISMATCH error'])
  })

  it('does not contradict itself in fields that its answer does not cover', () => {
    const { take, codes } = open()
    const evaluation = evaluated(1, resultOf(1))
    const part = claimOf(evaluation, { Output: resultOf(1).Output }, { covers: ['Output'] })
    expect(take(evaluation, [part, listedOf(evaluation, resultOf(1))])).toBe('match')
    expect(codes()).toEqual([])
  })

  it('is a mismatch if only one of several claims differs', () => {
    const { take } = open()
    const evaluation = evaluated(1, resultOf(1))
    expect(take(evaluation, [listedOf(evaluation, resultOf(1)), listedOf(evaluation, resultOf(2))])).toBe('mismatch')
  })

  it('is not accused if the gate is closed', () => {
    const { judge, take } = open()
    const evaluation = evaluated(1, resultOf(1))
    const gate = { ...closed('a signature was not checked'), verified: false }
    expect(take(evaluation, [claimOf(evaluation, resultOf(2))], gate)).toBe('inconclusive')
    const { verdict, evaluations, findings, firstDivergence, coverage, reasons } = judge.finish()
    expect(verdict).toBe('inconclusive')
    expect(findings).toEqual([])
    expect(firstDivergence).toBeNull()
    expect(evaluations).toMatchObject([
      { status: 'inconclusive', reason: 'a signature was not checked', differences: [{ claimed: '2' }] }
    ])
    expect(coverage).toMatchObject({ compared: 1, unverified: 1 })
    expect(reasons).toEqual([`1 evaluation: no verdict, the first at nonce 1: a signature was not checked`])
  })

  it('is a mismatch if it claims success for a failure, or a failure for a success', () => {
    for (const [claimed, computed] of [
      [resultOf(1), { Error: 'no' }],
      [{ Error: 'no' }, resultOf(1)]
    ] as const) {
      const { take } = open()
      const evaluation = evaluated(1, computed)
      expect(take(evaluation, [claimOf(evaluation, claimed)])).toBe('mismatch')
    }
  })

  it('is judged beside others over one history', () => {
    const history = createHistory()
    const other = 'https://other.example'
    const judges = [CU, other].map((claimant) => createJudge({ claimant, history, crons: false }))
    const evaluation = evaluated(1, resultOf(1))
    const claims = [claimOf(evaluation, resultOf(1)), claimOf(evaluation, resultOf(2), { claimant: other })]
    const statuses = judges.map((judge) => judge.evaluation(evaluation, claims, [unavailableOf(1, 404)], OPEN))
    expect(statuses).toEqual(['match', 'mismatch'])
    expect(judges[1]?.finish().findings).toMatchObject([{ code: 'RESULT_MISMATCH', claimant: other }])
  })
})

describe('a judgement without enough evidence', () => {
  it('is no match if nothing was compared', () => {
    const { judge, take } = open()
    expect(judge.finish()).toMatchObject({ verdict: 'inconclusive', reasons: ['nothing could be compared'] })
    expect(take(evaluated(1, resultOf(1)), [], OPEN, [unavailableOf(1, 425)])).toBe('unclaimed')
    const { verdict, reasons, coverage, findings, evaluations } = judge.finish()
    expect(verdict).toBe('inconclusive')
    expect(reasons).toEqual(['nothing could be compared', '1 evaluation: nothing is claimed (nonce 1)'])
    expect(coverage).toMatchObject({ evaluated: 1, compared: 0, unclaimed: 1 })
    expect(findings).toMatchObject([{ code: 'RESULT_UNAVAILABLE', severity: 'warning' }])
    expect(evaluations).toMatchObject([{ nonce: 1, status: 'unclaimed' }])
  })

  it('is no match if one of several evaluations is unclaimed, unless the user asks for less coverage', () => {
    for (const [minCoveragePercent, verdict] of [
      [100, 'inconclusive'],
      [50, 'match'],
      [50.1, 'inconclusive']
    ] as const) {
      const { judge, take, honest } = open({ tally: { ...STRICT_TALLY, minCoveragePercent } })
      honest(0)
      take(evaluated(1, resultOf(1)), [])
      expect(judge.finish()).toMatchObject({ verdict, reasons: ['1 evaluation: nothing is claimed (nonce 1)'] })
    }
  })

  it('is inconclusive if an evaluation failed to run, whatever is claimed', () => {
    const { judge, take, honest } = open()
    honest(0)
    const evaluation: Evaluation = { ...evaluated(1, {}), outcome: { kind: 'inconclusive', reason: 'it took too long' } }
    expect(take(evaluation, [claimOf(evaluation, resultOf(1))])).toBe('inconclusive')
    const { verdict, coverage, reasons } = judge.finish()
    expect(verdict).toBe('inconclusive')
    expect(coverage).toMatchObject({ scheduled: 2, evaluated: 1, compared: 1 })
    expect(reasons).toEqual(['1 evaluation: no verdict, the first at nonce 1: it took too long'])
  })

  it('is a match although nobody claims the process message of the boot loader', () => {
    const { judge, honest, take } = open()
    const injected: Evaluation = { key: { ordinate: 0, timestamp: 1 }, outcome: { kind: 'result', result: {}, text: '{}' } }
    take(injected, [])
    honest(0)
    expect(judge.finish()).toMatchObject({
      verdict: 'match',
      reasons: [],
      evaluations: [],
      coverage: { scheduled: 1, evaluated: 1 }
    })
    take({ ...injected, outcome: { kind: 'inconclusive', reason: 'no module' } }, [])
    expect(judge.finish()).toMatchObject({ verdict: 'inconclusive' })
  })

  it('treats a checkpoint as no claim about an evaluation', () => {
    const { take } = open()
    const evaluation = evaluated(1, resultOf(1))
    expect(take(evaluation, [claimOf(evaluation, resultOf(2), { kind: 'checkpoint' })])).toBe('unclaimed')
  })
})

describe('a skipped message', () => {
  const EMPTY = { Messages: [], Assignments: [], Spawns: [], Output: '' }

  it.each([
    ['with nothing', []],
    ['with the empty result', [EMPTY]],
    ['with the result before it', [resultOf(2)]]
  ])('is no mismatch if the unit answers %s', (_, values) => {
    const { judge, take, honest } = open()
    honest(1)
    honest(2)
    const evaluation = skipped(3, 1)
    const claims = values.map((value) => claimOf(evaluation, value))
    expect(take(evaluation, claims)).toBe('skipped')
    const { verdict, evaluations, findings, coverage } = judge.finish()
    expect(verdict).toBe('match')
    expect(evaluations).toMatchObject([{ nonce: 3, status: 'skipped', message: messageId('m3') }])
    expect(findings).toMatchObject([{ code: 'DUPLICATE_SKIPPED', severity: 'info', nonce: 3 }])
    expect(coverage).toMatchObject({ scheduled: 3, evaluated: 2, compared: 2, skipped: 1 })
  })

  it('is no mismatch if the unit answers with the first result of its message id, even after other results', () => {
    const { take, honest } = open()
    honest(1)
    honest(2)
    const evaluation = { ...skipped(3, 1, 'duplicate-assignment'), messageId: messageId('m1') }
    expect(take(evaluation, [claimOf(evaluation, resultOf(1))])).toBe('skipped')
    const other = { ...skipped(4, 1), messageId: messageId('m4') }
    expect(take(other, [claimOf(other, resultOf(1))])).toBe('mismatch')
  })

  it('is a mismatch with any other answer, by the differences from the nearest honest one', () => {
    const { judge, take, honest } = open()
    honest(1)
    honest(2)
    const evaluation = skipped(3, 1)
    expect(take(evaluation, [claimOf(evaluation, { ...resultOf(2), Output: 'x' })])).toBe('mismatch')
    expect(honest(4)).toBe('match')
    const { firstDivergence, findings } = judge.finish()
    expect(firstDivergence).toMatchObject({
      nonce: 3,
      differences: [{ path: 'Output', claimed: 'x', computed: { data: 'done' } }]
    })
    expect(findings.map(({ code }) => code)).toEqual(['RESULT_MISMATCH', 'DUPLICATE_SKIPPED'])
  })

  it('with an id that was evaluated before is a mismatch for any answer except the first result', () => {
    const { take, honest } = open()
    honest(1)
    honest(2)
    const evaluation = { ...skipped(3, 1, 'duplicate-assignment'), messageId: messageId('m1') }
    expect(take(evaluation, [claimOf(evaluation, resultOf(9))])).toBe('mismatch')
    expect(take({ ...evaluation }, [claimOf(evaluation, resultOf(1))])).toBe('skipped')
  })

  it('is compared with the empty result if that is the nearer honest answer', () => {
    const { judge, take, honest } = open()
    honest(1)
    const evaluation = skipped(2, 1)
    expect(take(evaluation, [claimOf(evaluation, { Output: 'x' })])).toBe('mismatch')
    expect(judge.finish().firstDivergence?.differences).toStrictEqual([{ path: 'Output', claimed: 'x', computed: '' }])
  })

  it('does not count as compared, although its answer is judged', () => {
    const push = skipped(2, 1)
    for (const claim of [claimOf(push, resultOf(9)), listedOf(push, resultOf(9))]) {
      const { judge, take } = open()
      expect(take(push, [claim])).toBe('inconclusive')
      expect(judge.finish().coverage.compared).toBe(0)
    }
  })

  it('needs no answer, so a missing one causes no warning', () => {
    const { take, honest, codes } = open()
    honest(1)
    expect(take(skipped(2, 1), [], OPEN, [unavailableOf(2, 425)])).toBe('skipped')
    expect(codes()).toEqual(['DUPLICATE_SKIPPED info', 'RESULT_UNAVAILABLE info'])
  })

  it('is inconclusive if the gate is closed, and so are later differences', () => {
    const { take, honest } = open()
    honest(1)
    const evaluation = skipped(2, 1)
    expect(take(evaluation, [claimOf(evaluation, resultOf(9))], closed('r'))).toBe('inconclusive')
    const later = evaluated(3, resultOf(3))
    expect(take(later, [claimOf(later, resultOf(4))])).toBe('inconclusive')
  })

  it('is no mismatch if the unit says that it evaluated it, and neither are later differences', () => {
    const { judge, take, honest } = open()
    honest(1)
    const evaluation = skipped(2, 1)
    expect(take(evaluation, [claimOf(evaluation, resultOf(9)), listedOf(evaluation, resultOf(9))])).toBe('inconclusive')
    const later = evaluated(3, resultOf(3))
    expect(take(later, [claimOf(later, resultOf(4))])).toBe('inconclusive')
    expect(honest(4)).toBe('match')
    expect(judge.finish().evaluations[1]?.reason).toMatch(/^the unit's state may honestly differ by then: it evaluated a push/)
  })

  it('changes no state if the unit evaluated it to an Error, so a later difference is a mismatch', () => {
    const { take, honest } = open()
    honest(1)
    const evaluation = skipped(2, 1)
    expect(take(evaluation, [claimOf(evaluation, { Error: 'no' })])).toBe('inconclusive')
    const later = evaluated(3, resultOf(3))
    expect(take(later, [claimOf(later, resultOf(4))])).toBe('mismatch')
  })

  it('is inconclusive if the results before it are not known', () => {
    const push = skipped(2, 1)
    expect(open().take(push, [claimOf(push, resultOf(1))])).toBe('inconclusive')
    const { take, honest } = open()
    honest(3)
    const assignment = { ...skipped(4, 1, 'duplicate-assignment'), messageId: messageId('m1') }
    expect(take(assignment, [claimOf(assignment, resultOf(1))])).toBe('inconclusive')
  })
})

describe('a message id that is evaluated twice', () => {
  const again = evaluated(3, resultOf(3), { messageId: messageId('m1') })

  it('is unclaimed if /result answers with the first result, which says nothing about the second', () => {
    const { take, honest, judge } = open()
    honest(1)
    expect(take(again, [claimOf(again, resultOf(1))])).toBe('unclaimed')
    expect(judge.finish().findings).toEqual([])
  })

  it('is unclaimed if /result answers with the first result, however deep that is nested', () => {
    const deep = { Output: nested(1000, '1') }
    const { take } = open()
    const first = evaluated(1, deep)
    expect(take(first, [claimOf(first, deep)])).toBe('match')
    expect(take(again, [claimOf(again, deep)])).toBe('unclaimed')
    const other = { ...again, key: keyOf(4), nonce: 4 }
    expect(take(other, [claimOf(other, { Output: nested(1000, '2') })])).toBe('mismatch')
  })

  it('is judged by its listing, and the first result from /result is no contradiction', () => {
    const { take, honest, codes } = open()
    honest(1)
    expect(take(again, [claimOf(again, resultOf(1)), listedOf(again, resultOf(3))])).toBe('match')
    expect(codes()).toEqual([])
  })

  it('is a mismatch if /result gives any other result, or the listing gives the first one', () => {
    for (const make of [claimOf, listedOf] as const) {
      const { take, honest } = open()
      honest(1)
      expect(take(again, [make(again, make === claimOf ? resultOf(7) : resultOf(1))])).toBe('mismatch')
    }
  })
})

describe('crons', () => {
  const cron = cronEvaluated(1, 1_720_000_030_000, resultOf(50))

  it('are judged like messages, but a later difference blames nobody if the known blocks are not settled', () => {
    const { judge, take, honest } = open({ crons: true })
    honest(1)
    expect(take(cron, [listedOf(cron, resultOf(50))])).toBe('match')
    const next = evaluated(2, resultOf(2))
    expect(take(next, [claimOf(next, resultOf(3))], UNSETTLED)).toBe('inconclusive')
    const known = evaluated(3, resultOf(3))
    expect(take(known, [claimOf(known, resultOf(4))], OPEN)).toBe('mismatch')
    expect(judge.finish().coverage).toMatchObject({ scheduled: 3, cron: 1, evaluated: 4, compared: 4 })
  })

  it('that are not listed may not have fired, so later differences are no mismatch', () => {
    const gate = OPEN
    const { take, judge } = open({ crons: true })
    expect(take(cron, [], gate)).toBe('unclaimed')
    const later = evaluated(2, resultOf(2))
    expect(take(later, [claimOf(later, resultOf(3))], gate)).toBe('inconclusive')
    expect(judge.finish().evaluations[0]).toStrictEqual({ key: cron.key, status: 'unclaimed', claimant: CU })
  })

  it('that failed need no listing and change no state', () => {
    const gate = OPEN
    const { take } = open({ crons: true })
    const failed = cronEvaluated(1, 5, { Error: 'no' })
    expect(take(failed, [], gate)).toBe('match')
    const later = evaluated(2, resultOf(2))
    expect(take(later, [claimOf(later, resultOf(3))], gate)).toBe('mismatch')
  })

  it('that only the unit lists are inconclusive, and so are later differences unless the process has no crons', () => {
    const gate = OPEN
    for (const [crons, later] of [
      [true, 'inconclusive'],
      [false, 'mismatch']
    ] as const) {
      const { judge, take, honest } = open({ crons })
      honest(1)
      judge.unmatched(listedOf(cron, resultOf(1)))
      judge.unmatched(listedOf(cron, resultOf(1), { claimant: 'https://other.example' }))
      expect(judge.finish()).toMatchObject({
        verdict: 'inconclusive',
        reasons: ['1 evaluation: listed by the unit, but not in the schedule'],
        findings: [{ code: 'CLAIM_UNMATCHED', severity: 'warning', attribution: 'compute-unit', key: cron.key }]
      })
      const next = evaluated(2, resultOf(2))
      expect(take(next, [claimOf(next, resultOf(3))], gate)).toBe(later)
    }
  })
})

it('a listed nonce with another time is inconclusive, and so are later differences', () => {
  const { judge, take, honest } = open()
  honest(1)
  judge.unmatched(listedOf({ key: { ordinate: 1, timestamp: 5 } }, resultOf(1)))
  expect(judge.finish().verdict).toBe('inconclusive')
  const later = evaluated(2, resultOf(2))
  expect(take(later, [claimOf(later, resultOf(3))])).toBe('inconclusive')
  expect(honest(3)).toBe('match')
})

it('a judge keeps a bounded number of evaluations and findings, and each mismatch', () => {
  const { judge, take } = open()
  for (let nonce = 0; nonce < 10_050; nonce++) take(evaluated(nonce, {}), [])
  const evaluation = evaluated(10_050, resultOf(1))
  for (let count = 0; count < 250; count++) take({ ...evaluation }, [claimOf(evaluation, resultOf(2))])
  const { evaluations, evaluationsCut, findings } = judge.finish()
  expect(evaluations).toHaveLength(10_250)
  expect(evaluations.at(-1)?.status).toBe('mismatch')
  expect(evaluationsCut).toBe(50)
  expect(findings).toHaveLength(101)
  expect(findings.at(-1)).toMatchObject({ code: 'RESULT_MISMATCH', count: 150, claimant: CU })
  expect(findings.at(-1)?.nonce).toBeUndefined()
})

it('a judge separates reasons that decide the verdict from remarks', () => {
  const { judge, take } = open({ tally: { ...STRICT_TALLY, maxExplanations: 0 } })
  const one = evaluated(1, resultOf(1))
  const renewed: Evaluation = { ...one, outcome: { kind: 'result', result: resultOf(1), text: '', profile: 'anew' } }
  take(renewed, [claimOf(renewed, resultOf(1))])
  const strained = 'the unit needs 1 explanation, more than the 0 that are allowed (--max-explanations)'
  const renews = '1 evaluation: agrees under another execution profile'
  expect(judge.finish()).toMatchObject({ verdict: 'inconclusive', reasons: [strained, renews], remarks: [renews] })
  const two = evaluated(2, resultOf(2))
  take(two, [claimOf(two, resultOf(9))])
  expect(judge.finish()).toMatchObject({ verdict: 'mismatch', remarks: [strained, renews] })
})

it('a judge counts an empty answer right before a checkpoint apart from a repeated answer', () => {
  const { judge, take, honest } = open()
  honest(0)
  const one = evaluated(1, resultOf(1))
  const behind: Gate = { ...OPEN, checkpointBehind: true }
  take(one, [claimOf(one, {}), listedOf(one, resultOf(1))], behind)
  const again = { ...evaluated(2, resultOf(2)), messageId: one.messageId ?? messageId('m1') }
  take(again, [claimOf(again, resultOf(1)), listedOf(again, resultOf(2))])
  expect(judge.finish().tolerances).toMatchObject([
    { kind: 'checkpoint-answer', count: 1, bits: 1 },
    { kind: 'repeated-answer', count: 1, bits: 1 }
  ])
})

describe('the reasons', () => {
  /** The reason that the report gives for the last evaluation. */
  const reasonOf = (...steps: readonly (readonly [Evaluation, readonly Claim[], Gate?])[]) => {
    const { judge, take } = open()
    for (const [evaluation, claims, gate] of steps) take(evaluation, claims, gate)
    return judge.finish().evaluations.at(-1)?.reason
  }
  const one = evaluated(1, resultOf(1))
  const push = skipped(2, 1)
  const assignment = skipped(2, 1, 'duplicate-assignment')

  it('name the repeated nonce of a skipped message, and the honest answer that the unit gave', () => {
    expect(reasonOf([one, []], [push, []])).toBe('a push that repeats nonce 1')
    expect(reasonOf([one, []], [assignment, []])).toBe('an assignment that repeats nonce 1')
    expect(reasonOf([push, [claimOf(push, {})]])).toBe('a push that repeats nonce 1; answered with the empty result')
    expect(reasonOf([one, []], [push, [claimOf(push, resultOf(1))]])).toBe(
      'a push that repeats nonce 1; answered with the result before it'
    )
    const again = { ...assignment, messageId: messageId('m1') }
    expect(reasonOf([one, []], [evaluated(4, resultOf(4)), []], [again, [claimOf(again, resultOf(1))]])).toBe(
      'an assignment that repeats nonce 1; answered with the first result of the same message'
    )
  })

  it('say why an answer for a skipped message is dishonest, or may be honest', () => {
    expect(reasonOf([one, []], [push, [claimOf(push, resultOf(9))]])).toBe(
      'a push that repeats nonce 1: no unit that skips it gives this answer'
    )
    expect(reasonOf([one, []], [push, [claimOf(push, resultOf(9))], closed('so it is')])).toBe('so it is')
    expect(reasonOf([push, [claimOf(push, resultOf(9))]])).toBe(
      'a push that repeats nonce 1; the evaluations before it were not run here'
    )
    expect(reasonOf([one, []], [push, [listedOf(push, resultOf(9))]])).toBe(
      'it evaluated a push that repeats nonce 1, as a unit that started from a checkpoint in between may do'
    )
  })

  it('say why a difference is no mismatch', () => {
    const wrong = [claimOf(one, resultOf(2))]
    expect(reasonOf([one, wrong, closed('no explanation was tried')])).toBe('no explanation was tried')
    const cron = cronEvaluated(0, 5, resultOf(5))
    expect(reasonOf([cron, [listedOf(cron, resultOf(6))], UNSETTLED])).toBe('the unit’s known blocks are not settled')
    const unsure = (why: string) => `the unit's state may honestly differ by then: ${why}`
    const known = OPEN
    expect(reasonOf([cron, []], [one, wrong, known])).toBe(
      unsure('it does not list the cron 0-30-seconds after nonce 0, and may not have fired it')
    )
    expect(reasonOf([one, []], [push, [claimOf(push, resultOf(9))], closed('so')], [evaluated(3, {}), wrong])).toBe(
      unsure('it may have evaluated a push that repeats nonce 1')
    )
    const unproven: Gate = { evidence: { search: { kind: 'complete' }, unprovenInput: { ordinate: 0, reason: 'so it is' } } }
    expect(reasonOf([cron, []], [one, wrong, unproven])).toBe('so it is')
  })
})

it('a skipped message does not count as compared, even if its answer is a mismatch', () => {
  const { judge, take } = open()
  take(evaluated(1, resultOf(1)), [])
  for (const value of [{}, resultOf(9)]) {
    const push = skipped(2, 1)
    take(push, [claimOf(push, value)])
  }
  expect(judge.finish().coverage).toMatchObject({ compared: 0, skipped: 2, unverified: 0 })
})

it('a judge counts the differences that it does not list', () => {
  const { judge, take } = open()
  const list = (value: number) => ({ Output: Array.from({ length: 60 }, () => value) })
  const evaluation = evaluated(1, list(1))
  take(evaluation, [claimOf(evaluation, list(2))])
  const { firstDivergence, evaluations } = judge.finish()
  expect([firstDivergence?.differences.length, firstDivergence?.differencesCut]).toEqual([50, 10])
  expect([evaluations[0]?.differences?.length, evaluations[0]?.differencesCut]).toEqual([50, 10])
})
