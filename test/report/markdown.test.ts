import { describe, expect, it } from 'vitest'
import { RULE_NAMES } from '../../src/attribution/rules.ts'
import { buildReport } from '../../src/report/build.ts'
import { renderMarkdown } from '../../src/report/markdown.ts'
import { renderTerminal } from '../../src/report/terminal.ts'
import {
  COVERAGE,
  claimant,
  DIVERGENCE,
  dishonest,
  evaluation,
  finding,
  HOSTILE,
  hostileHashes,
  INPUTS_SHA256,
  MODULE_SHA256,
  parts,
  STATE_SHA256
} from './fixtures.ts'

const URL_SPAN = '`http://127.0.0.1:4000`'

function section(markdown: string, title: string): string {
  const [, body = ''] = markdown.split(`## ${title}\n\n`)
  return (body.split('\n\n## ')[0] ?? '').trimEnd()
}

describe('renderMarkdown', () => {
  it('contains everything about a mismatch', () => {
    const report = buildReport(
      parts({
        claimants: [dishonest({ address: 'addr' })],
        trusted: ['the schedule'],
        notChecked: ['the module signature'],
        unreachable: [{ unit: 'gateway', url: 'u1', code: 'UNIT_UNREACHABLE', detail: 'no answer' }],
        checkpoints: [
          {
            id: 'c1',
            nonce: 3,
            signer: 's1',
            claimedSha256: 'aa',
            dataSha256: null,
            computedSha256: STATE_SHA256,
            status: 'mismatch'
          }
        ]
      })
    )
    expect(renderMarkdown(report)).toBe(`# ao-audit: MISMATCH

nonce 2: re-execution contradicts ${URL_SPAN}

## Why

- nonce 2 differs under every profile tried

## Rules of accusation

All 12 rules of \`docs/accusation-rules.md\` hold: ${RULE_NAMES.map((name) => `\`${name}\``).join(', ')}.

## Taken on trust

- the schedule

## No usable answer

- no answer: gateway \`u1\`: no answer

## First divergence

nonce 2, message \`mid0mid0mid0mid0mid0mid0mid0mid0mid0mid0mi0\`, claimed by ${URL_SPAN}

| path | claimed | computed |
| --- | --- | --- |
| \`Messages[0].Tags[3].value\` | \`"1001"\` | \`"1000"\` |

## What was audited

|  |  |
| --- | --- |
| process | \`pid0pid0pid0pid0pid0pid0pid0pid0pid0pid0pi0\` |
| owner | \`own0own0own0own0own0own0own0own0own0own0ow0\` |
| scheduler | \`sch0sch0sch0sch0sch0sch0sch0sch0sch0sch0sc0\` |
| module | \`mod0mod0mod0mod0mod0mod0mod0mod0mod0mod0mo0\` (\`wasm64-unknown-emscripten\`) |
| module SHA-256 | \`${MODULE_SHA256}\` |
| range | nonces 0 to 3 |
| compared | 4 of 4 evaluations |
| profile | \`legacynet\` (default), loader \`0.0.44\`, one instance, 2 environment strings |
| environment | \`LANG=C.UTF-8\`<br>\`_=/usr/app\` |
| date | \`2026-01-02T03:04:05.678Z\` |
| inputs SHA-256 | \`${INPUTS_SHA256}\` |
| report SHA-256 | \`${report.digest}\` |
| time | fetch 3.1 s, verify 0.2 s, replay 12.0 s, compare 0.0 s; 33.5 messages/s in the module |
| tool | ao-audit \`0.1.0\`, Node \`v22.0.0\`, loader \`0.0.49\` |

## Not checked

- the module signature

## Claimants

| claimant | audited | verdict | compared | why | but |
| --- | --- | --- | --- | --- | --- |
| Compute Unit ${URL_SPAN} (address \`addr\`) | yes | mismatch | 4 of 4 evaluations | nonce 2 differs under every profile tried |  |

## Findings

| severity | code | about | nonce | count | detail |
| --- | --- | --- | --- | --- | --- |
| error | RESULT_MISMATCH | compute-unit ${URL_SPAN} | 2 | 1 | the results differ |

## Evaluations that are not a plain match

| evaluation | message | status | claimant | differences |
| --- | --- | --- | --- | --- |
| nonce 2 | \`mid0mid0mid0mid0mid0mid0mid0mid0mid0mid0mi0\` | mismatch | ${URL_SPAN} | 1, first at \`Messages[0].Tags[3].value\` |

## Checkpoints

| id | nonce | signer | status | claimed | data | computed |
| --- | --- | --- | --- | --- | --- | --- |
| \`c1\` | 3 | \`s1\` | mismatch | \`aa\` |  | \`${STATE_SHA256}\` |

## State hashes

| after nonce | SHA-256 |
| --- | --- |
| \`3\` | \`${STATE_SHA256}\` |
`)
  })

  it('contains tolerances in a line and a table, and remarks that do not decide the verdict', () => {
    const tolerances = [
      { kind: 'duplicate-answer', count: 2, bits: 4, first: { ordinate: 1, timestamp: 1 } },
      { kind: 'time-zone', count: 1, bits: 1 }
    ] as const
    const remarks = ['1 evaluation: agrees under another execution profile']
    const markdown = renderMarkdown(buildReport(parts({ claimants: [claimant({ tolerances, reasons: remarks, remarks })] })))
    expect(markdown.split('\n').slice(2, 9)).toEqual([
      `4 of 4 evaluations compared, all agree with ${URL_SPAN}`,
      '',
      'Tolerated: 2 answers for duplicates (4 bits), 1 time zone (1 bit)',
      '',
      '## But',
      '',
      '- 1 evaluation: agrees under another execution profile'
    ])
    expect(section(markdown, 'Tolerated').split('\n')).toEqual([
      '| claimant | tolerance | count | bits | first at |',
      '| --- | --- | --- | --- | --- |',
      `| ${URL_SPAN} | \`duplicate-answer\` | 2 | 4 | nonce 1 |`,
      `| ${URL_SPAN} | \`time-zone\` | 1 | 1 | all of them |`
    ])
    expect(markdown).not.toContain('## Why')
    expect(markdown).not.toContain('## Rules')
  })

  it('leaves out empty sections', () => {
    const coverage = { ...COVERAGE, scheduled: 0, evaluated: 0, compared: 0 }
    const bare = parts({
      inputsDigest: null,
      process: null,
      range: null,
      claimants: [],
      profile: null,
      stateHashes: {},
      coverage
    })
    const report = buildReport(bare)
    expect(renderMarkdown(report)).toBe(`# ao-audit: INCONCLUSIVE

no Compute Unit was audited

## Why

- no Compute Unit was audited

## What was audited

|  |  |
| --- | --- |
| process | \`pid0pid0pid0pid0pid0pid0pid0pid0pid0pid0pi0\` |
| compared | 0 of 0 evaluations |
| date | \`2026-01-02T03:04:05.678Z\` |
| report SHA-256 | \`${report.digest}\` |
| time | fetch 3.1 s, verify 0.2 s, replay 12.0 s, compare 0.0 s; 33.5 messages/s in the module |
| tool | ao-audit \`0.1.0\`, Node \`v22.0.0\`, loader \`0.0.49\` |

## Not checked

- no evaluation is known, so none was checked
`)
  })

  it('bounds its tables and counts the rows that it and the report left out', () => {
    const evaluations = Array.from({ length: 10_005 }, (_, ordinate) =>
      evaluation(ordinate, { status: 'skipped', reason: 'seen' })
    )
    const findings = Array.from({ length: 101 }, (_, nonce) => finding({ nonce }))
    const markdown = renderMarkdown(buildReport(parts({ findings, claimants: [claimant({ evaluations })] })))
    const rows = section(markdown, 'Evaluations that are not a plain match').split('\n')
    expect(rows).toHaveLength(104)
    expect(rows[101]).toBe(`| nonce 99 |  | skipped: seen | ${URL_SPAN} |  |`)
    expect(rows[103]).toBe('… and 9905 more.')
    expect(section(markdown, 'Findings').endsWith('\n\n… and 1 more.')).toBe(true)
  })

  it('contains the number of differences that the report left out', () => {
    const firstDivergence = { ...DIVERGENCE, differencesCut: 7 }
    const markdown = renderMarkdown(buildReport(parts({ claimants: [dishonest({ firstDivergence })] })))
    expect(section(markdown, 'First divergence').endsWith('\n\n… and 7 more.')).toBe(true)
  })

  it('keeps hostile text in its cell, in every place', () => {
    const differences = [{ path: HOSTILE, claimed: HOSTILE, computed: { [HOSTILE]: HOSTILE } }]
    const firstDivergence = {
      ...DIVERGENCE,
      key: { ordinate: 2, cron: HOSTILE, timestamp: 1 },
      message: HOSTILE,
      claimant: HOSTILE,
      differences
    }
    const evaluations = [
      {
        key: firstDivergence.key,
        status: 'mismatch',
        message: HOSTILE,
        claimant: HOSTILE,
        reason: HOSTILE,
        differences
      } as const
    ]
    const report = buildReport(
      parts({
        claimants: [dishonest({ claimant: HOSTILE, address: HOSTILE, reasons: [HOSTILE], firstDivergence, evaluations })],
        findings: [finding({ detail: HOSTILE, claimant: HOSTILE })],
        trusted: [HOSTILE],
        notChecked: [HOSTILE],
        unreachable: [{ unit: 'gateway', url: HOSTILE, code: 'UNIT_UNREACHABLE', detail: HOSTILE }],
        tool: { version: HOSTILE, node: HOSTILE, loader: HOSTILE }
      })
    )
    const profile =
      report.profile === null
        ? null
        : { ...report.profile, name: HOSTILE, source: HOSTILE, loader: HOSTILE, environment: [HOSTILE] }
    const lines = renderMarkdown({ ...report, ...hostileHashes(), profile }).split('\n')
    expect(lines.join('')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
    // Outside of spans, which have as many backticks as the hostile text requires, there is only the page's own markup.
    const between = lines.join('\n').replace(/(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)/g, '')
    expect(between).not.toMatch(/[`\\[\]]|\*\*|<(?!br>)|http/)
    const columns = lines.filter((line) => line.startsWith('|')).map((line) => line.split('|').length - 2)
    expect(columns).toEqual([
      ...repeat(3, 3),
      ...repeat(2, 16),
      ...repeat(6, 3),
      ...repeat(6, 4),
      ...repeat(5, 3),
      ...repeat(7, 3),
      ...repeat(2, 3)
    ])
    expect(lines.filter((line) => line.startsWith('#'))).toHaveLength(13)
  })
})

function repeat(value: number, times: number): readonly number[] {
  return Array.from({ length: times }, () => value)
}

describe('memories that differ', () => {
  const difference = {
    bytesA: 131_072,
    bytesB: 65_536,
    differingPages: 2,
    differingBytes: 3,
    ranges: [
      {
        offset: 4096,
        length: 1,
        place: 'heap' as const,
        shownFrom: 4095,
        a: { hex: '3c623e', text: '<b>' },
        b: { hex: '3c633e', text: '<c>' }
      }
    ],
    cut: 2
  }
  const checkpoint = {
    id: 'checkpoint',
    nonce: 3,
    signer: 'signer',
    claimedSha256: 'aa',
    dataSha256: MODULE_SHA256,
    computedSha256: STATE_SHA256,
    status: 'mismatch' as const,
    memory: difference
  }

  it('are shown with sizes, ranges and omissions, and without markup from their content', () => {
    const lines = section(renderMarkdown(buildReport(parts({ checkpoints: [checkpoint] }))), 'Memories that differ').split('\n')
    expect(lines.slice(2, 4)).toEqual([
      '| `checkpoint` | 131072 bytes as claimed, 65536 as computed; 3 bytes in 2 pages of 4 KiB differ, 2 further ranges not shown |  |  |  |  |  |',
      '| `checkpoint` | range | heap | 0x1000 | 1 | `3c623e` `<b>` | `3c633e` `<c>` |'
    ])
  })

  it('are shown in one line on a terminal', () => {
    const text = renderTerminal(buildReport(parts({ checkpoints: [checkpoint] })), { color: false, width: 300 })
    expect(text).toContain(
      'checkpoint: 131072 bytes as claimed, 65536 as computed; 3 bytes in 2 pages of 4 KiB differ, first at 0x1000 (heap)\n'
    )
  })
})
