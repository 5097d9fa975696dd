/** Checkpoints, listings and answers of one unit decide nothing about another, and a memory on trust accuses nobody. */
import { afterAll, describe, expect, it } from 'vitest'
import { cursorOf } from '../fakes/data.ts'
import { signedSmallProcess } from '../modules/small-process.ts'
import { closeUnits } from './cu.ts'
import { honestModule } from './module.ts'
import { addressOf, audited, processOf, publishedCheckpoint } from './run.ts'
import { OFFICIAL_PATH, pathOf, type ScenarioMessage } from './scenario.ts'
import { type Ask, runHonestUnit, type UnitSettings } from './unit.ts'

const FORMAT = 'wasm32-unknown-emscripten4'
const SETTINGS: Omit<UnitSettings, 'asked'> = {
  path: OFFICIAL_PATH,
  zone: 'UTC',
  duplicates: 'number',
  remembers: true,
  checkpoints: []
}
const upTo = (last: number): Ask[] => Array.from({ length: last }, (_, place) => ({ nonce: place + 1 }))
const words = (count: number, word = 'count'): ScenarioMessage[] => Array.from({ length: count }, () => word)
const push = (data: string, pushedBy: string): ScenarioMessage => ({ data, pushedBy, anchor: 'a'.repeat(32) })
const ordinateOf = (cursor: string) =>
  JSON.parse(Buffer.from(cursor, 'base64').toString()) as { readonly ordinate: string; readonly cron?: string }

describe('an honest unit beside another unit', { timeout: 300_000 }, () => {
  afterAll(closeUnits)

  it("is not accused if the replay begins with a liar's checkpoint", async () => {
    const small = await processOf({ format: FORMAT, messages: words(8), crons: [], intervalMs: 1500 })
    const honest = await runHonestUnit(small, { ...SETTINGS, asked: upTo(8), checkpoints: [3] })
    const [own] = honest.checkpoints
    if (own === undefined) throw new Error('no checkpoint')
    const memory = Buffer.from(own.memory)
    memory.writeBigUInt64LE(memory.readBigUInt64LE(1024) + 100n, 1024)
    const liar = await runHonestUnit(small, { ...SETTINGS, asked: upTo(8).slice(4), start: { place: own.place, memory } })
    const forged = await publishedCheckpoint(small, { place: own.place, memory }, 'liar')
    const transactions = [...small.transactions, forged]
    const lying = { ...small, ...liar, transactions, address: addressOf('liar') }
    const true_ = { ...small, ...honest, transactions, address: addressOf('honest') }
    const start = { checkpoint: forged.id }
    for (const networks of [[lying, true_], [true_, lying], [true_]]) {
      const options = networks.length === 1 ? { start, checkpointOwners: [addressOf('liar')] } : { start }
      const report = await audited(networks, options)
      expect([report.verdict, report.findings.filter(({ severity }) => severity === 'error')]).toEqual(['inconclusive', []])
    }
    const alone = await audited([lying], { start })
    expect(alone.trusted[0]).toMatch(/: its own word$/)
    expect((await audited([lying])).verdict).not.toBe('match')
  })

  it("is not accused if only another unit's checkpoint rules out its listing", async () => {
    const tags = [
      ['Cron-Interval', '30-seconds'],
      ['Cron-Tag-Do', 'class'],
      ['Cron-Interval', '2-blocks'],
      ['Cron-Tag-Do', 'count']
    ] as const
    const small = await signedSmallProcess({
      format: FORMAT,
      wasm: await honestModule(FORMAT),
      messages: [...Array.from({ length: 9 }, () => 'echo hi'), 'count', 'count', 'count'],
      processTags: tags.map(([name, value]) => ({ name, value })),
      intervalMs: 45_040,
      blockMs: 60_000
    })
    const one = await runHonestUnit(small, { ...SETTINGS, asked: [...upTo(6), { nonce: 12 }] })
    const isHidden = ({ cursor }: { readonly cursor: string }) => {
      const { ordinate, cron } = ordinateOf(cursor)
      return ordinate === '7' && cron?.includes('block') === true
    }
    const listed = { results: one.results.filter((edge) => !isHidden(edge)), cron: one.cron.filter((edge) => !isHidden(edge)) }
    const signer = await runHonestUnit(small, { ...SETTINGS, asked: upTo(9), checkpoints: [8] })
    const own = await Promise.all(signer.checkpoints.map((made) => publishedCheckpoint(small, made, 'other')))
    const transactions = [...small.transactions, ...own]
    const other = await runHonestUnit(small, { ...SETTINGS, asked: upTo(12) })
    const report = await audited([
      { ...small, ...one, ...listed, transactions, address: addressOf('one') },
      { ...small, ...other, transactions, address: addressOf('other') }
    ])
    expect(report.verdict).toBe('inconclusive')
  })
})

describe('an honest unit that is replayed from its own older checkpoint', { timeout: 300_000 }, () => {
  afterAll(closeUnits)

  const CHANGES: Readonly<
    Record<
      string,
      {
        readonly messages: readonly ScenarioMessage[]
        readonly old: Partial<UnitSettings>
        readonly now: Partial<UnitSettings>
      }
    >
  > = {
    'at another path': {
      messages: ['order', 'keepclass', 'count', 'count', 'count', 'count'],
      old: { asked: upTo(3) },
      now: { path: pathOf(90), asked: upTo(6) }
    },
    'with other instances': {
      messages: ['tick', 'tick', 'count', 'count', 'count'],
      old: { asked: upTo(3) },
      now: { asked: [{ nonce: 5 }] }
    },
    'with another rule for duplicates': {
      messages: [...words(8), push('count', 'one'), ...words(3), push('count', 'two'), ...words(3)],
      old: { asked: [{ nonce: 14 }], duplicates: 'text' },
      now: { asked: upTo(16) }
    }
  }

  it.each(Object.keys(CHANGES))('is not accused if it went on %s', async (name) => {
    const { messages, old, now } = CHANGES[name] ?? { messages: [], old: {}, now: {} }
    const small = await processOf({ format: FORMAT, messages, crons: [], intervalMs: 1500 })
    const before = { ...SETTINGS, asked: [], ...old }
    const [made] = (await runHonestUnit(small, { ...before, checkpoints: [before.asked.length - 1] })).checkpoints
    if (made === undefined) throw new Error('no checkpoint')
    const own = await publishedCheckpoint(small, made, 'unit')
    const answers = await runHonestUnit(small, { ...SETTINGS, asked: [], ...now })
    const network = { ...small, ...answers, transactions: [...small.transactions, own], address: addressOf('unit') }
    expect((await audited([network])).verdict).toBe('match')
    const report = await audited([network], { start: { checkpoint: own.id } })
    expect(report.verdict).toBe('inconclusive')
    expect(report.reasons[0]).toContain('a replay from the module')
  })
})

describe('an audit of a unit that lists crons after the range', { timeout: 120_000 }, () => {
  afterAll(closeUnits)

  const INTERVAL_MS = 45_040
  const LAST_MS = 1_720_000_000_000 + 4 * INTERVAL_MS
  const edge = (timestamp: number, cron: string) => ({
    node: { Messages: [], Assignments: [], Spawns: [], Output: 'stolen' },
    cursor: cursorOf(4, timestamp, cron)
  })
  /** The next time after the last message at which an interval of 30 seconds is due. */
  const DUE_MS = LAST_MS + 30_000 - ((Math.floor(LAST_MS / 1000) - 1_720_000_000) % 30) * 1000
  const LISTED = {
    'of a process that has none': { crons: false, edges: [edge(LAST_MS + 1000, '0-7-minutes')], verdict: 'inconclusive' },
    'of a name that the process does not have': {
      crons: true,
      edges: [edge(LAST_MS + 60_000, '0-7-minutes')],
      verdict: 'inconclusive'
    },
    'at a time at which it cannot fire': { crons: true, edges: [edge(DUE_MS + 1000, '0-30-seconds')], verdict: 'inconclusive' },
    'more often than it can fire': {
      crons: true,
      edges: Array.from({ length: 5 }, (_, place) => edge(DUE_MS + place, '0-30-seconds')),
      verdict: 'inconclusive'
    },
    'that may be due': { crons: true, edges: [edge(DUE_MS, '0-30-seconds')], verdict: 'match' }
  } as const

  it.each(Object.keys(LISTED) as (keyof typeof LISTED)[])(
    'is a match only if an honest unit may list them: crons %s',
    async (name) => {
      const { crons, edges, verdict } = LISTED[name]
      const tags = [
        ['Cron-Interval', '30-seconds'],
        ['Cron-Tag-Do', 'count']
      ] as const
      const small = await processOf({ format: FORMAT, messages: words(4), crons: crons ? tags : [], intervalMs: INTERVAL_MS })
      const made = await runHonestUnit(small, { ...SETTINGS, asked: upTo(4) })
      const report = await audited([
        { ...small, ...made, results: [...made.results, ...edges], cron: [...made.cron, ...edges] }
      ])
      expect(report.verdict).toBe(verdict)
      expect(report.notChecked.some((text) => text.includes('after the end of the range'))).toBe(
        verdict === 'match' || name.startsWith('more')
      )
    }
  )
})
