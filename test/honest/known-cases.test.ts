/** Honest units of each kind that was or could be accused: one plain scenario for each kind, besides the random ones. */
import { afterAll, describe, expect, it } from 'vitest'
import { closeUnits } from './cu.ts'
import { runScenario } from './run.ts'
import { OFFICIAL_PATH, pathOf, type Scenario, type ScenarioMessage, type ScenarioUnit } from './scenario.ts'

const push = (data: string, pushedBy: string): ScenarioMessage => ({ data, pushedBy, anchor: 'a'.repeat(32) })
const counts = (count: number): ScenarioMessage[] => Array.from({ length: count }, () => 'count')
const stepwise = (count: number) => Array.from({ length: count }, (_, place) => ({ nonce: place + 1 }))

function unit(asked: ScenarioUnit['asked'], settings: Partial<ScenarioUnit> = {}): ScenarioUnit {
  return {
    path: OFFICIAL_PATH,
    zone: 'UTC',
    asked,
    duplicates: 'number',
    remembers: true,
    checkpoints: [],
    named: true,
    ...settings
  }
}

function scenario(messages: readonly ScenarioMessage[], settings: Partial<Scenario> = {}): Scenario {
  const units = [unit(stepwise(messages.length))]
  return {
    seed: 0,
    format: 'wasm32-unknown-emscripten4',
    intervalMs: 1500,
    crons: [],
    messages,
    units,
    faults: [],
    ...settings
  }
}

const crons = (interval: string, word: string) => [['Cron-Interval', interval] as const, ['Cron-Tag-Do', word] as const]
const ORDERED = ['order', 'class', 'keepclass', 'count', 'order']
const TWINS = [push('count', 'one'), 'count', push('count', 'two'), 'count']
const LATE_TWINS = [...counts(8), push('count', 'one'), ...counts(3), push('count', 'two'), 'count']

/** `match`: the audit must find the hidden settings. `not accused`: the audit must blame nobody, whatever its verdict. */
const CASES: readonly (readonly [string, 'match' | 'not accused', Scenario])[] = [
  [
    'is a match at the official path if it was asked message by message',
    'match',
    scenario(['count', 'error', 'full', 'count'])
  ],
  [
    'is a match if it was asked once and read the clock',
    'match',
    scenario(['clock', 'count', 'tick', 'clock', 'count'], { units: [unit([{ nonce: 5 }])] })
  ],
  [
    'is a match if it was asked message by message and read the clock',
    'match',
    scenario(['clock', 'count', 'tick', 'clock', 'count'])
  ],
  [
    'is a match if its loader gives no environment to the module',
    'match',
    scenario(ORDERED, { units: [unit(stepwise(5), { path: null })] })
  ],
  ...[20, 24, 60, 101, 142, 150].map(
    (length) =>
      [
        `is a match if its program lies at a path of ${length} characters`,
        'match',
        scenario(ORDERED, { units: [unit(stepwise(5), { path: pathOf(length) })] })
      ] as const
  ),
  [
    'is a match if a second unit has another loader',
    'match',
    scenario(ORDERED, { units: [unit(stepwise(5)), unit(stepwise(5), { path: null })] })
  ],
  [
    'is a match if the unit named before it has another loader',
    'match',
    scenario(ORDERED, { units: [unit(stepwise(5), { path: null }), unit(stepwise(5))] })
  ],
  [
    'is a match beside one at another path if both sign checkpoints',
    'match',
    scenario(ORDERED, {
      units: [unit(stepwise(5), { checkpoints: [1] }), unit(stepwise(5), { path: pathOf(77), checkpoints: [2] })]
    })
  ],
  [
    'is a match after its own checkpoint from an earlier path if it began with that',
    'match',
    scenario(ORDERED, {
      from: 3,
      units: [unit([{ nonce: 5 }], { path: pathOf(90), start: { nonce: 2, path: OFFICIAL_PATH, signedBy: 'itself' } })]
    })
  ],
  [
    'is not accused if it began with a checkpoint and answers {} for its nonce',
    'not accused',
    scenario(counts(5), { units: [unit([{ nonce: 5 }], { start: { nonce: 2, path: OFFICIAL_PATH, signedBy: 'itself' } })] })
  ],
  ...['Asia/Tokyo', 'Asia/Kolkata', 'Etc/GMT+8'].map(
    (zone) =>
      [
        `is a match if its time zone is ${zone}`,
        'match',
        scenario(['local', 'count', 'keeplocal', 'count'], { units: [unit(stepwise(4), { zone })] })
      ] as const
  ),
  [
    'is a match if the module answers with its time zone',
    'match',
    scenario(['zone', 'count'], { units: [unit(stepwise(2), { zone: 'Asia/Tokyo' })] })
  ],
  [
    'is not accused if its time zone has summer time',
    'not accused',
    scenario(['local', 'zone', 'local 15000000', 'count'], { units: [unit(stepwise(4), { zone: 'America/New_York' })] })
  ],
  [
    'is a match if the module writes to stdout, which reads the clock',
    'match',
    scenario(['print one', 'clock', 'print two', 'clock'], { units: [unit([{ nonce: 4 }])] })
  ],
  [
    'is a match if messages fail after clock readings',
    'match',
    scenario(['clock', 'clockerr', 'clock', 'error', 'clock', 'trap', 'clock', 'throw', 'count'], {
      units: [unit([{ nonce: 9 }])]
    })
  ],
  ['is a match if it skips a duplicate push and answers it with nothing', 'match', scenario(TWINS)],
  [
    'is a match if it skips a duplicate assignment and answers it with the result of the first',
    'match',
    scenario([{ data: 'count', onChain: true }, 'count', { again: 1 }, 'count'])
  ],
  [
    'is not accused if it answers a skipped push with the result before it',
    'not accused',
    scenario(TWINS, { units: [unit([{ nonce: 3 }])] })
  ],
  [
    'is not accused if it evaluated a push twice because it compared 0:9 with 0:13 as text',
    'not accused',
    scenario(LATE_TWINS, { units: [unit([{ nonce: 14 }], { duplicates: 'text' })] })
  ],
  [
    'is not accused if it evaluated a push twice and forgot its answers',
    'not accused',
    scenario(LATE_TWINS, { units: [unit(stepwise(14), { duplicates: 'text', remembers: false })] })
  ],
  [
    'is not accused if it began with a checkpoint between two twins',
    'not accused',
    scenario(TWINS, { units: [unit([{ nonce: 4 }], { start: { nonce: 2, path: OFFICIAL_PATH, signedBy: 'another' } })] })
  ],
  [
    'is not accused if another unit evaluated the twin that it skipped',
    'not accused',
    scenario(TWINS, {
      units: [unit(stepwise(4)), unit([{ nonce: 4 }], { start: { nonce: 2, path: OFFICIAL_PATH, signedBy: 'itself' } })]
    })
  ],
  [
    'is not accused if it evaluated messages again after a restart',
    'not accused',
    scenario(['clock', 'tick', 'tick', 'tick', 'count', 'clock', 'count'], {
      units: [unit(stepwise(7), { restart: { before: 5, memoryAfter: 1 } })]
    })
  ],
  [
    'is a match if its crons fail now and then',
    'match',
    scenario(counts(6), { intervalMs: 40_000, crons: crons('30-seconds', 'flaky') })
  ],
  [
    'is a match if its crons always fail',
    'match',
    scenario(counts(5), { intervalMs: 40_000, crons: crons('30-seconds', 'error') })
  ],
  [
    'is a match if its block crons always fail',
    'match',
    scenario(counts(5), { intervalMs: 70_000, crons: crons('1-block', 'error') })
  ],
  [
    'is a match if its block crons fire by the blocks that it knew when asked message by message',
    'match',
    scenario(counts(6), { intervalMs: 47_000, crons: crons('1-block', 'count') })
  ],
  [
    'is a match if its block crons fire by the blocks that it knew when asked once',
    'match',
    scenario(counts(6), { intervalMs: 47_000, crons: crons('1-block', 'count'), units: [unit([{ nonce: 6 }])] })
  ],
  ...[stepwise(9), [{ nonce: 9 }]].flatMap((asked) => {
    const how = asked.length === 1 ? 'asked once' : 'asked message by message'
    const units = [unit(asked)]
    return [
      [
        `is a match if its crons by block and by time fail now and then, when ${how}`,
        'match',
        scenario(counts(9), {
          intervalMs: 47_000,
          crons: [...crons('1-block', 'flaky'), ...crons('45-seconds', 'count')],
          units
        })
      ] as const,
      [
        `is a match if a failed cron begins a new instance, as the clock shows, when ${how}`,
        'match',
        scenario(
          Array.from({ length: 9 }, () => 'clock'),
          { intervalMs: 47_000, crons: [...crons('1-block', 'clockerr'), ...crons('45-seconds', 'tick')], units }
        )
      ] as const
    ]
  }),
  [
    'is not accused if it was asked for times and for messages',
    'not accused',
    scenario(counts(6), {
      intervalMs: 47_000,
      crons: crons('1-block', 'flaky'),
      units: [unit([{ time: 1_720_000_100_000 }, { nonce: 3 }, { time: 1_720_000_200_000 }, { nonce: 6 }])]
    })
  ],
  [
    'is not accused if crons fired after the last message',
    'not accused',
    scenario(counts(4), {
      intervalMs: 40_000,
      crons: crons('30-seconds', 'count'),
      units: [unit([{ nonce: 4 }, { time: 1_720_000_220_000 }])]
    })
  ],
  ...[1, 3, 5].map(
    (to) =>
      [
        `is a match up to nonce ${to} of a process with crons`,
        'match',
        scenario(counts(6), { intervalMs: 47_000, crons: crons('1-block', 'count'), to })
      ] as const
  ),
  [
    'is a match if a cron reads the program path and it is not the official one',
    'match',
    scenario(counts(4), {
      intervalMs: 40_000,
      crons: crons('30-seconds', 'keepclass'),
      units: [unit(stepwise(4), { path: pathOf(130) })]
    })
  ],
  [
    'is a match if its answers are late, busy, rate-limited and cut off',
    'match',
    scenario(counts(5), {
      faults: [
        { kind: 'status', status: 429, headers: { 'retry-after': '0' }, unit: 'compute', times: 3, every: 2 },
        { kind: 'status', status: 202, body: '{"message":"in progress"}', path: '/result/', times: 2 },
        { kind: 'cut', unit: 'scheduler', times: 1 },
        { kind: 'status', status: 500, unit: 'gateway', times: 2 }
      ]
    })
  ]
]

describe('an honest unit', { timeout: 120_000 }, () => {
  afterAll(closeUnits)

  it.each(CASES)('%s', async (_, expected, given) => {
    const { report } = await runScenario(given)
    const blamed = report.findings.filter(({ severity, attribution }) => severity === 'error' && attribution === 'compute-unit')
    expect(blamed.map(({ code, nonce, detail }) => [code, nonce, detail])).toEqual([])
    if (expected === 'match') expect(report.verdict, report.reasons.join('; ')).toBe('match')
    else expect(report.verdict).not.toBe('mismatch')
  })
})
