/** Checkpoints beside a unit's claims, its own and strangers', and how a replay judges them. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'
import type { AuditOptions } from '../../src/audit/audit-options.ts'
import { readCheckpoints } from '../../src/audit/checkpoints/judge-checkpoints.ts'
import { parseProcessId } from '../../src/audit/config.ts'
import { createInputs } from '../../src/inputs/inputs.ts'
import type { Snapshot } from '../../src/inputs/snapshot-inputs.ts'
import { createFingerprint } from '../../src/memory/fingerprint.ts'
import type { TransactionRecord } from '../../src/model/records.ts'
import { type ExecutionProfile, LEGACYNET, LOADER_0_0_49 } from '../../src/replay/profile.ts'
import type { Report } from '../../src/report/model.ts'
import { openStore } from '../../src/store/level-store.ts'
import { createTrust } from '../../src/verify/trust.ts'
import { createVerifier } from '../../src/verify/verification-threads.ts'
import type { FakeClaim, FakeTransaction } from '../fakes/data.ts'
import { startFakeNetwork } from '../fakes/network.ts'
import { signedCheckpoint, signerAddress } from '../modules/checkpoint.ts'
import { compileSmallModule, PATTERN_OFFSET } from '../modules/small-module.ts'
import { type SmallProcess, signedSmallProcess } from '../modules/small-process.ts'

const FORMAT = 'wasm32-unknown-emscripten4'
/** The first word writes the environment to the memory, so that the memory shows its profile. */
const WORDS = ['env', 'count', 'count', 'clock', 'clock', 'count']
const UNIT = signerAddress('unit')
const STRANGER = signerAddress('stranger')
let small: SmallProcess
let folder: string
let stores = 0

beforeAll(async () => {
  const wasm = await compileSmallModule(FORMAT)
  small = await signedSmallProcess({ format: FORMAT, wasm, messages: WORDS })
})
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-checkpoints-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const result = (Output: string) => ({ Messages: [], Assignments: [], Spawns: [], Output, GasUsed: 0 })
const ENVIRONMENT = LEGACYNET.environment.map((text) => `${text}\n`).join('')
const ANSWERS = [ENVIRONMENT, '1', '2', '10004', '10005', '3']

function claims(answers: readonly (string | undefined)[]): FakeClaim[] {
  return answers.map((output, place) => {
    const id = small.messageIds[place + 1] ?? ''
    return output === undefined ? { id, status: 404, result: { error: 'gone' } } : { id, status: 200, result: result(output) }
  })
}

async function audited(
  checkpoints: readonly FakeTransaction[],
  options: Partial<AuditOptions> = {},
  answers: readonly (string | undefined)[] = ANSWERS
): Promise<Report> {
  const transactions = [...small.transactions, ...checkpoints]
  const { url, close } = await startFakeNetwork({ ...small, transactions, claims: claims(answers), address: UNIT })
  try {
    const units = { scheduler: url, gateways: [url], computes: [url] }
    return await audit({ process: small.process.process_id, ...units, store: path.join(folder, `${++stores}`), ...options })
  } finally {
    await close()
  }
}

/** The memory after a nonce, as an honest unit that began its instances there has it: taken from the store of an audit. */
async function memoryAfter(nonce: number, profile: Partial<ExecutionProfile> = {}): Promise<Buffer> {
  const kept = path.join(folder, `memory ${nonce}`)
  await audited([], { store: kept, to: nonce, profile: { ...LEGACYNET, ...profile }, search: false })
  const store = await openStore(kept)
  try {
    for await (const [, { blob }] of store.list<Snapshot>(['derived', 'snapshot', small.process.process_id])) {
      return gunzipSync(readFileSync(store.blobPath(blob)))
    }
    throw new Error('the audit kept no memory')
  } finally {
    await store.close()
  }
}

function altered(memory: Buffer, ...offsets: readonly number[]): Buffer {
  const other = Buffer.from(memory)
  for (const offset of offsets) other[offset] = (other[offset] ?? 0) ^ 0xff
  return other
}

const hashOf = (memory: Uint8Array) => createHash('sha256').update(memory).digest('hex')
function fingerprintOf(memory: Uint8Array): string {
  const made = createFingerprint()
  made.update(memory)
  return made.digest()
}

const signed = (nonce: number, memory: Uint8Array, signer: string) => signedCheckpoint({ of: small, nonce, memory, signer })
const statuses = ({ checkpoints }: Report) => Object.fromEntries(checkpoints.map(({ signer, status }) => [signer, status]))
const verdicts = ({ claimants }: Report) =>
  claimants.map(({ kind, audited: is, verdict }) => [kind, is, verdict].join(' ')).sort()
const codes = ({ findings }: Report) => findings.filter(({ severity }) => severity !== 'info').map(({ code }) => code)

describe('a checkpoint', { timeout: 60_000 }, () => {
  it("is judged by itself and leaves the unit's verdict alone if a stranger signed it", async () => {
    const memory = await memoryAfter(3)
    const own = await signed(3, memory, 'unit')
    const strange = await signed(3, altered(memory, PATTERN_OFFSET + 5, 70_000, 4_000), 'stranger')
    const report = await audited([own, strange])
    expect(report.verdict).toBe('match')
    expect(verdicts(report)).toEqual([
      'checkpoint-signer false match',
      'checkpoint-signer false mismatch',
      'compute-unit true match'
    ])
    expect(statuses(report)).toEqual({ [UNIT]: 'match', [STRANGER]: 'mismatch' })
    const difference = report.checkpoints.find(({ signer }) => signer === STRANGER)?.memory
    expect(difference).toMatchObject({
      bytesA: memory.length,
      bytesB: memory.length,
      differingPages: 3,
      differingBytes: 3,
      cut: 0
    })
    expect(difference?.ranges.map(({ offset, length, place }) => [offset, length, place])).toEqual([
      [4_000, 1, 'data'],
      [70_000, 1, 'stack'],
      [PATTERN_OFFSET + 5, 1, 'heap']
    ])
    const [last] = difference?.ranges.slice(-1) ?? []
    expect(last?.b.hex).toBe(memory.subarray(PATTERN_OFFSET + 5 - 16, PATTERN_OFFSET + 6 + 16).toString('hex'))
    expect(report.checkpoints.find(({ signer }) => signer === UNIT)?.memory).toBeUndefined()
    expect(codes(report)).toEqual(['CHECKPOINT_STATE_MISMATCH'])
  })

  it('is no mismatch while the Compute Unit is away, because it may be its own', async () => {
    const strange = await signed(3, altered(await memoryAfter(3), 70_000), 'stranger')
    const away = 'http://127.0.0.1:1'
    const report = await audited([strange], { computes: [away], fetchLimits: { patienceMs: 300 } })
    expect(verdicts(report)).toEqual(['checkpoint-signer false inconclusive', 'compute-unit true inconclusive'])
    expect(statuses(report)).toEqual({ [STRANGER]: 'unverified' })
    expect(report.findings.filter(({ attribution }) => attribution === 'checkpoint-signer')).toEqual([
      expect.objectContaining({
        code: 'CHECKPOINT_STATE_MISMATCH',
        severity: 'warning',
        detail: expect.stringMatching(
          /; that may have an honest reason: no claim of http:\/\/127\.0\.0\.1:1 could be compared$/
        )
      })
    ])
  })

  it('accuses only a signer who is a Compute Unit that answered, if another one is away', async () => {
    const memory = altered(await memoryAfter(3), 70_000)
    const [own, strange] = [await signed(3, memory, 'unit'), await signed(3, memory, 'stranger')]
    const network = await startFakeNetwork({ ...small, claims: claims(ANSWERS), address: UNIT })
    try {
      const computes = [network.url, 'http://127.0.0.1:1']
      const report = await audited([own, strange], { computes, fetchLimits: { patienceMs: 300 } })
      expect(statuses(report)[STRANGER]).toBe('unverified')
      expect(statuses(report)[UNIT]).toBe((await audited([own, strange], { computes: [network.url] })).checkpoints[0]?.status)
    } finally {
      await network.close()
    }
  })

  it('is known by its memory once it is unpacked, if the memory agrees with its tags', async () => {
    const memory = await memoryAfter(2)
    const other = altered(memory, 70_000)
    const spoilt = { ...(await signed(2, memory, 'spoilt')), data: gzipSync(other).toString('base64') }
    const directory = path.join(folder, 'known')
    await audited([await signed(2, memory, 'unit'), await signed(2, other, 'stranger'), spoilt], { store: directory })
    const store = await openStore(directory)
    const verifier = createVerifier()
    try {
      const inputs = createInputs(store)
      const [run] = await inputs.runs.all(parseProcessId(small.process.process_id))
      if (run === undefined) throw new Error('the audit kept no run')
      const checkpoints = await readCheckpoints(store, inputs, run, verifier, createTrust([], []))
      const at = (ordinate: number) => checkpoints.unpacked({ ordinate, timestamp: 0 })
      expect(at(2)).toEqual([])
      await checkpoints.all()
      const known = [memory, other].map((one) => ({ fingerprint: fingerprintOf(one), sha256: hashOf(one) }))
      expect(new Set(at(2))).toEqual(new Set(known))
      expect(at(3)).toEqual([])
    } finally {
      await verifier.close()
      await store.close()
    }
  })

  it('shows the profile even after the replay began, and no evaluation is judged under another profile', async () => {
    const passesOf = async (nonce: number, shown: ExecutionProfile, answers?: readonly string[]) => {
      const judged: (number | undefined)[] = []
      let passes = 0
      const own = await signed(nonce, await memoryAfter(nonce, shown), 'unit')
      const onPass = () => void passes++
      const onEvaluation: AuditOptions['onEvaluation'] = ({ nonce }) => void judged.push(nonce)
      const { verdict, profile } = await audited([own], { onPass, onEvaluation }, answers)
      return { verdict, name: profile?.name, passes, judged }
    }
    const judged = [0, 1, 2, 3, 4, 5, 6]
    const asBegun = await passesOf(3, LEGACYNET)
    expect(asBegun).toEqual({ verdict: 'match', name: 'legacynet', passes: 1, judged })
    const other = await passesOf(2, LOADER_0_0_49, ['', ...ANSWERS.slice(1)])
    expect(other).toEqual({ verdict: 'match', name: 'loader-0.0.49', passes: 2, judged })
  })

  it('is counted in the report if its memory was not compared byte by byte', async () => {
    const memory = await memoryAfter(2)
    const strange = [1, 2, 3, 4, 5].map((place) => signed(2, altered(memory, 200_000 + place), `stranger ${place}`))
    const report = await audited(await Promise.all(strange))
    expect(report.checkpoints.filter((one) => one.memory !== undefined)).toHaveLength(4)
    expect(report.notChecked).toContain('the place at which the memory of 1 further checkpoint differs')
  })

  it('is reached by an instance that began at a nonce without a claim', async () => {
    const own = await signed(5, await memoryAfter(5, { instances: [5] }), 'unit')
    const report = await audited(
      [own],
      { minCoverage: 80 },
      ANSWERS.map((answer, place) => (place === 4 ? undefined : answer))
    )
    expect([report.verdict, statuses(report)[UNIT]]).toEqual(['match', 'match'])
    expect(report.profile?.instancesTried).toBeGreaterThan(0)
  })

  it("blames nobody and rules out a match if it is the unit's own and no past explains it", async () => {
    const own = await signed(5, altered(await memoryAfter(5), 200_000), 'unit')
    const report = await audited([own])
    expect([report.verdict, statuses(report)[UNIT]]).toEqual(['inconclusive', 'unverified'])
    expect(report.reasons[0]).toContain(`its own checkpoint ${own.id} differs from the memory after nonce 5`)
  })

  it("rules out a match if it is the unit's own and its data contradicts its tags", async () => {
    const memory = await memoryAfter(5)
    const hash = createHash('sha256').update(memory).digest('hex')
    const tags = { 'SHA-256': hash }
    const own = await signedCheckpoint({ of: small, nonce: 5, memory: altered(memory, 200_000), signer: 'unit', tags })
    const report = await audited([own])
    expect([report.verdict, statuses(report)[UNIT]]).toEqual(['inconclusive', 'unverified'])
    expect(report.reasons[0]).toContain(`the data of its own checkpoint ${own.id} does not match its tags`)
  })
})

describe('an audit that starts at a checkpoint', { timeout: 60_000 }, () => {
  it("judges the nonces after the unit's own checkpoint and names the checkpoint that it trusts", async () => {
    const own = await signed(2, await memoryAfter(2), 'unit')
    const start = { checkpoint: own.id }
    const report = await audited([own], { start, stateHashes: 'last' })
    expect([report.verdict, report.range, report.start]).toEqual([
      'match',
      { from: 3, to: 6 },
      { checkpoint: own.id, nonce: 2, signer: UNIT }
    ])
    expect(report.trusted).toEqual([
      expect.stringMatching(
        new RegExp(
          `^the memory after nonce 2 is that of checkpoint ${own.id}, signed by ${UNIT}, the address of http://\\S+: its own word$`
        )
      )
    ])
    expect(report.notChecked).toContain('nonces 0 to 2: the replay began after them')
    expect(codes(report)).toEqual(['TRUST_LOWERED'])
    const whole = await audited([own], { stateHashes: 'last' })
    expect(report.stateHashes).toEqual(whole.stateHashes)
    const differs = await audited([own], { start }, ANSWERS.with(2, '7'))
    expect([differs.verdict, differs.firstDivergence?.nonce]).toEqual(['mismatch', 3])
  })

  it("blames nobody for a claim that depends on the clock, or if the checkpoint is a stranger's", async () => {
    const memory = await memoryAfter(4)
    const own = await signed(4, memory, 'unit')
    const clock = await audited([own], { start: { checkpoint: own.id } }, ANSWERS.with(4, '10099'))
    expect([clock.verdict, clock.firstDivergence]).toEqual(['inconclusive', null])
    const lie = await signed(4, altered(memory, 1024), 'stranger')
    const strange = await audited([lie], { start: { checkpoint: lie.id } })
    expect([strange.verdict, strange.firstDivergence]).toEqual(['inconclusive', null])
  })

  it('is inconclusive if the checkpoint is missing, and refused if it lies after the range', async () => {
    const own = await signed(6, await memoryAfter(6), 'unit')
    const without = await audited([own], { start: { checkpoint: small.moduleId } })
    expect([without.verdict, without.findings.map(({ code }) => code)]).toEqual(['inconclusive', ['INPUT_MISSING']])
    await expect(audited([own], { start: { checkpoint: own.id } })).rejects.toMatchObject({ code: 'USAGE' })
  })
})

describe('a list of checkpoints from gateways', { timeout: 120_000 }, () => {
  const notRead = ({ findings }: Report) =>
    findings.filter(({ code }) => code === 'CHECKPOINT_NOT_READ').map(({ count, detail }) => [count, detail])
  const memory = Buffer.from('no memory at all')

  it('counts the unreadable checkpoints by reason and still finds the readable one after them', async () => {
    const own = await signed(3, await memoryAfter(3), 'unit')
    const faulty = [{ Nonce: 'undefined', Epoch: 'NaN' }, { 'SHA-256': undefined }, { Timestamp: 'NaN' }]
    const unreadable = await Promise.all(
      Array.from({ length: 66 }, async (_, place) => {
        const tags = { ...faulty[place % 3], 'Unit-Identifier': String(place) }
        const one = await signedCheckpoint({ of: small, nonce: 2, memory, signer: 'unit', tags })
        return { ...one, height: 1_600_000 }
      })
    )
    const report = await audited([...unreadable, own])
    expect([report.verdict, report.checkpoints.map(({ id }) => id)]).toEqual(['match', [own.id]])
    expect(notRead(report).sort((left, right) => String(left).localeCompare(String(right)))).toEqual([
      [22, '22 checkpoints were not read: its tag Nonce is no number'],
      [22, '22 checkpoints were not read: its tag SHA-256 is no hash'],
      [22, '22 checkpoints were not read: its tag Timestamp is no number']
    ])
  })

  it.each(['the unit names its address', 'the user names it'])(
    "does not hide the unit's own among those of 60 strangers if %s",
    async (who) => {
      const own = await signed(3, await memoryAfter(3), 'unit')
      const strange = await Promise.all(
        Array.from({ length: 60 }, async (_, place) => ({
          ...(await signed(2, memory, `stranger ${place}`)),
          height: 1_600_000
        }))
      )
      const options = who === 'the user names it' ? { checkpointOwners: [UNIT] } : {}
      const report = await audited([...strange, own], options)
      expect(report.checkpoints.filter(({ signer }) => signer === UNIT).map(({ id, status }) => [id, status])).toEqual([
        [own.id, 'match']
      ])
      expect(report.checkpoints).toHaveLength(51)
      expect(notRead(report)).toEqual([[10, expect.stringContaining('10 checkpoints were not read: only a limited number')]])
    }
  )

  it('leaves room for a checkpoint of one stranger beside many of another', async () => {
    const many = await Promise.all(
      Array.from({ length: 40 }, async (_, place) => {
        const tags = { 'Unit-Identifier': String(place) }
        return { ...(await signedCheckpoint({ of: small, nonce: 2, memory, signer: 'first', tags })), height: 1_600_000 }
      })
    )
    const report = await audited([...many, await signed(3, memory, 'second')])
    const of = (name: string) => report.checkpoints.filter(({ signer }) => signer === signerAddress(name)).length
    expect([of('first'), of('second')]).toEqual([10, 1])
  })

  it("leads to unpacking strangers' checkpoints only up to a limit, and the others are not called invalid", async () => {
    const store = await openStore(path.join(folder, 'bombs'))
    const verifier = createVerifier()
    const asked: number[] = []
    const counting = {
      ...verifier,
      unpack: async (_: string, maxBytes: number) => {
        asked.push(maxBytes)
        return { failed: `it unpacks to more than ${maxBytes} bytes` }
      }
    }
    try {
      const inputs = createInputs(store)
      const process = parseProcessId(small.process.process_id)
      const run = { id: 'r', process, scheduler: 's', computes: [], from: 0, to: 6, state: 'running' } as const
      for (const place of [0, 1, 2, 3]) {
        const bomb = await signedCheckpoint({
          of: small,
          nonce: 2,
          memory,
          signer: `stranger ${place}`,
          packed: Buffer.alloc(5_000_000)
        })
        const { data = '', target, height, ...item } = bomb
        const record = { ...item, recipient: target, blockHeight: height, gateway: 'g' } as unknown as TransactionRecord
        await inputs.items.putTransaction(record, Buffer.from(data, 'base64'))
        await inputs.checkpoints.put(run, 'g', [record.id])
      }
      const checkpoints = await readCheckpoints(store, inputs, run, counting, createTrust([], []))
      const all = await checkpoints.all()
      expect(asked).toEqual([4 * 1024 ** 3])
      expect(all.flatMap(({ findings }) => findings.map(({ code }) => code)).sort()).toEqual([
        'CHECKPOINT_DATA_INVALID',
        'CHECKPOINT_NOT_READ',
        'CHECKPOINT_NOT_READ',
        'CHECKPOINT_NOT_READ'
      ])
    } finally {
      await verifier.close()
      await store.close()
    }
  })
})
