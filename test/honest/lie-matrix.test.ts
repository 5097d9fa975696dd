/**
 * Every lie in one place: each field of each evaluation of two small processes is altered, one at a time, in a unit's answers. None
 * may end in `match` except for the reasons below.
 *
 * Several liars are audited at once, each at a URL of its own, in one store, so that each result is computed once. They are first
 * audited without a search for explanations, which can only add matches, then some of them alone and with the search. `npm test`
 * takes one lie in five; AO_AUDIT_LIES=searched takes all, each with the search. A lie that passes among others is audited again
 * alone.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AuditOptions } from '../../src/audit/audit-options.ts'
import type { Report } from '../../src/report/model.ts'
import type { FakeClaim, FakeListed } from '../fakes/data.ts'
import type { SmallProcess } from '../modules/small-process.ts'
import { type Alteration, alterationsOf, type Result } from './alterations.ts'
import { closeUnits } from './cu.ts'
import type { HonestFormat } from './module.ts'
import { audited, processOf } from './run.ts'
import { OFFICIAL_PATH, type ScenarioMessage } from './scenario.ts'
import { runHonestUnit, type UnitAnswers } from './unit.ts'

/** Number of liars in one audit. */
const TOGETHER = 16
const ALL = process.env['AO_AUDIT_LIES'] === 'searched'
/** One lie in this many is audited, and one of those in SEARCHED_EVERY also alone and with the search. */
const EVERY = ALL ? 1 : 5
const SEARCHED_EVERY = ALL ? 1 : 24
/** Patience with slow answers, because an unreachable unit is not a detected liar. */
const PATIENT = { patienceMs: 60_000, waitMinMs: 1, waitMaxMs: 20, idleMs: 30_000 }

interface Subject {
  readonly small: SmallProcess
  readonly honest: UnitAnswers
}

type Answers = Pick<UnitAnswers, 'claims' | 'results' | 'cron'>

interface Lie {
  readonly what: string
  readonly alteration?: Alteration
  readonly answers: Answers
}

interface Exception {
  readonly reason: string
  /** No lie about a result, but no honest unit does it, so a finding must name it. */
  readonly said?: true
  readonly covers: (lie: Lie) => boolean
}

const ordinateOf = (cursor: string) =>
  Number((JSON.parse(Buffer.from(cursor, 'base64').toString()) as { ordinate: string }).ordinate)

const isEmpty = (value: unknown) =>
  value === '' || value === 0 || value === undefined || (Array.isArray(value) && value.length === 0)

/** Alterations that change no statement or are allowed. */
const EXCEPTIONS: readonly Exception[] = [
  {
    reason: 'a Lua table at another address yields its tags in another order: a tolerance as long as no profile is proven',
    covers: ({ alteration }) => alteration?.kind === 'swapped' && /\.Tags\[\d+\]$/.test(alteration.path)
  },
  {
    reason: 'a field that this Compute Unit does not know states nothing about a result',
    said: true,
    covers: ({ alteration }) => alteration?.kind === 'added' && alteration.path === 'Patches'
  },
  {
    reason: 'a listed message after the newest nonce may have been sent since',
    covers: ({ what, answers: { claims, results } }) =>
      what.endsWith("its cursor's ordinate changed") && results.some(({ cursor }) => ordinateOf(cursor) > claims.length)
  },
  {
    reason: 'a missing field means an empty one, and it is empty',
    covers: ({ alteration }) => alteration?.kind === 'removed' && isEmpty(alteration.was)
  },
  {
    reason: 'another answer of the unit contains the result that one listing leaves out',
    covers: ({ what }) => /^(listed|cron-listed) .*: the edge dropped, and said elsewhere$/.test(what)
  }
]

const MESSAGES: readonly ScenarioMessage[] = ['full', 'count', 'error', 'order', 'num 7', 'echo text', 'send 2']
const CRONS = [
  ['Cron-Interval', '60-seconds'],
  ['Cron-Tag-Do', 'send 1']
] as const

async function subjectOf(
  format: HonestFormat,
  messages: readonly ScenarioMessage[],
  crons: readonly (readonly [string, string])[]
) {
  const small = await processOf({ format, messages, crons, intervalMs: crons.length > 0 ? 25_000 : 1500 })
  const asked = messages.map((_, place) => ({ nonce: place + 1 }))
  const settings = { path: OFFICIAL_PATH, zone: 'UTC', duplicates: 'number', remembers: true, checkpoints: [] } as const
  return { small, honest: await runHonestUnit(small, { ...settings, asked }) }
}

async function auditAll({ small }: Subject, all: readonly Answers[], options: Partial<AuditOptions>): Promise<Report> {
  const networks = all.map((answers) => ({ ...small, ...answers }))
  const report = await audited(networks, { fetchLimits: PATIENT, ...options })
  expect(report.unreachable).toEqual([])
  return report
}

/** The lies that ended in `match`. */
async function passed(subject: Subject, lies: readonly Lie[]): Promise<string[]> {
  const store = mkdtempSync(path.join(tmpdir(), 'ao-audit-lies-'))
  const alone = async ({ answers }: Lie, options: Partial<AuditOptions>) =>
    (await auditAll(subject, [answers], options)).verdict === 'match'
  const through: string[] = []
  try {
    for (let from = 0; from < lies.length; from += TOGETHER) {
      const together = lies.slice(from, from + TOGETHER)
      const report = await auditAll(
        subject,
        together.map(({ answers }) => answers),
        { search: false, store }
      )
      const units = report.claimants.filter(({ kind }) => kind === 'compute-unit')
      expect(units.length).toBe(together.length)
      for (const [place, lie] of together.entries()) {
        const plain = units[place]?.verdict === 'match' && (await alone(lie, { search: false, store }))
        const searched = !plain && (from + place) % SEARCHED_EVERY === 0 && (await alone(lie, {}))
        if (plain || searched) through.push(lie.what)
      }
    }
  } finally {
    rmSync(store, { recursive: true, force: true })
  }
  return through
}

const lieAbout = (lies: readonly Lie[]) =>
  lies.filter((lie) => !EXCEPTIONS.some(({ covers }) => covers(lie))).filter((_, place) => place % EVERY === 0)

/** The lies about each result, in all answers, in `/result` alone or in the listings alone. */
function* lies({ small, honest }: Subject): Generator<Lie> {
  const { claims, results, cron } = honest
  for (const listed of results) {
    const { ordinate, cron: name } = JSON.parse(Buffer.from(listed.cursor, 'base64').toString()) as {
      ordinate: string
      cron: string | null
    }
    const place = `${ordinate}${name === null ? '' : ` ${name}`}`
    const id = name === null && ordinate !== '0' ? small.messageIds[Number(ordinate)] : undefined
    const claim = claims.find((one) => one.id === id)
    const edges = (of: readonly FakeListed[], by: FakeListed[]) =>
      of.flatMap((one) => (one.cursor === listed.cursor ? by : [one]))
    const putResult = (value: unknown): FakeClaim[] => claims.map((one) => (one.id === id ? { ...one, result: value } : one))
    const putListed = (value: unknown) => {
      const edge = { ...listed, node: withoutGas(value) }
      return { results: edges(results, [edge]), cron: edges(cron, [edge]) }
    }
    for (const alteration of alterationsOf((claim?.result ?? listed.node) as Result)) {
      const { what, value } = alteration
      const all = {
        claims: claim === undefined ? claims : putResult(value),
        ...(listed.hidden === true ? { results, cron } : putListed(value))
      }
      yield { what: `all of ${place}: ${what}`, alteration, answers: all }
      if (claim !== undefined && alteration.kind === 'changed')
        yield { what: `result of ${place}: ${what}`, alteration, answers: { claims: putResult(value), results, cron } }
    }
    if (listed.hidden === true) {
      const edge = { node: withoutGas(claim?.result), cursor: listed.cursor }
      yield {
        what: `listed ${place}: the failed one listed, its Error left out`,
        answers: { claims, results: edges(results, [{ ...edge, node: { ...edge.node, Error: undefined } }]), cron }
      }
      continue
    }
    for (const alteration of alterationsOf(listed.node as Result))
      if (alteration.kind === 'changed' && claim !== undefined)
        yield { what: `listed ${place}: ${alteration.what}`, alteration, answers: { claims, ...putListed(alteration.value) } }
    yield { what: `listed ${place}: the edge doubled`, answers: { claims, results: edges(results, [listed, listed]), cron } }
    for (const [field, by] of [
      ['timestamp', 1],
      ['ordinate', 1]
    ] as const)
      yield {
        what: `listed ${place}: its cursor's ${field} changed`,
        answers: { claims, results: edges(results, [{ ...listed, cursor: moved(listed.cursor, field, by) }]), cron }
      }
    const elsewhere = claim !== undefined ? ', and said elsewhere' : ''
    yield {
      what: `listed ${place}: the edge dropped${elsewhere}`,
      answers: { claims, results: edges(results, []), cron: edges(cron, []) }
    }
    if (name !== null)
      yield {
        what: `cron-listed ${place}: the edge dropped, and said elsewhere`,
        answers: { claims, results, cron: edges(cron, []) }
      }
  }
  for (const claim of claims)
    yield {
      what: `result of ${small.messageIds.indexOf(claim.id)}: answered 404, and left out of the listing`,
      answers: {
        claims: claims.filter((one) => one !== claim),
        results: withoutNonce(results, small.messageIds.indexOf(claim.id)),
        cron
      }
    }
}

function withoutGas(value: unknown): Record<string, unknown> {
  const { GasUsed: _, ...rest } = value as Record<string, unknown>
  return rest
}

function withoutNonce(results: readonly FakeListed[], nonce: number): FakeListed[] {
  return results.filter(({ cursor }) => {
    const { ordinate, cron } = JSON.parse(Buffer.from(cursor, 'base64').toString()) as { ordinate: string; cron: string | null }
    return cron !== null || ordinate !== String(nonce)
  })
}

function moved(cursor: string, field: 'timestamp' | 'ordinate', by: number): string {
  const read = JSON.parse(Buffer.from(cursor, 'base64').toString()) as Record<string, unknown>
  const value = Number(read[field]) + by
  return Buffer.from(JSON.stringify({ ...read, [field]: field === 'ordinate' ? String(value) : value })).toString('base64')
}

describe('a lie in one place', { timeout: 1_200_000 }, () => {
  let plain: Subject
  let metered: Subject
  beforeAll(async () => {
    plain = await subjectOf('wasm32-unknown-emscripten4', MESSAGES, CRONS)
    metered = await subjectOf('wasm32-unknown-emscripten-metering', ['count', 'full', 'error', 'send 1'], [])
  })
  afterAll(closeUnits)

  it('is made in answers that are a match without it', async () => {
    for (const subject of [plain, metered]) expect((await auditAll(subject, [subject.honest], {})).verdict).toBe('match')
    expect(plain.honest.cron.length).toBeGreaterThan(1)
  })

  it('never passes as a match in a process with crons', async () => {
    const all = [...lies(plain)]
    expect(all.length).toBeGreaterThan(300)
    expect(await passed(plain, lieAbout(all))).toEqual([])
  })

  it('never passes as a match in a metered process, even about gas', async () => {
    const all = [...lies(metered)]
    expect(await passed(metered, lieAbout(all))).toEqual([])
  })

  it('is reported in a finding if it is allowed though no honest unit does it', async () => {
    const told = ({ findings }: Report) => findings.filter(({ attribution }) => attribution === 'compute-unit').length
    const honest = told(await auditAll(metered, [metered.honest], { search: false }))
    for (const { covers } of EXCEPTIONS.filter((one) => one.said === true)) {
      const [lie] = [...lies(metered)].filter(covers)
      if (lie === undefined) throw new Error('no such alteration')
      const found = told(await auditAll(metered, [lie.answers], { search: false }))
      expect([lie.what, found > honest]).toEqual([lie.what, true])
    }
  })

  it('is allowed only for declared reasons, each of which occurs', () => {
    const all = [...lies(plain), ...lies(metered)]
    for (const { reason, covers } of EXCEPTIONS) expect([reason, all.some(covers)]).toEqual([reason, true])
  })
})
