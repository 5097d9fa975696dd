/** Units of a process with crons: the blocks that a unit knew decide which crons fire, and failed crons are not listed. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'
import type { AuditOptions } from '../../src/audit/audit-options.ts'
import type { Snapshot } from '../../src/inputs/snapshot-inputs.ts'
import { type KnownBlockSets, LEGACYNET } from '../../src/replay/profile.ts'
import type { Report } from '../../src/report/model.ts'
import { openStore } from '../../src/store/level-store.ts'
import type { FakeTransaction } from '../fakes/data.ts'
import { startFakeNetwork } from '../fakes/network.ts'
import { signedCheckpoint, signerAddress } from '../modules/checkpoint.ts'
import { answersOf, type CronEvaluation, evaluateWithCrons } from '../modules/cron-unit.ts'
import { compileSmallModule } from '../modules/small-module.ts'
import { type SmallProcess, signedSmallProcess } from '../modules/small-process.ts'

const FORMAT = 'wasm32-unknown-emscripten4'
/** With a block a minute, a unit asked message by message misses some crons, and other ones if it is asked twice. */
const INTERVAL_MS = 45_040
const MESSAGES = 12
const UNIT = signerAddress('unit')
let wasm: Uint8Array
let folder: string
let stores = 0

beforeAll(async () => {
  wasm = await compileSmallModule(FORMAT)
})
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-crons-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A process whose time cron and block cron have these words. */
function processOf(timeWord: string, blockWord = timeWord): Promise<SmallProcess> {
  const processTags = [
    { name: 'Cron-Interval', value: '30-seconds' },
    { name: 'Cron-Tag-Word', value: timeWord },
    { name: 'Cron-Interval', value: '2-blocks' },
    { name: 'Cron-Tag-Word', value: blockWord }
  ]
  const messages = Array.from({ length: MESSAGES }, () => 'count')
  return signedSmallProcess({ format: FORMAT, wasm, messages, processTags, intervalMs: INTERVAL_MS, blockMs: 60_000 })
}

const timesOf = (small: SmallProcess) =>
  small.schedule.map(({ node }) => Number(node.assignment.tags.find(({ name }) => name === 'Timestamp')?.value))

/** The blocks that an honest unit may have known, named by how it was asked. */
const KNOWN = ['stepwise', 'once', 'twice'] as const
function setOf(known: (typeof KNOWN)[number], small: SmallProcess): readonly number[] {
  const times = timesOf(small)
  if (known === 'once') return times.slice(-1)
  return times.flatMap((time, nonce) => (known === 'twice' && (nonce === 3 || nonce === 6) ? [time, time] : [time]))
}

interface Served {
  readonly results?: readonly CronEvaluation[]
  readonly checkpoints?: readonly FakeTransaction[]
}

/** Audits a unit that answers every message, and lists `results` if they are given. */
async function audited(
  small: SmallProcess,
  evaluated: readonly CronEvaluation[],
  { results = evaluated, checkpoints = [] }: Served = {},
  options: Partial<AuditOptions> = {}
): Promise<Report> {
  const transactions = [...small.transactions, ...checkpoints]
  const unit = { ...answersOf(results), claims: answersOf(evaluated).claims, address: UNIT }
  const { url, close } = await startFakeNetwork({ ...small, transactions, ...unit })
  try {
    const units = { scheduler: url, gateways: [url], computes: [url] }
    return await audit({ process: small.process.process_id, ...units, store: path.join(folder, `${++stores}`), ...options })
  } finally {
    await close()
  }
}

/** The memory after a nonce, of a unit that knew these blocks. */
async function checkpointOf(small: SmallProcess, nonce: number, blocks: KnownBlockSets): Promise<FakeTransaction> {
  const kept = path.join(folder, `memory ${nonce}`)
  await audited(small, [], {}, { store: kept, to: nonce, profile: { ...LEGACYNET, blocks }, search: false })
  const store = await openStore(kept)
  try {
    for await (const [, { blob }] of store.list<Snapshot>(['derived', 'snapshot', small.process.process_id])) {
      return await signedCheckpoint({
        of: small,
        nonce,
        memory: gunzipSync(readFileSync(store.blobPath(blob))),
        signer: 'unit'
      })
    }
    throw new Error('the audit kept no memory')
  } finally {
    await store.close()
  }
}

const isCron = ({ key }: CronEvaluation) => key.cron !== undefined
const isListed = ({ result }: CronEvaluation) => result.Error === undefined
const asText = (report: Report) => `${report.verdict}: ${report.reasons.join('; ')}`

it('fires different crons if the unit knew different blocks', async () => {
  const small = await processOf('count')
  const fired = await Promise.all(KNOWN.map((known) => evaluateWithCrons(small, { asked: setOf(known, small) })))
  const blocks = fired.map((evaluated) => evaluated.flatMap(({ key }) => (key.cron === '0-2-blocks' ? [key.ordinate] : [])))
  expect(blocks).toEqual([
    [2, 10],
    [2, 5, 7, 10],
    [2, 7, 10]
  ])
})

describe('an honest unit', { timeout: 600_000 }, () => {
  it.each(
    KNOWN.flatMap(
      (known) =>
        [
          ['count', known],
          ['error', known],
          ['errorat 9', known]
        ] as const
    )
  )('is a match if its crons run "%s" and it was asked %s', async (word, known) => {
    const small = await processOf(word)
    const evaluated = await evaluateWithCrons(small, { asked: setOf(known, small) })
    const report = await audited(small, evaluated)
    expect(asText(report)).toMatch(/^match/)
    expect(report.coverage.compared).toBe(evaluated.filter((one) => !isCron(one) || isListed(one)).length)
  })
})

describe('a listing that leaves out one cron and is true otherwise', { timeout: 900_000 }, () => {
  const cases = [...KNOWN.map((known) => [known, 'count'] as const), ['twice', 'errorat 9'] as const]
  it.each(cases)('leads to no blame of a unit asked %s whose crons run "%s", whichever is missing', async (known, word) => {
    const small = await processOf(word)
    const evaluated = await evaluateWithCrons(small, { asked: setOf(known, small) })
    const crons = evaluated.filter((one) => isCron(one) && isListed(one))
    const chosen = crons.filter(({ key }, place) => key.cron?.includes('blocks') || place % 9 === 4)
    for (const left of chosen) {
      const report = await audited(small, evaluated, { results: evaluated.filter((one) => one !== left) })
      expect(asText(report), JSON.stringify(left.key)).not.toMatch(/^mismatch/)
    }
  })

  it('is explained by a later checkpoint, so that all other claims are judged and a lie is detected', async () => {
    const small = await processOf('count')
    const asked = setOf('twice', small)
    const evaluated = await evaluateWithCrons(small, { asked })
    const left = evaluated.find(({ key }) => key.cron?.includes('seconds') && key.ordinate === 4)
    const checkpoints = [await checkpointOf(small, 6, asked)]
    const results = evaluated.filter((one) => one !== left)
    const report = await audited(small, evaluated, { results, checkpoints })
    expect(asText(report)).not.toMatch(/^mismatch/)
    expect(report.coverage).toMatchObject({ compared: evaluated.length - 1, unclaimed: 1 })
    const lying = evaluated.map((one) => (one.key.ordinate === 9 && !isCron(one) ? lieOf(one) : one))
    const found = await audited(small, lying, { results: lying.filter(({ key }) => key !== left?.key), checkpoints })
    expect([found.verdict, found.firstDivergence?.nonce]).toEqual(['mismatch', 9])
  })
})

const lieOf = (one: CronEvaluation): CronEvaluation => ({ ...one, result: { Output: '99' } })

describe('a listing that ends early', { timeout: 900_000 }, () => {
  it.each(KNOWN.flatMap((known) => [0, 9, 20].map((count) => [known, count] as const)))(
    'is reported, and a unit that was asked %s and lists %i evaluations is judged by its answers',
    async (known, count) => {
      const small = await processOf('count')
      const evaluated = await evaluateWithCrons(small, { asked: setOf(known, small) })
      const report = await audited(small, evaluated, { results: evaluated.slice(0, count) })
      expect(asText(report)).not.toMatch(/^mismatch/)
      expect(report.findings.map(({ code }) => code)).toContain('LISTING_ENDS_EARLY')
      const messages = new Set(evaluated.filter((one, place) => !isCron(one) || place < count))
      if (known === 'once') expect(report.coverage.compared).toBe(messages.size)
      else expect(report.coverage.compared).toBeGreaterThanOrEqual(MESSAGES)
    }
  )
})

describe('a lie of a unit with crons', { timeout: 900_000 }, () => {
  it.each(KNOWN)('is detected in a message and in a cron if the unit was asked %s', async (known) => {
    for (const word of ['count', 'error']) {
      const small = await processOf(word)
      const evaluated = await evaluateWithCrons(small, { asked: setOf(known, small) })
      const about = (place: number) =>
        audited(small, evaluated.with(place, lieOf(evaluated[place] ?? (evaluated[0] as CronEvaluation))))
      const message = evaluated.findIndex((one) => one.key.ordinate === 7 && !isCron(one))
      const report = await about(message)
      expect([asText(report), report.firstDivergence?.nonce]).toEqual([expect.stringMatching(/^mismatch/), 7])
      // Honest units do not list crons that failed.
      const cron = evaluated.findIndex(({ key }) => key.cron?.includes('seconds') && key.ordinate === 5)
      const other = await about(cron)
      expect([asText(other), other.firstDivergence?.key]).toEqual([expect.stringMatching(/^mismatch/), evaluated[cron]?.key])
    }
  })
})

describe('a range that ends at an earlier nonce', { timeout: 900_000 }, () => {
  it('has the same statuses as the whole range, up to its end', async () => {
    const small = await processOf('errorat 9')
    const evaluated = await evaluateWithCrons(small, { asked: setOf('twice', small) })
    const statusesTo = async (to: number) => {
      const lines: string[] = []
      const onPass = () => void lines.splice(0)
      const onEvaluation: AuditOptions['onEvaluation'] = ({ key }, [stand]) =>
        void lines.push(`${key.ordinate} ${key.cron ?? ''} ${key.timestamp} ${stand?.status}`)
      const report = await audited(small, evaluated, {}, { to, onPass, onEvaluation })
      expect(asText(report)).toMatch(/^match/)
      return lines
    }
    const whole = await statusesTo(MESSAGES)
    for (let to = 0; to < MESSAGES; to++) {
      const part = await statusesTo(to)
      expect(part).toEqual(whole.slice(0, part.length))
      expect(part.at(-1)).toMatch(new RegExp(`^${to}  `))
    }
  })
})

describe('crons whose results contain the height of the block', { timeout: 900_000 }, () => {
  it.each(KNOWN)('lead to no accusation of a unit that was asked %s', async (known) => {
    const small = await signedSmallProcess({
      format: FORMAT,
      wasm,
      messages: Array.from({ length: MESSAGES }, () => 'count'),
      processTags: [
        { name: 'Cron-Interval', value: '30-seconds' },
        { name: 'Cron-Tag-Word', value: 'height' }
      ],
      intervalMs: INTERVAL_MS,
      blockMs: 60_000
    })
    const evaluated = await evaluateWithCrons(small, { asked: setOf(known, small) })
    expect(asText(await audited(small, evaluated))).not.toMatch(/^mismatch/)
  })
})

it('judges each of two units by the blocks that it knew', { timeout: 120_000 }, async () => {
  const small = await processOf('count')
  const [first, second] = await Promise.all(
    (['stepwise', 'once'] as const).map(async (known) => {
      const answers = answersOf(await evaluateWithCrons(small, { asked: setOf(known, small) }))
      return startFakeNetwork({ ...small, ...answers, address: UNIT })
    })
  )
  if (first === undefined || second === undefined) throw new Error('no units')
  try {
    const units = { scheduler: first.url, gateways: [first.url], computes: [first.url, second.url] }
    const report = await audit({ process: small.process.process_id, ...units, store: path.join(folder, 'two') })
    expect(report.claimants.map(({ verdict }) => verdict)).toEqual(['match', 'match'])
  } finally {
    await first.close()
    await second.close()
  }
})
