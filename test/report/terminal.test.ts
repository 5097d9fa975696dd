import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { buildReport } from '../../src/report/build.ts'
import { renderTerminal } from '../../src/report/terminal.ts'
import {
  COVERAGE,
  CU,
  claimant,
  DIVERGENCE,
  dishonest,
  evaluation,
  finding,
  HOSTILE,
  hostileHashes,
  OTHER_CU,
  parts,
  STATE_SHA256
} from './fixtures.ts'

const plain = { color: false, width: 80 }

/** With `(its digest)`, as long as it is shown, in place of the digest. */
function render(over: Parameters<typeof parts>[0] = {}, width = 80): string {
  const report = buildReport(parts(over))
  return renderTerminal(report, { color: false, width }).replace(report.digest.slice(0, 12), '(its digest)')
}

/** The lines from the one that begins with `label` to before the next label. */
function block(text: string, label: string): readonly string[] {
  const lines = text.split('\n')
  const start = lines.findIndex((line) => line.startsWith(label))
  if (start === -1) return []
  const rest = lines.slice(start + 1)
  const end = rest.findIndex((line) => !line.startsWith(' '))
  return lines.slice(start, start + 1 + (end === -1 ? rest.length : end))
}

describe('the terminal report of a match', () => {
  it('has a headline, the subject and the coverage', () => {
    expect(render()).toBe(`MATCH  4 of 4 evaluations compared, all agree with http://127.0.0.1:4000

process       pid0pid0pid0pid0pid0pid0pid0pid0pid0pid0pi0
module        mod0mod0mod0mod0mod0mod0mod0mod0mod0mod0mo0
              (wasm64-unknown-emscripten)
module sha256 abababababababababababababababababababababababababababababababab
scheduler     sch0sch0sch0sch0sch0sch0sch0sch0sch0sch0sc0
range         nonces 0 to 3
compared      4 of 4 evaluations, by Compute Unit http://127.0.0.1:4000: match
not checked   nothing in the range was left out
findings      none
profile       legacynet (default), loader 0.0.44, one instance, 2 environment
              strings
state hash    nonce 3:
              cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd
date          2026-01-02T03:04:05.678Z, inputs 0123456789ab, report (its digest)
time          fetch 3.1 s, verify 0.2 s, replay 12.0 s, compare 0.0 s; 33.5
              messages/s in the module
tool          ao-audit 0.1.0, Node v22.0.0, loader 0.0.49
`)
  })

  it('lists the evaluations that were not compared', () => {
    const coverage = {
      scheduled: 402,
      cron: 0,
      evaluated: 400,
      compared: 398,
      skipped: 2,
      unclaimed: 2,
      unread: 0,
      unverified: 7
    }
    const evaluations = [
      evaluation(4, { status: 'skipped' }),
      evaluation(5, { status: 'unclaimed' }),
      evaluation(6, { status: 'skipped' })
    ]
    const text = render({
      claimants: [claimant({ coverage, evaluations, reasons: ['2 evaluations have no claim'] })],
      trusted: ['the schedule, as one gateway tells it']
    })
    expect(text).toMatch(/^MATCH {2}398 of 402 evaluations compared, all agree with http:\/\/127\.0\.0\.1:4000\n/)
    expect(block(text, 'but')).toEqual(['but           2 evaluations have no claim'])
    expect(block(text, 'trusted')).toEqual(['trusted       the schedule, as one gateway tells it'])
    expect(block(text, 'not checked')).toEqual([
      'not checked   2 evaluations without a claim',
      '              2 evaluations skipped as duplicates',
      '              7 evaluations over inputs whose signature was not checked'
    ])
    expect(block(text, 'evaluations')).toEqual(['evaluations   not a plain match: 2 skipped, 1 unclaimed'])
  })

  it('contains the number of agreeing claimants if several are audited, and marks those that are not audited', () => {
    const claimants = [
      claimant({ address: 'addr1' }),
      claimant({ claimant: OTHER_CU }),
      claimant({
        claimant: 'signer',
        kind: 'checkpoint-signer',
        audited: false,
        coverage: { ...COVERAGE, compared: 1, unclaimed: 3 }
      })
    ]
    const text = render({ claimants })
    expect(text).toMatch(/^MATCH {2}4 of 4 evaluations compared, all agree with 2 claimants\n/)
    expect(block(text, 'compared')).toEqual([
      'compared      4 of 4 evaluations, by Compute Unit http://127.0.0.1:4000 (address',
      '              addr1): match',
      '              4 of 4 evaluations, by Compute Unit http://127.0.0.1:4001: match',
      '              1 of 4 evaluations, by checkpoint signer signer: match, not',
      '              audited'
    ])
  })
})

describe('the terminal report of a mismatch', () => {
  it('has a headline, reasons, rules and the first divergence', () => {
    const tags = finding({ code: 'TAG_ORDER_DIFFERS', severity: 'info', count: 12, detail: 'two tags change places' })
    const text = render({ claimants: [dishonest()], findings: [tags, { ...tags, count: 3 }] })
    expect(text).toBe(`MISMATCH  nonce 2: re-execution contradicts http://127.0.0.1:4000
why           nonce 2 differs under every profile tried
rules         all 12 of docs/accusation-rules.md hold: inputs-are-signed,
              inputs-were-served-as-signed, gateways-were-heard,
              blocks-are-undisputed, known-blocks-are-settled,
              host-inputs-are-stated, files-are-proven, start-is-the-units-own,
              state-is-the-same, one-voice, profile-fits,
              explanations-are-exhausted

First divergence: nonce 2, claimed by http://127.0.0.1:4000
  message mid0mid0mid0mid0mid0mid0mid0mid0mid0mid0mi0
  Messages[0].Tags[3].value
    claimed   "1001"
    computed  "1000"

process       pid0pid0pid0pid0pid0pid0pid0pid0pid0pid0pi0
module        mod0mod0mod0mod0mod0mod0mod0mod0mod0mod0mo0
              (wasm64-unknown-emscripten)
module sha256 abababababababababababababababababababababababababababababababab
scheduler     sch0sch0sch0sch0sch0sch0sch0sch0sch0sch0sc0
range         nonces 0 to 3
compared      4 of 4 evaluations, by Compute Unit http://127.0.0.1:4000:
              mismatch
not checked   nothing in the range was left out
evaluations   not a plain match: 1 mismatch
findings
  error  RESULT_MISMATCH    ×1   compute-unit, nonce 2: the results differ
  info   TAG_ORDER_DIFFERS  ×15  compute-unit: two tags change places
profile       legacynet (default), loader 0.0.44, one instance, 2 environment
              strings
state hash    nonce 3:
              cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd
date          2026-01-02T03:04:05.678Z, inputs 0123456789ab, report (its digest)
time          fetch 3.1 s, verify 0.2 s, replay 12.0 s, compare 0.0 s; 33.5
              messages/s in the module
tool          ao-audit 0.1.0, Node v22.0.0, loader 0.0.49
`)
  })

  it('shows three differences with the differing part of their values and counts the rest', () => {
    const same = 'x'.repeat(300)
    const differences = [
      { path: 'Output.data', claimed: `${same}1${same}`, computed: `${same}2` },
      { path: 'Error', computed: 'boom' },
      { path: 'GasUsed', claimed: 7, computed: 8 },
      { path: 'Spawns[0]', claimed: {} },
      { path: 'Spawns[1]', claimed: {} }
    ]
    const firstDivergence = {
      ...DIVERGENCE,
      key: { ordinate: 2, cron: '0-10-minutes', timestamp: 5 },
      differences,
      differencesCut: 2
    }
    const { nonce: _, message: __, ...withoutNonce } = firstDivergence
    const text = render({ claimants: [dishonest({ firstDivergence: withoutNonce })] })
    expect(block(text, 'First divergence')).toEqual([
      'First divergence: cron 0-10-minutes after nonce 2, claimed by',
      '  http://127.0.0.1:4000',
      '  Output.data',
      `    claimed   …xxxxx1${'x'.repeat(59)}`,
      ...Array.from({ length: 3 }, () => `              ${'x'.repeat(66)}`),
      `              ${'x'.repeat(43)}"`,
      '    computed  …xxxxx2"',
      '  Error',
      '    claimed   (nothing)',
      '    computed  "boom"',
      '  GasUsed',
      '    claimed   7',
      '    computed  8',
      '  … and 4 more differences'
    ])
  })

  it('names the process message instead of a nonce', () => {
    const { nonce: _, ...firstDivergence } = { ...DIVERGENCE, key: { ordinate: 0, timestamp: 1 } }
    expect(render({ claimants: [dishonest({ firstDivergence })] })).toMatch(
      /^MISMATCH {2}the process message: re-execution contradicts /
    )
  })
})

describe('the terminal report of an inconclusive audit', () => {
  it('begins with the first reason and names units that did not answer', () => {
    const unreachable = [
      { unit: 'scheduler', url: 'http://127.0.0.1:2', code: 'UNIT_UNREACHABLE', detail: 'no answer in 60 s, 5 attempts' }
    ] as const
    const coverage = { scheduled: 0, cron: 0, evaluated: 0, compared: 0, skipped: 0, unclaimed: 0, unread: 0, unverified: 0 }
    const text = render({
      inputsDigest: null,
      process: null,
      range: null,
      claimants: [],
      inconclusive: ['the scheduler did not answer'],
      unreachable,
      coverage,
      profile: null,
      stateHashes: {}
    })
    expect(text).toBe(`INCONCLUSIVE  the scheduler did not answer
why           no Compute Unit was audited
no answer     scheduler http://127.0.0.1:2: no answer in 60 s, 5 attempts

process       pid0pid0pid0pid0pid0pid0pid0pid0pid0pid0pi0
compared      0 of 0 evaluations, with no claimant
not checked   no evaluation is known, so none was checked
findings      none
date          2026-01-02T03:04:05.678Z, report (its digest)
time          fetch 3.1 s, verify 0.2 s, replay 12.0 s, compare 0.0 s; 33.5
              messages/s in the module
tool          ao-audit 0.1.0, Node v22.0.0, loader 0.0.49
`)
  })
})

describe('the next step', () => {
  it('is the last line of the summary, and its command is never wrapped', () => {
    const command = `ao-audit audit ${'x'.repeat(200)} --json`
    const text = renderTerminal(buildReport(parts()), { ...plain, next: { why: 'for all that differs', command } })
    expect(text.split('\n').slice(-3)).toEqual(['next          for all that differs:', `  ${command}`, ''])
  })
})

describe('a long terminal report', () => {
  it('shows the first of many reasons, kinds of findings, checkpoints and hashes, and counts the rest', () => {
    const codes = ['NONCE_GAP', 'NONCE_TWICE', 'HASH_CHAIN_BROKEN', 'TIME_GOES_BACK', 'INPUT_MISSING'] as const
    const kinds = codes.flatMap((code) => [
      finding({ code, attribution: 'scheduler', detail: code }),
      finding({ code, attribution: 'gateway', detail: code })
    ])
    const many = Array.from({ length: 1_000 }, () => finding({ severity: 'info', code: 'DUPLICATE_SKIPPED' }))
    const status = (state: 'match' | 'unverified') => ({
      ...{ id: 'c', nonce: 1, signer: 's', claimedSha256: 'a', dataSha256: null, computedSha256: null },
      status: state
    })
    const text = render({
      inconclusive: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'],
      findings: [...kinds, ...many],
      checkpoints: [status('match'), status('unverified'), status('match')],
      stateHashes: Object.fromEntries(Array.from({ length: 40 }, (_, nonce) => [nonce, STATE_SHA256]))
    })
    expect(block(text, 'why')).toEqual([
      'why           b',
      '              c',
      '              d',
      '              e',
      '              … and 3 more, see --json'
    ])
    expect(block(text, 'findings')).toEqual([
      'findings',
      '  error  NONCE_GAP          ×1  scheduler: NONCE_GAP',
      '  error  NONCE_GAP          ×1  gateway: NONCE_GAP',
      '  error  NONCE_TWICE        ×1  scheduler: NONCE_TWICE',
      '  error  NONCE_TWICE        ×1  gateway: NONCE_TWICE',
      '  error  HASH_CHAIN_BROKEN  ×1  scheduler: HASH_CHAIN_BROKEN',
      '  error  HASH_CHAIN_BROKEN  ×1  gateway: HASH_CHAIN_BROKEN',
      '  error  TIME_GOES_BACK     ×1  scheduler: TIME_GOES_BACK',
      '  error  TIME_GOES_BACK     ×1  gateway: TIME_GOES_BACK',
      '  … and 3 more kinds, see --json',
      '  … and 10 left out of the report'
    ])
    expect(block(text, 'checkpoints')).toEqual(['checkpoints   2 match, 1 unverified'])
    expect(block(text, 'state hash')).toEqual([
      'state hash    nonce 0:',
      ...[1, 2, 3].flatMap((nonce) => [`              ${STATE_SHA256}`, `              nonce ${nonce}:`]),
      `              ${STATE_SHA256}`,
      '              … and 36 more, see --json'
    ])
  })

  it('wraps details to the width of the terminal, but to at least 40 columns', () => {
    const detail = `${'word '.repeat(30)}${'y'.repeat(100)}`
    const findings = [finding({ detail, nonce: 7 })]
    expect(block(render({ findings }, 80), 'findings')).toEqual([
      'findings',
      '  error  RESULT_MISMATCH  ×1  compute-unit, nonce 7: word word word word word',
      `          ${'word '.repeat(14).trim()}`,
      `          ${'word '.repeat(11).trim()}`,
      `          ${'y'.repeat(70)}`,
      `          ${'y'.repeat(30)}`
    ])
    const address = 'a'.repeat(43)
    const wide = { claimants: [dishonest({ address, reasons: [detail] })], findings, trusted: [detail], notChecked: [detail] }
    for (const width of [60, 80, 120]) {
      const lines = render(wide, width).split('\n')
      expect(lines.filter((line) => line.length > width).filter((line) => !line.startsWith('module sha256'))).toEqual([])
    }
    expect(render({ findings }, 0)).toBe(render({ findings }, 40))
  })
})

describe('the terminal report', () => {
  const ALSO = '1 evaluation: agrees under another execution profile'
  const AWAY = 'http://127.0.0.1:2 did not answer: the connection failed'
  const coverage = { scheduled: 0, cron: 0, evaluated: 0, compared: 0, skipped: 0, unclaimed: 0, unread: 0, unverified: 0 }
  const away = { unit: 'gateway', url: 'http://127.0.0.1:2', code: 'UNIT_UNREACHABLE', detail: AWAY } as const

  it('has only reasons for the verdict under why, and the others under but', () => {
    const text = render({
      inconclusive: [AWAY, 'another'],
      claimants: [claimant({ reasons: [ALSO], remarks: [ALSO] })],
      unreachable: [{ ...away, hint: 'try again' }]
    })
    expect(text.split('\n').slice(0, 5)).toEqual([
      `INCONCLUSIVE  ${AWAY}`,
      'why           another',
      `but           ${ALSO}`,
      'no answer     gateway http://127.0.0.1:2; try again',
      ''
    ])
    const also = dishonest({ reasons: ['it differs', ALSO], remarks: [ALSO] })
    const blamed = render({ claimants: [also, claimant({ claimant: OTHER_CU, verdict: 'inconclusive', reasons: ['open'] })] })
    expect(block(blamed, 'why')).toEqual([`why           ${CU}: it differs`])
    expect(block(blamed, 'but')[0]).toBe(`but           ${CU}: 1 evaluation: agrees under another`)
    expect(block(blamed, 'but').at(-1)).toBe(`              ${OTHER_CU}: open`)
  })

  it('has the cause only once, with the process, if the audit could not begin', () => {
    const text = render({
      process: null,
      range: null,
      claimants: [],
      inconclusive: [AWAY],
      unreachable: [
        away,
        { ...away, code: 'UNIT_REFUSED', detail: 'no' },
        { ...away, code: 'ADDRESS_FORBIDDEN', detail: 'private' }
      ],
      findings: [finding({ code: 'UNIT_UNREACHABLE', attribution: 'gateway', detail: AWAY })],
      coverage
    })
    expect(text.split('did not answer')).toHaveLength(2)
    expect(text).toContain(`
no answer     gateway http://127.0.0.1:2
refused       gateway http://127.0.0.1:2: no
not asked     gateway http://127.0.0.1:2: private

process       pid0pid0pid0pid0pid0pid0pid0pid0pid0pid0pi0
`)
    expect(block(text, 'findings')).toEqual(['findings', '  error  UNIT_UNREACHABLE  ×1  gateway'])
  })

  it('shows both values of the first difference if nobody is blamed', () => {
    const differences = [{ path: 'Output', claimed: 'a  b', computed: 'c' }]
    const open = evaluation(2, { status: 'inconclusive', reason: 'no other profile was tried', differences })
    const text = render({ claimants: [claimant({ verdict: 'inconclusive', reasons: ['open'], evaluations: [open] })] })
    expect(block(text, 'First')).toEqual([
      'First difference, for which nobody is blamed: nonce 2, claimed by',
      '  http://127.0.0.1:4000',
      '  Output',
      '    claimed   "a  b"',
      '    computed  "c"'
    ])
  })

  it('describes an answer that is not an object', () => {
    const differences = [{ path: '', claimed: 'x', computed: {} }]
    const text = render({ claimants: [dishonest({ firstDivergence: { ...DIVERGENCE, differences } })] })
    expect(block(text, 'First')[2]).toBe('  the answer as a whole, which is not an object')
  })
})

describe('the terminal report on the profile and the evaluations', () => {
  it('contains the number of tried profiles and of evaluations that were left out', () => {
    const { profile } = parts()
    const searched = profile === null ? null : { ...profile, instances: 'per-message' as const, tried: ['a', 'b', 'c'] }
    const evaluations = Array.from({ length: 10_002 }, (_, ordinate) => evaluation(ordinate, { status: 'unclaimed' }))
    const text = render({ profile: searched, claimants: [claimant({ evaluations })] })
    expect(block(text, 'profile')).toEqual([
      'profile       legacynet (default), loader 0.0.44, an instance per message, 2',
      '              environment strings, 3 profiles tried'
    ])
    expect(block(text, 'evaluations')).toEqual(['evaluations   not a plain match: 10000 unclaimed, 2 left out'])
  })
})

describe('text from outside', () => {
  const hostile = () => {
    const differences = [{ path: HOSTILE, claimed: HOSTILE, computed: { [HOSTILE]: HOSTILE } }]
    const firstDivergence = {
      ...DIVERGENCE,
      key: { ordinate: 2, cron: HOSTILE, timestamp: 1 },
      message: HOSTILE,
      claimant: HOSTILE,
      differences
    }
    const report = buildReport(
      parts({
        claimants: [dishonest({ claimant: HOSTILE, address: HOSTILE, reasons: [HOSTILE], firstDivergence })],
        findings: [finding({ detail: HOSTILE })],
        trusted: [HOSTILE],
        notChecked: [HOSTILE],
        unreachable: [{ unit: 'gateway', url: HOSTILE, code: 'UNIT_UNREACHABLE', detail: HOSTILE }],
        tool: { version: HOSTILE, node: HOSTILE, loader: HOSTILE }
      })
    )
    const profile = report.profile === null ? null : { ...report.profile, name: HOSTILE, source: HOSTILE, loader: HOSTILE }
    return { ...report, ...hostileHashes(), checkpoints: [], profile }
  }

  it('is escaped on the terminal in every place', () => {
    const text = renderTerminal(hostile(), plain)
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
    expect(text).toMatch(
      /^MISMATCH {2}cron\n {14}\\u\{1b\}\[2J\\u\{9b\}1A\\u\{d\}\\u\{a\}\\u\{202e\}moor\\u\{200b\}\\u\{2028\}/
    )
    const tame = render({
      claimants: [dishonest({ address: 'a' })],
      findings: [finding()],
      trusted: ['t'],
      notChecked: ['n'],
      unreachable: [{ unit: 'gateway', url: 'u', code: 'UNIT_UNREACHABLE', detail: 'd' }]
    })
    const labels = (shown: string) => shown.split('\n').flatMap((line) => /^[a-z][a-z ]{12} /.exec(line) ?? [])
    expect(labels(text)).toEqual(labels(tame))
  })
})

describe('the coloured terminal report', () => {
  it.each([
    ['match', [claimant()], '\u001b[1m\u001b[32mMATCH\u001b[39m\u001b[22m  4 of 4'],
    ['mismatch', [dishonest()], '\u001b[1m\u001b[31mMISMATCH\u001b[39m\u001b[22m  nonce 2'],
    ['inconclusive', [], '\u001b[1m\u001b[33mINCONCLUSIVE\u001b[39m\u001b[22m  no Compute Unit']
  ])('has a colour for the verdict %s', (_, claimants, start) => {
    expect(renderTerminal(buildReport(parts({ claimants })), { color: true, width: 80 }).slice(0, start.length)).toBe(start)
  })

  it('differs from the plain one only in colour', () => {
    const report = buildReport(parts({ claimants: [dishonest()], trusted: [CU] }))
    const coloured = renderTerminal(report, { color: true, width: 80 })
    expect(stripVTControlCharacters(coloured)).toBe(renderTerminal(report, plain))
    expect(coloured).toContain('\u001b[31merror\u001b[39m  RESULT_MISMATCH')
  })
})
