/**
 * Honest units with claims that no single past explains: one that changed and kept its earlier answers, and several machines behind
 * one URL. None may be accused, and none is a match.
 */
import { afterAll, describe, expect, it } from 'vitest'
import type { FakeListed } from '../fakes/data.ts'
import { compileSmallModule, type MoreOfModule } from '../modules/small-module.ts'
import { type SmallProcess, signedSmallProcess } from '../modules/small-process.ts'
import { closeUnits } from './cu.ts'
import { audited, processOf } from './run.ts'
import { OFFICIAL_PATH, pathOf, type ScenarioMessage } from './scenario.ts'
import { type Ask, runHonestUnit, type UnitAnswers, type UnitSettings } from './unit.ts'

const FORMAT = 'wasm32-unknown-emscripten4'

/** `recurse N` calls itself N times and answers N. */
const RECURSING: MoreOfModule = {
  words: { recurse: '$recurse' },
  find: '$find_nothing',
  begin: '$begin_nothing',
  functions: `
(func $find_nothing (param ptr))
(func $begin_nothing)
(func $down (param $left i64) (result i64)
  (if (result i64) (i64.eqz (local.get $left)) (then (i64.const 0))
    (else (i64.add (i64.const 1) (call $down (i64.sub (local.get $left) (i64.const 1)))))))
(func $recurse (call $output_number (call $down (call $number (i64.const 1)))))`
}

const SETTINGS: Omit<UnitSettings, 'asked'> = {
  path: OFFICIAL_PATH,
  zone: 'UTC',
  duplicates: 'number',
  remembers: true,
  checkpoints: []
}

interface Change {
  readonly messages: readonly ScenarioMessage[]
  readonly crons?: readonly (readonly [string, string])[]
  readonly before: Partial<UnitSettings>
  readonly after: Partial<UnitSettings>
}

const push = (data: string, pushedBy: string): ScenarioMessage => ({ data, pushedBy, anchor: 'a'.repeat(32) })
const counts = (count: number): ScenarioMessage[] => Array.from({ length: count }, () => 'count')
const TWINS: readonly ScenarioMessage[] = [...counts(8), push('count', 'one'), ...counts(3), push('count', 'two'), ...counts(3)]

const CHANGES: Readonly<Record<string, Change>> = {
  'its program path': { messages: ['class', 'keepclass', 'count', 'count', 'count'], before: { path: pathOf(60) }, after: {} },
  'its loader': { messages: ['class', 'keepclass', 'count', 'count', 'count'], before: { path: null }, after: {} },
  'its comparison of nonces': { messages: TWINS, before: { duplicates: 'text' }, after: {} },
  'the order of its requests': {
    messages: ['count', 'tick', 'tick', 'count', 'count'],
    before: { asked: [{ nonce: 5 }] },
    after: {}
  },
  'the blocks that it knew': {
    messages: counts(6),
    crons: [
      ['Cron-Interval', '1-block'],
      ['Cron-Tag-Do', 'count']
    ],
    before: { asked: [{ nonce: 6 }] },
    after: {}
  }
}

async function bothOf({ messages, crons = [], before, after }: Change) {
  const small = await processOf({
    format: FORMAT,
    messages,
    crons,
    intervalMs: crons.length > 0 ? 47_000 : 1500
  })
  const asked = messages.map((_, place): Ask => ({ nonce: place + 1 }))
  const old = await runHonestUnit(small, { ...SETTINGS, asked, ...before })
  // A unit that was asked once is also asked message by message, so that it has all answers.
  const one = await runHonestUnit(small, { ...SETTINGS, asked, ...after })
  return { small, old, one }
}

const ordinateOf = ({ cursor }: FakeListed) =>
  Number((JSON.parse(Buffer.from(cursor, 'base64').toString()) as { ordinate: string }).ordinate)

/** Answers of the old unit for the nonces that `isOld` selects, of the new one for the others. */
function mixed(
  small: SmallProcess,
  old: UnitAnswers,
  one: UnitAnswers,
  isOld: (nonce: number) => boolean,
  listings: 'mixed' | 'new'
) {
  const byId = new Map(old.claims.map((claim) => [claim.id, claim]))
  const pick = (of: 'results' | 'cron') => [
    ...old[of].filter((edge) => isOld(ordinateOf(edge))),
    ...one[of].filter((edge) => !isOld(ordinateOf(edge)))
  ]
  return {
    ...one,
    claims: one.claims.map((claim) => (isOld(small.messageIds.indexOf(claim.id)) ? (byId.get(claim.id) ?? claim) : claim)),
    ...(listings === 'new'
      ? {}
      : { results: pick('results').toSorted((a, b) => ordinateOf(a) - ordinateOf(b)), cron: pick('cron') })
  }
}

const WAYS: Readonly<Record<string, (cut: number) => (nonce: number) => boolean>> = {
  once: (cut) => (nonce) => nonce < cut,
  'at every nonce': () => (nonce) => nonce % 2 === 0
}

describe('an honest unit that changed or consists of several machines', { timeout: 300_000 }, () => {
  afterAll(closeUnits)

  for (const [what, change] of Object.entries(CHANGES))
    for (const [when, way] of Object.entries(WAYS))
      it(`is not accused if it changed ${what} ${when}`, async () => {
        const { small, old, one } = await bothOf(change)
        const last = change.messages.length
        for (const [listings, jobs] of [
          ['mixed', 1],
          ['new', 3]
        ] as const) {
          const answers = mixed(small, old, one, way(last - 1), listings)
          const { verdict, findings } = await audited([{ ...small, ...answers }], { jobs })
          const blamed = findings.filter(({ severity, attribution }) => severity === 'error' && attribution === 'compute-unit')
          expect([listings, verdict === 'mismatch', blamed.map(({ code, nonce }) => [code, nonce])]).toEqual([
            listings,
            false,
            []
          ])
        }
      })

  it.each([1, 3, 50, 4321])('is not accused if others on its thread read the clock %i times before', async (times) => {
    const messages: readonly ScenarioMessage[] = ['count', 'clock', 'count', 'send 2']
    const small = await processOf({ format: FORMAT, messages, crons: [], intervalMs: 1500 })
    const made = await runHonestUnit(small, { ...SETTINGS, asked: messages.map((_, place): Ask => ({ nonce: place + 1 })) })
    const later = <T>(value: T): T =>
      JSON.parse(JSON.stringify(value).replace(/"1000(\d)"/g, (_, digit: string) => `"${10_000 + Number(digit) + times}"`)) as T
    const answers = { ...made, claims: later(made.claims), results: later(made.results) }
    expect(JSON.stringify(answers.claims)).not.toBe(JSON.stringify(made.claims))
    expect((await audited([{ ...small, ...answers }])).verdict).toBe('inconclusive')
  })

  it('is not accused if its host had no memory left', async () => {
    const messages: readonly ScenarioMessage[] = ['count', 'grow 200', 'count']
    const small = await processOf({ format: FORMAT, messages, crons: [], intervalMs: 1500 })
    const made = await runHonestUnit(small, { ...SETTINGS, asked: messages.map((_, place): Ask => ({ nonce: place + 1 })) })
    const failed = { Messages: [], Assignments: [], Spawns: [], Output: '', Error: {} }
    // The unit went on with the memory before that message.
    const behind = <T>(value: T): T => JSON.parse(JSON.stringify(value).replaceAll('"Output":"3"', '"Output":"2"')) as T
    const claims = behind(made.claims.map((one, place) => (place === 1 ? { ...one, result: failed } : one)))
    const results = behind(made.results.filter((edge) => ordinateOf(edge) !== 2))
    expect((await audited([{ ...small, ...made, claims, results }])).verdict).toBe('inconclusive')
  })

  it('is not accused if its thread has a larger stack, and is a match if messages recurse less deeply', async () => {
    const wasm = await compileSmallModule(FORMAT, { more: RECURSING })
    for (const [depth, verdict] of [
      ['50000', 'inconclusive'],
      ['500', 'match']
    ] as const) {
      const small = await signedSmallProcess({
        format: FORMAT,
        wasm,
        messages: ['count', `recurse ${depth}`],
        intervalMs: 1500
      })
      const made = await runHonestUnit(small, { ...SETTINGS, asked: [{ nonce: 1 }, { nonce: 2 }] })
      const result = { ...(made.claims[0]?.result as object), Output: depth }
      const claims = made.claims.map((one, place) => (place === 1 ? { ...one, result } : one))
      const { GasUsed: _, ...node } = result as { GasUsed?: unknown }
      const results = made.results.map((edge) => (ordinateOf(edge) === 2 ? { ...edge, node } : edge))
      expect([depth, (await audited([{ ...small, ...made, claims, results }])).verdict]).toEqual([depth, verdict])
    }
  })

  it('is a mismatch if it gives an answer that none of its pasts explains', async () => {
    const { small, one } = await bothOf(CHANGES['its program path'] as Change)
    const lying = one.claims.map((claim, place) =>
      place === 3 ? { ...claim, result: { ...(claim.result as object), Output: '4711' } } : claim
    )
    const listed = one.results.map((edge) =>
      ordinateOf(edge) === 4 ? { ...edge, node: { ...(edge.node as object), Output: '4711' } } : edge
    )
    expect((await audited([{ ...small, ...one, claims: lying, results: listed }])).verdict).toBe('mismatch')
  })
})
