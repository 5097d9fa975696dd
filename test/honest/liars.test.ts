/** Liars who exploit and combine tolerances that honest units need. None may end in `match`. */
import { createHash } from 'node:crypto'
import { afterAll, describe, expect, it } from 'vitest'
import type { Report } from '../../src/report/model.ts'
import { cursorOf, type FakeClaim, type FakeListed, type FakeTransaction } from '../fakes/data.ts'
import type { SmallProcess } from '../modules/small-process.ts'
import { closeUnits, environmentWith } from './cu.ts'
import type { HonestFormat } from './module.ts'
import { addressOf, audited, processOf, publishedCheckpoint } from './run.ts'
import { OFFICIAL_PATH, type ScenarioMessage } from './scenario.ts'
import { type Ask, runHonestUnit, type UnitAnswers, type UnitSettings } from './unit.ts'

const FORMAT = 'wasm32-unknown-emscripten4'
const HONEST: Omit<UnitSettings, 'asked'> = {
  path: OFFICIAL_PATH,
  zone: 'UTC',
  duplicates: 'number',
  remembers: true,
  checkpoints: []
}

interface Told {
  readonly small: SmallProcess
  readonly honest: UnitAnswers
}

async function told(
  messages: readonly ScenarioMessage[],
  { format = FORMAT, asked, ...settings }: Partial<UnitSettings> & { readonly format?: HonestFormat } = {}
): Promise<Told> {
  const small = await processOf({ format, messages, crons: [], intervalMs: 1500 })
  const stepwise = messages.map((_, place): Ask => ({ nonce: place + 1 }))
  return { small, honest: await runHonestUnit(small, { ...HONEST, ...settings, asked: asked ?? stepwise }) }
}

type Answers = Pick<UnitAnswers, 'claims' | 'results' | 'cron'>

/** The unit's answers with other Outputs for some nonces, in `/result` and in the listing. */
function saying({ small, honest }: Told, outputs: Readonly<Record<number, string>>): Answers {
  const nonceOf = (cursor: string) =>
    Number((JSON.parse(Buffer.from(cursor, 'base64').toString()) as { ordinate: string }).ordinate)
  const put = (value: unknown, nonce: number) => {
    const output = outputs[nonce]
    return output === undefined ? value : { ...(value as object), Output: output }
  }
  return {
    claims: honest.claims.map((one): FakeClaim => ({ ...one, result: put(one.result, small.messageIds.indexOf(one.id)) })),
    results: honest.results.map((one): FakeListed => ({ ...one, node: put(one.node, nonceOf(one.cursor)) })),
    cron: honest.cron
  }
}

async function verdictOf(
  { small }: Told,
  answers: Answers,
  published: readonly FakeTransaction[] = []
): Promise<Report['verdict']> {
  const transactions = [...small.transactions, ...published]
  return (await audited([{ ...small, ...answers, transactions, address: addressOf('liar') }])).verdict
}

const outputOf = (claim: FakeClaim | undefined) => (claim?.result as { readonly Output: string } | undefined)?.Output ?? ''
const times = <T>(count: number, make: (place: number) => T) => Array.from({ length: count }, (_, place) => make(place))

/** A unit that counts, its checkpoint after the fourth message, and that memory with another count in it. */
async function withFalseMemory(messages: number) {
  const { small, honest } = await told(
    times(messages, () => 'count'),
    { checkpoints: [3] }
  )
  const [own] = honest.checkpoints
  if (own === undefined) throw new Error('no checkpoint')
  const memory = Buffer.from(own.memory)
  memory.writeBigUInt64LE(memory.readBigUInt64LE(1024) + 100n, 1024)
  return { small, honest, own, memory }
}

describe('a liar', { timeout: 300_000 }, () => {
  afterAll(closeUnits)

  it('is no match if it lies after a clock reading about results that do not depend on the clock', async () => {
    const unit = await told(['clock', 'count', 'clock', 'count', 'count'])
    for (const [nonce, output] of [
      [2, '7'],
      [4, '1'],
      [5, '4']
    ] as const)
      expect([nonce, await verdictOf(unit, saying(unit, { [nonce]: output }))]).not.toEqual([nonce, 'match'])
  })

  it('is no match if it claims a clock reading that no instance has', async () => {
    const unit = await told(['clock', 'clock', 'clock', 'count'])
    for (const output of ['10003', '10007', '9', '10004.5'])
      expect([output, await verdictOf(unit, saying(unit, { 3: output }))]).not.toEqual([output, 'match'])
  })

  it('is no match if it chooses one of 2^12 histories by the nonces at which it begins instances', async () => {
    const unit = await told([...times(24, () => 'clock'), 'count'])
    // In each pair the second reading continues or restarts the clock: one bit for each that the liar chooses.
    let clock = 10_004
    const outputs = times(24, (place): [number, string] => {
      if (place === 0 || (place * place + place) % 3 === 0 || place % 5 === 2) clock = 10_004
      else clock++
      return [place + 1, String(clock)]
    })
    expect(await verdictOf(unit, saying(unit, Object.fromEntries(outputs)))).not.toBe('match')
  })

  it('is no match if it hides a chosen history in sums that show only at the end', async () => {
    // The liar chooses instances so that the counter reaches the wanted value, and claims nothing in between.
    const words = [...times(12, () => 'tick'), 'count']
    const small = await processOf({ format: FORMAT, messages: words, crons: [], intervalMs: 1500 })
    const cuts = [2, 3, 5, 6, 7, 9, 11, 13]
    const liar = await runHonestUnit(small, { ...HONEST, asked: cuts.map((nonce) => ({ nonce })) })
    const unit = { small, honest: liar }
    const wanted = Number(outputOf(liar.claims.at(-1))) + 1_000
    expect(await verdictOf(unit, saying(unit, { 13: String(wanted) }))).not.toBe('match')
  })

  it('is no match if it signs a checkpoint of a false memory and answers accordingly', async () => {
    const { small, honest, own, memory } = await withFalseMemory(8)
    const after = await runHonestUnit(small, { ...HONEST, asked: [{ nonce: 8 }], start: { place: own.place, memory } })
    const published = await publishedCheckpoint(small, { place: own.place, memory }, 'liar')
    const spliced = splice(honest, after, small, own.place.ordinate)
    expect(await verdictOf({ small, honest }, spliced, [published])).not.toBe('match')
    expect(await verdictOf({ small, honest }, spliced)).not.toBe('match')
  })

  it('is no match if its answers are true but its own signed checkpoint is false', async () => {
    const { small, honest, own, memory } = await withFalseMemory(6)
    const published = await publishedCheckpoint(small, { place: own.place, memory }, 'liar')
    expect(await verdictOf({ small, honest }, honest, [published])).not.toBe('match')
  })

  it.each<[string, (sha256: string) => Record<string, string>]>([
    ['whose hash is in capitals', (sha256) => ({ 'SHA-256': sha256.toUpperCase() })],
    ['whose nonce has a space after it', () => ({ Nonce: '4 ' })],
    ['of a cron that the process does not have', () => ({ 'Cron-Interval': '0-7-minutes' })],
    ['of a cron that the process does not have, after the last nonce', () => ({ 'Cron-Interval': '0-7-minutes', Nonce: '6' })]
  ])('is inconclusive if it signs a false checkpoint with odd tags: one %s', async (_, tagsOf) => {
    const { small, honest, own, memory } = await withFalseMemory(6)
    const sha256 = createHash('sha256').update(memory).digest('hex')
    const published = await publishedCheckpoint(small, { place: own.place, memory }, 'liar', tagsOf(sha256))
    expect(await verdictOf({ small, honest }, honest, [published])).toBe('inconclusive')
  })

  it('is no match if it answers nothing at a nonce for which a stranger signed a true or false checkpoint', async () => {
    const { small, honest, own, memory } = await withFalseMemory(6)
    const empty = { Messages: [], Assignments: [], Spawns: [], Output: '' }
    const at = own.place.ordinate
    const claims = honest.claims.map((one) => (small.messageIds.indexOf(one.id) === at ? { ...one, result: empty } : one))
    const published = await publishedCheckpoint(small, { place: own.place, memory }, 'a stranger')
    const verdict = await verdictOf({ small, honest }, { ...honest, claims }, [published])
    expect(verdict).not.toBe('match')
    const isTrue = await publishedCheckpoint(small, own, 'a stranger')
    expect(await verdictOf({ small, honest }, { ...honest, claims }, [isTrue])).toBe('inconclusive')
  })

  it('is no match if it signs a checkpoint with an invented environment and answers accordingly', async () => {
    const words = ['count', 'class', 'keepclass', 'count', 'env']
    const path = `/${'never-there/'.repeat(40)}index.js`
    const { small, honest } = await told(words, { path })
    const first = await runHonestUnit(small, { ...HONEST, path, asked: [{ nonce: 1 }], checkpoints: [0] })
    const [own] = first.checkpoints
    if (own === undefined) throw new Error('no checkpoint')
    // No real environment has this name.
    const memory = Buffer.from(own.memory)
    const at = memory.indexOf(environmentWith(path)[0] ?? '')
    memory.write('EVIL', at)
    const published = await publishedCheckpoint(small, { place: own.place, memory }, 'liar')
    expect(await verdictOf({ small, honest }, honest, [published])).not.toBe('match')
  })

  it('is no match if it claims a width of the environment that its other answers refute', async () => {
    const unit = await told(['class', 'count', 'class', 'order', 'class'])
    for (const outputs of [{ 3: '30' }, { 1: '25', 3: '26' }, { 1: '1000', 3: '1000', 5: '1000' }])
      expect([outputs, await verdictOf(unit, saying(unit, outputs))]).not.toEqual([outputs, 'match'])
  })

  it('is no match if it claims a local time that no zone has', async () => {
    const unit = await told(['count', 'local', 'count'])
    for (const output of ['39946', '39907', '31251', '40000'])
      expect([output, await verdictOf(unit, saying(unit, { 2: output }))]).not.toEqual([output, 'match'])
  })

  it('is no match if it claims two local times that no single zone has', async () => {
    const unit = await told(['local', 'count', 'local'], { zone: 'Asia/Tokyo' })
    const elsewhere = await told(['local', 'count', 'local'], { zone: 'Asia/Kolkata' })
    const output = outputOf(elsewhere.honest.claims[2])
    expect(await verdictOf(unit, saying(unit, { 3: output }))).not.toBe('match')
  })

  it('is no match if it leaves out the gas of a metered process', async () => {
    const unit = await told(['count', 'send 2', 'count'], { format: 'wasm32-unknown-emscripten-metering' })
    const claims = unit.honest.claims.map((one): FakeClaim => {
      const { GasUsed: _, ...result } = one.result as Record<string, unknown>
      return { ...one, result }
    })
    expect(await verdictOf(unit, { ...unit.honest, claims })).not.toBe('match')
  })

  it('is no match if it answers only 1, 10 or 19 of 20 messages', async () => {
    const unit = await told(times(20, () => 'count'))
    for (const kept of [1, 10, 19]) {
      const claims = unit.honest.claims.slice(0, kept)
      expect([kept, await verdictOf(unit, { claims, results: unit.honest.results.slice(0, kept + 1), cron: [] })]).not.toEqual([
        kept,
        'match'
      ])
    }
  })

  it('is no match if it lists 2,000 different results of one message', async () => {
    const unit = await told(['count', 'count', 'count'])
    const listed = unit.honest.results[1]
    const many = times(
      2_000,
      (place): FakeListed => ({
        node: { ...(listed?.node as object), Output: String(place) },
        cursor: listed?.cursor ?? ''
      })
    )
    expect(await verdictOf(unit, { ...unit.honest, results: [...unit.honest.results, ...many] })).not.toBe('match')
  })

  it('is no match if it lists an evaluation that does not exist', async () => {
    const unit = await told(['count', 'count'])
    const [first] = unit.honest.results
    // A cursor after the newest nonce would be no lie, because messages may have been sent since.
    const invented: FakeListed = { node: first?.node, cursor: cursorOf(1, 1_720_000_001_600, '0-30-seconds') }
    expect(await verdictOf(unit, { ...unit.honest, results: [...unit.honest.results, invented] })).not.toBe('match')
  })

  it('is no match if it answers a message as if it had been skipped', async () => {
    const unit = await told(['count', 'send 1', 'count', 'count'])
    const EMPTY = { Messages: [], Assignments: [], Spawns: [], Output: '' }
    for (const result of [EMPTY, unit.honest.claims[1]?.result]) {
      const claims = unit.honest.claims.map((one, place) => (place === 2 ? { ...one, result } : one))
      const results = unit.honest.results.filter((_, place) => place !== 3)
      expect(await verdictOf(unit, { claims, results, cron: [] })).not.toBe('match')
    }
  })

  it('is no match if it answers a skipped twin with an invented result', async () => {
    const push = { data: 'count', anchor: 'a'.repeat(32) }
    const unit = await told([{ ...push, pushedBy: 'one' }, 'count', { ...push, pushedBy: 'two' }, 'count'])
    const claims = unit.honest.claims.map((one, place) =>
      place === 2 ? { ...one, result: { Messages: [{ Target: 'evil' }], Assignments: [], Spawns: [], Output: '99' } } : one
    )
    expect(await verdictOf(unit, { ...unit.honest, claims })).not.toBe('match')
  })
})

/** Honest answers up to a nonce, those of another run after it. */
function splice(honest: UnitAnswers, after: UnitAnswers, small: SmallProcess, nonce: number): Answers {
  const ordinateOf = (cursor: string) =>
    Number((JSON.parse(Buffer.from(cursor, 'base64').toString()) as { ordinate: string }).ordinate)
  return {
    claims: [
      ...honest.claims.filter(({ id }) => small.messageIds.indexOf(id) <= nonce),
      ...after.claims.filter(({ id }) => small.messageIds.indexOf(id) > nonce)
    ],
    results: [...honest.results.filter(({ cursor }) => ordinateOf(cursor) <= nonce), ...after.results],
    cron: []
  }
}
