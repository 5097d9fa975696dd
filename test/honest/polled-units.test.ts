/**
 * Units that are asked for their crons or their state at times among crons of one second: all but the last of these fire again in
 * the next stream, and no listing shows it (protocol §2.5).
 */
import { afterAll, describe, expect, it } from 'vitest'
import type { Report } from '../../src/report/model.ts'
import { closeUnits } from './cu.ts'
import { audited, processOf } from './run.ts'
import { OFFICIAL_PATH } from './scenario.ts'
import { type Ask, runHonestUnit, type UnitAnswers } from './unit.ts'

const BEGIN = 1_720_000_000_000
const CRONS = [
  ['Cron-Interval', '1-minute'],
  ['Cron-Tag-Do', 'send 1'],
  ['Cron-Interval', '30-seconds'],
  ['Cron-Tag-Do', 'send 1']
] as const
/** Both crons fire 60 seconds after the process was taken, and again 60 seconds later. */
const seconds = (...times: readonly number[]): Ask[] => times.map((time) => ({ time: BEGIN + time * 1000 }))

async function unitOf(messages: readonly string[], asked: readonly Ask[]) {
  const small = await processOf({ format: 'wasm32-unknown-emscripten4', messages, crons: CRONS, intervalMs: 42_540 })
  const settings = { path: OFFICIAL_PATH, zone: 'UTC', duplicates: 'number', remembers: true, checkpoints: [] } as const
  return { small, answers: await runHonestUnit(small, { ...settings, asked: [...asked, { nonce: messages.length }] }) }
}

async function auditOf(messages: readonly string[], asked: readonly Ask[], told = (answers: UnitAnswers) => answers) {
  const { small, answers } = await unitOf(messages, asked)
  return audited([{ ...small, ...told(answers) }])
}

const blamed = ({ findings }: Report) => findings.filter(({ severity }) => severity === 'error').map(({ code }) => code)

describe('a unit with two crons in one second', { timeout: 600_000 }, () => {
  afterAll(closeUnits)

  it.each([
    ['once among them', seconds(63)],
    ['twice among them', seconds(63, 64)],
    ['three times among them', seconds(62, 63, 64)],
    ['among them in two minutes', seconds(63, 123)],
    ['at the second itself', seconds(60.999, 121.5)]
  ])('is a match if it was asked %s', async (_, asked) => {
    const report = await auditOf(['count', 'count', 'count', 'count'], asked)
    expect([report.verdict, blamed(report)]).toEqual(['match', []])
  })

  it('is not accused if they fired again more often than the search tries', async () => {
    const report = await auditOf(['count', 'count', 'count', 'count'], seconds(62, 63, 64, 65, 66))
    expect([report.verdict, blamed(report)]).toEqual(['inconclusive', []])
  })

  it('is not accused if it was asked every few seconds', async () => {
    const every = Array.from({ length: 60 }, (_, place) => 44 + place * 5)
    const messages = ['count', 'echo hi', 'count', 'count', 'send 2', 'count', 'count', 'count']
    const report = await auditOf(messages, seconds(...every))
    expect([report.verdict === 'mismatch', blamed(report)]).toEqual([false, []])
  })

  it('is blamed for a false result that does not depend on them', async () => {
    const lie = (answers: UnitAnswers) =>
      JSON.parse(JSON.stringify(answers).replaceAll('"Output":"hi"', '"Output":"ho"')) as UnitAnswers
    const report = await auditOf(['count', 'count', 'echo hi', 'count'], seconds(63), lie)
    expect([report.verdict, report.firstDivergence?.key.ordinate]).toEqual(['mismatch', 3])
  })
})
