import { describe, expect, it } from 'vitest'
import { buildReport } from '../../src/report/build.ts'
import { COVERAGE, CU, claimant, DIVERGENCE, dishonest, evaluation, finding, MESSAGE_ID, OTHER_CU, parts } from './fixtures.ts'

describe('the verdict', () => {
  it('is a match if the one audited CU matches', () => {
    const report = buildReport(parts())
    expect(report.verdict).toBe('match')
    expect(report.reasons).toEqual([])
    expect(report.notChecked).toEqual([])
    expect(report.evaluations).toEqual([])
    expect(report.firstDivergence).toBeNull()
    expect(report.coverage).toEqual(COVERAGE)
  })

  it('is the worst verdict of the audited claimants', () => {
    const inconclusive = claimant({ claimant: OTHER_CU, verdict: 'inconclusive', reasons: ['host input was read'] })
    const verdict = (...claimants: ReturnType<typeof claimant>[]) => buildReport(parts({ claimants })).verdict
    expect(verdict(claimant(), inconclusive)).toBe('inconclusive')
    expect(verdict(inconclusive, dishonest())).toBe('mismatch')
    expect(verdict(dishonest(), claimant({ claimant: OTHER_CU }))).toBe('mismatch')
    expect(verdict(claimant(), claimant({ claimant: OTHER_CU }))).toBe('match')
  })

  it('blames nobody for claims of a claimant that is not audited', () => {
    const stranger = dishonest({ claimant: 'stranger', kind: 'checkpoint-signer', audited: false })
    const report = buildReport(parts({ claimants: [stranger, claimant()] }))
    expect(report.verdict).toBe('match')
    expect(report.reasons).toEqual([])
    expect(report.firstDivergence).toBeNull()
    expect(report.claimants.map(({ id, verdict }) => [id, verdict])).toEqual([
      [CU, 'match'],
      ['stranger', 'mismatch']
    ])
  })

  it('is inconclusive if nobody was audited, whatever others claim', () => {
    const report = buildReport(parts({ claimants: [claimant({ audited: false })] }))
    expect(report.verdict).toBe('inconclusive')
    expect(report.reasons).toEqual(['no Compute Unit was audited'])
    expect(report.coverage).toEqual({ ...COVERAGE, compared: 0, unclaimed: 4 })
    expect(report.notChecked).toEqual(['4 evaluations without a claim'])
  })

  it('is inconclusive if a match rests on no comparison', () => {
    const empty = claimant({ coverage: { ...COVERAGE, compared: 0, unclaimed: 4 } })
    const report = buildReport(parts({ claimants: [empty] }))
    expect(report.verdict).toBe('inconclusive')
    expect(report.reasons).toEqual(['nothing could be compared'])
    expect(report.claimants[0]?.verdict).toBe('inconclusive')
    expect(report.claimants[0]?.reasons).toEqual(['nothing could be compared'])
  })

  it('is not a match if the audit as a whole has a reason, but can still be a mismatch', () => {
    const inconclusive = ['the schedule has a gap after nonce 3']
    expect(buildReport(parts({ inconclusive }))).toMatchObject({ verdict: 'inconclusive', reasons: inconclusive })
    expect(buildReport(parts({ inconclusive, claimants: [dishonest()] }))).toMatchObject({
      verdict: 'mismatch',
      reasons: ['the schedule has a gap after nonce 3', 'nonce 2 differs under every profile tried']
    })
  })

  it('has the reasons of the claimants that decide it before the reservations of others', () => {
    const matching = claimant({ reasons: ['2 evaluations have no claim'] })
    const inconclusive = claimant({ claimant: OTHER_CU, verdict: 'inconclusive', reasons: ['host input was read'] })
    expect(buildReport(parts({ claimants: [matching, inconclusive] })).reasons).toEqual([
      `${OTHER_CU}: host input was read`,
      `${CU}: 2 evaluations have no claim`
    ])
  })

  it('has reasons with the name of their claimant if several are audited', () => {
    const report = buildReport(parts({ claimants: [claimant({ claimant: OTHER_CU }), dishonest()] }))
    expect(report.reasons).toEqual([`${CU}: nonce 2 differs under every profile tried`])
  })
})

describe('coverage', () => {
  it('is the worst of the audited claimants in each count', () => {
    const one = { scheduled: 10, cron: 2, evaluated: 12, compared: 9, skipped: 1, unclaimed: 2, unread: 0, unverified: 0 }
    const other = { scheduled: 10, cron: 2, evaluated: 11, compared: 10, skipped: 0, unclaimed: 1, unread: 0, unverified: 5 }
    const report = buildReport(
      parts({ claimants: [claimant({ coverage: one }), claimant({ claimant: OTHER_CU, coverage: other })] })
    )
    expect(report.coverage).toEqual({
      scheduled: 10,
      cron: 2,
      evaluated: 11,
      compared: 9,
      skipped: 1,
      unclaimed: 2,
      unread: 0,
      unverified: 5
    })
  })

  it('lists everything that was not checked, with the additions of the audit', () => {
    const coverage = { scheduled: 9, cron: 1, evaluated: 6, compared: 3, skipped: 2, unclaimed: 1, unread: 0, unverified: 3 }
    const report = buildReport(parts({ claimants: [claimant({ coverage })], notChecked: ['the module signature'] }))
    expect(report.notChecked).toEqual([
      '1 evaluation without a claim',
      '2 evaluations skipped as duplicates',
      '4 evaluations not evaluated or not comparable',
      '3 evaluations over inputs whose signature was not checked',
      'the module signature'
    ])
  })

  it('does not count a skipped evaluation as unchecked if its claim was judged', () => {
    const coverage = { ...COVERAGE, evaluated: 3, skipped: 1 }
    expect(buildReport(parts({ claimants: [claimant({ coverage })] })).notChecked).toEqual([])
  })

  it('lists that nothing was checked if no evaluation is known', () => {
    const coverage = { scheduled: 0, cron: 0, evaluated: 0, compared: 0, skipped: 0, unclaimed: 0, unread: 0, unverified: 0 }
    const report = buildReport(parts({ process: null, range: null, claimants: [], coverage }))
    expect(report.verdict).toBe('inconclusive')
    expect(report.notChecked).toEqual(['no evaluation is known, so none was checked'])
  })
})

describe('evaluations', () => {
  it('are those of all claimants in order, with crons after their nonce and audited claimants first', () => {
    const cron = {
      key: { ordinate: 1, cron: '0-10-minutes', timestamp: 1_700_000_000_001 },
      status: 'unclaimed',
      claimant: CU
    } as const
    const stranger = claimant({
      claimant: 'stranger',
      audited: false,
      evaluations: [evaluation(1, { status: 'inconclusive', claimant: 'stranger' })]
    })
    const audited = claimant({
      evaluations: [
        cron,
        evaluation(1, { status: 'skipped' }),
        evaluation(2, { status: 'match-profile', profile: 'loader-0.0.49' })
      ]
    })
    expect(buildReport(parts({ claimants: [stranger, audited] })).evaluations).toEqual([
      evaluation(1, { status: 'skipped' }),
      evaluation(1, { status: 'inconclusive', claimant: 'stranger' }),
      cron,
      evaluation(2, { status: 'match-profile', profile: 'loader-0.0.49' })
    ])
  })

  it('are bounded in number, with a count of the rest', () => {
    const evaluations = Array.from({ length: 10_003 }, (_, ordinate) => evaluation(ordinate, { status: 'unclaimed' }))
    const claimants = [claimant({ evaluations, evaluationsCut: 20 }), claimant({ claimant: OTHER_CU, evaluationsCut: 400 })]
    const report = buildReport(parts({ claimants }))
    expect(report.evaluations).toEqual(evaluations.slice(0, 10_000))
    expect(report.evaluationsCut).toBe(423)
  })

  it('share a bound on differences, with a count of those left out at each', () => {
    const differences = Array.from({ length: 30 }, (_, index) => ({ path: `Messages[${index}]`, claimed: 1, computed: 2 }))
    const evaluations = Array.from({ length: 35 }, (_, ordinate) => evaluation(ordinate, { status: 'mismatch', differences }))
    const reported = buildReport(parts({ claimants: [dishonest({ evaluations })] })).evaluations
    expect(reported[32]).toEqual(evaluations[32])
    expect(reported[33]).toEqual({ ...evaluations[33], differences: differences.slice(0, 10), differencesCut: 20 })
    expect(reported[34]).toEqual({ ...evaluations[34], differences: [], differencesCut: 30 })
  })
})

describe('the first divergence', () => {
  it('is the earliest of the audited claimants', () => {
    const at = (ordinate: number, cron?: string) => ({
      ...DIVERGENCE,
      key: { ordinate, timestamp: ordinate, ...(cron === undefined ? {} : { cron }) }
    })
    const claimants = [
      dishonest({ claimant: 'stranger', audited: false, firstDivergence: at(1) }),
      dishonest({ claimant: 'cron', firstDivergence: at(5, '0-1-block') }),
      dishonest({ claimant: 'nonce', firstDivergence: at(5) }),
      dishonest({ claimant: 'later', firstDivergence: at(6) })
    ]
    expect(buildReport(parts({ claimants })).firstDivergence).toEqual(at(5))
  })
})

describe('findings', () => {
  it('are sorted by severity, then by nonce with those without a nonce first, and keep their order otherwise', () => {
    const given = [
      finding({ severity: 'info', nonce: 1, detail: 'a' }),
      finding({ severity: 'error', nonce: 9, detail: 'b' }),
      finding({ severity: 'warning', detail: 'c' }),
      finding({ severity: 'error', key: { ordinate: 3, timestamp: 0 }, detail: 'd' })
    ]
    const theirs = [finding({ severity: 'error', nonce: 3, detail: 'e' }), finding({ severity: 'error', detail: 'f' })]
    const report = buildReport(parts({ findings: given, claimants: [claimant({ findings: theirs })] }))
    expect(report.findings.map(({ detail }) => detail)).toEqual(['f', 'd', 'e', 'b', 'c', 'a'])
    expect(report.findingsCut).toBe(0)
    expect(given.map(({ detail }) => detail)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('are bounded in number and length, and errors are kept first', () => {
    const infos = Array.from({ length: 1_001 }, (_, nonce) => finding({ severity: 'info', nonce }))
    const report = buildReport(parts({ findings: [...infos, finding({ nonce: 5, detail: 'x'.repeat(1_234) })] }))
    expect(report.findings).toHaveLength(1_000)
    expect(report.findings[0]).toEqual(finding({ nonce: 5, detail: `${'x'.repeat(1_000)}… (234 more)` }))
    expect(report.findingsCut).toBe(2)
  })
})

it('a report has exactly the fields of its schema, and takes over the other parts unchanged', () => {
  const given = parts({
    trusted: ['gateway answers are taken on trust'],
    unreachable: [{ unit: 'gateway', url: 'http://127.0.0.1:3', code: 'UNIT_UNREACHABLE', detail: 'no answer in 30 s' }],
    checkpoints: [
      { id: MESSAGE_ID, nonce: 3, signer: CU, claimedSha256: 'a', dataSha256: null, computedSha256: null, status: 'unread' }
    ],
    claimants: [claimant({ address: 'addr' })]
  })
  expect(buildReport(given)).toEqual({
    schema: 'ao-audit/report/v1',
    date: given.date,
    inputsDigest: given.inputsDigest,
    digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    verdict: 'match',
    reasons: [],
    remarks: [],
    trusted: ['gateway answers are taken on trust'],
    unreachable: given.unreachable,
    processId: given.processId,
    process: given.process,
    range: { from: 0, to: 3 },
    coverage: COVERAGE,
    notChecked: [],
    claimants: [
      {
        id: CU,
        kind: 'compute-unit',
        audited: true,
        address: 'addr',
        verdict: 'match',
        reasons: [],
        remarks: [],
        coverage: COVERAGE,
        firstDivergence: null,
        rules: [],
        tolerances: []
      }
    ],
    evaluations: [],
    evaluationsCut: 0,
    firstDivergence: null,
    checkpoints: given.checkpoints,
    findings: [],
    findingsCut: 0,
    profile: given.profile,
    stateHashes: given.stateHashes,
    start: null,
    tool: given.tool,
    timings: given.timings
  })
})
