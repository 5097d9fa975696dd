import { readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createFingerprint } from '../../src/memory/fingerprint.ts'
import type { Evaluation } from '../../src/model/records.ts'
import type { ReplayJob } from '../../src/replay/job.ts'
import type { PlannedEvaluation, Work } from '../../src/replay/plan/planned.ts'
import { LEGACYNET } from '../../src/replay/profile.ts'
import { replay } from '../../src/replay/replay.ts'
import { type SmallSetup, smallSetup } from './sandbox/small.ts'

let small: SmallSetup
beforeAll(async () => {
  small = await smallSetup('wasm64-unknown-emscripten-draft_2024_02_15')
})
afterAll(() => small.remove())

const run = (data: string): Work => ({ kind: 'run', message: { Data: data } })

function planned(works: readonly Work[]): PlannedEvaluation[] {
  return works.map((work, nonce) => ({ key: { ordinate: nonce, timestamp: 1000 + nonce }, nonce, saved: true, work }))
}

async function replayed(works: readonly Work[], options: Partial<ReplayJob> = {}): Promise<Evaluation[]> {
  async function* plan() {
    yield* planned(works)
  }
  const found: Evaluation[] = []
  for await (const one of replay({ setup: small.setup, profile: LEGACYNET, plan, ...options })) found.push(one)
  return found
}

function shown({ outcome }: Evaluation): unknown {
  if (outcome.kind === 'result') return outcome.result.Error ?? outcome.result.Output
  return outcome.kind === 'skipped' ? `skipped, of ${outcome.of}` : `inconclusive: ${outcome.reason}`
}

describe('replay', () => {
  it('evaluates in order, over many batches, and runs no skipped message', async () => {
    const works = Array.from(
      { length: 57 },
      (_, place): Work => (place % 10 === 3 ? { kind: 'skip', reason: 'duplicate-push', of: 1 } : run('count'))
    )
    let count = 0
    const expected = works.map((work) => (work.kind === 'skip' ? 'skipped, of 1' : String(++count)))
    expect((await replayed(works)).map(shown)).toEqual(expected)
  })

  it('calls onBusy before it waits for each result', async () => {
    const told: string[] = []
    const onRun = () => void told.push('ran')
    await replayed([run('count'), run('count')], { onBusy: () => void told.push('busy'), onRun })
    expect(told.filter((word, place) => word !== told[place - 1])).toEqual(['busy', 'ran', 'busy', 'ran'])
  })

  it('hashes the memory only after the requested evaluations', async () => {
    const works = Array.from({ length: 25 }, () => run('count'))
    const hashed = await replayed(works, { hashAfter: ({ nonce }) => nonce === 4 || nonce === 24 })
    const again = await replayed(works.slice(0, 5), { hashAfter: ({ nonce }) => nonce === 4 })
    expect(hashed.filter(({ stateHash }) => stateHash !== undefined).map(({ nonce }) => nonce)).toEqual([4, 24])
    expect(hashed[4]?.stateHash).toBe(again[4]?.stateHash)
    expect(hashed[4]?.stateHash).not.toBe(hashed[24]?.stateHash)
  })

  it('uses the hash of a likely memory if the memory equals it', async () => {
    const works = Array.from({ length: 25 }, () => run('count'))
    const file = path.join(small.folder, 'after-4.gz')
    const plain = await replayed(works, {
      hashAfter: ({ nonce }) => nonce === 24,
      exportAfter: ({ nonce }) => (nonce === 4 ? file : undefined)
    })
    const made = createFingerprint()
    made.update(gunzipSync(readFileSync(file)))
    const known = { fingerprint: made.digest(), sha256: 'known' }
    const asked: (number | undefined)[] = []
    const hashed = await replayed(works, {
      hashAfter: ({ nonce }) => nonce === 4 || nonce === 24,
      likely({ nonce }) {
        asked.push(nonce)
        return [known]
      }
    })
    expect(asked).toEqual([4, 24])
    expect([hashed[4]?.stateHash, hashed[24]?.stateHash]).toEqual(['known', plain[24]?.stateHash])
    expect(plain[24]?.stateHash).toMatch(/^[0-9a-f]{64}$/)
  })

  it('gives the same results and hash, whatever failures are claimed', async () => {
    const works = Array.from({ length: 30 }, (_, place) => run(place % 4 === 3 ? 'error' : 'count'))
    const end = { hashAfter: ({ nonce }: PlannedEvaluation) => nonce === 29 }
    const asked: number[] = []
    const failing = async ({ nonce = -1 }: PlannedEvaluation) => asked.push(nonce) % 3 === 0
    expect(await replayed(works, { ...end, claimedError: failing })).toEqual(await replayed(works, end))
    expect(asked).toEqual(works.map((_, nonce) => nonce))
  })

  it('stops at a missing input and gives the reason for every later evaluation', async () => {
    const works: Work[] = [run('count'), { kind: 'missing', reason: 'nobody has it' }, run('count')]
    expect((await replayed(works)).map(shown)).toEqual([
      '1',
      'inconclusive: nobody has it',
      'inconclusive: an earlier evaluation is inconclusive: nobody has it'
    ])
  })

  it('loses no result if a later message hangs', { timeout: 30_000 }, async () => {
    const works = [...Array.from({ length: 14 }, () => run('count')), run('hang'), run('count')]
    const found = await replayed(works, { limits: { messageMs: 400 } })
    expect(found.slice(0, 14).map(shown)).toEqual(Array.from({ length: 14 }, (_, place) => String(place + 1)))
    expect(found.slice(14).map(shown)).toEqual([
      'inconclusive: it took longer than the limit and was stopped',
      'inconclusive: an earlier evaluation is inconclusive: it took longer than the limit and was stopped'
    ])
  })

  it('gives the reason if it cannot hash or write a memory, and evaluates the rest', async () => {
    const works = Array.from({ length: 12 }, () => run('count'))
    const written: (string | undefined)[] = []
    const found = await replayed(works, {
      hashAfter: ({ nonce }) => nonce === 3 || nonce === 6,
      likely: ({ nonce }) => {
        // A null memory makes the comparison in the child fail.
        return nonce === 3 ? [null as never] : []
      },
      exportAfter: ({ nonce }) => (nonce === 9 ? path.join(small.folder, 'nowhere', 'memory.gz') : undefined),
      onState: (_planned, _state, file) => written.push(file)
    })
    expect(found.map(shown)).toEqual(works.map((_, place) => String(place + 1)))
    expect(found.flatMap(({ nonce, stateHash }) => (stateHash === undefined ? [] : nonce))).toEqual([6, 9])
    expect(found.flatMap(({ nonce, stateFailure }) => (stateFailure === undefined ? [] : nonce))).toEqual([3])
    expect(found[3]?.stateFailure).toMatch(/^the sandbox failed: /)
    expect(written).toEqual([undefined, undefined])
  })

  it('hashes a memory although a later message stops the sandbox', { timeout: 30_000 }, async () => {
    const works = [run('dirty 60000'), run('hang'), run('count')]
    const found = await replayed(works, { limits: { messageMs: 400 }, hashAfter: ({ nonce }) => nonce === 0 })
    expect(found[0]?.stateHash).toMatch(/^[0-9a-f]{64}$/)
    expect(found[0]?.stateFailure).toBeUndefined()
    expect(found[1]?.outcome).toMatchObject({ kind: 'inconclusive', limit: true })
  })

  it('uses the instance that agrees if a message reads the clock, and continues from it', async () => {
    const works = ['clock', 'count', 'clock', 'clock', 'count'].map(run)
    const claimed = new Map([
      [0, '10004'],
      [2, '10004'],
      [3, '10005']
    ])
    const agrees: ReplayJob['agrees'] = async ({ nonce = -1 }, text) => {
      const claim = claimed.get(nonce)
      return claim === undefined ? undefined : (JSON.parse(text) as { Output: string }).Output === claim
    }
    const found = await replayed(works, { agrees })
    expect(found.map(shown)).toEqual(['10004', '1', '10004', '10005', '2'])
    const profiles = found.map(({ outcome }) => (outcome.kind === 'result' ? outcome.profile : undefined))
    expect(profiles).toEqual([undefined, undefined, 'legacynet, a new instance before it', undefined, undefined])
    expect(found[2]?.hostInputs).toEqual(['emscripten_date_now'])
  })

  it('follows the profile if neither instance agrees', async () => {
    const found = await replayed(['clock', 'clock', 'count', 'clock'].map(run), {
      agrees: async ({ nonce }) => (nonce === 1 ? false : undefined)
    })
    expect(found.map(shown)).toEqual(['10004', '10005', '1', '10006'])
  })

  it('starts instances before the nonces that the profile lists', async () => {
    const profile = { ...LEGACYNET, name: 'two streams', instances: [2] }
    expect((await replayed(['clock', 'clock', 'clock', 'clock'].map(run), { profile })).map(shown)).toEqual([
      '10004',
      '10005',
      '10004',
      '10005'
    ])
  })

  it('stops with INTERRUPTED when its signal fires', async () => {
    const works = Array.from({ length: 100 }, () => run('count'))
    const stop = new AbortController()
    const begun = replayed(works, { signal: stop.signal, onRun: () => stop.abort() })
    await expect(begun).rejects.toMatchObject({ code: 'INTERRUPTED' })
  })

  it('rejects a module of an unknown format', async () => {
    const setup = { ...small.setup, format: 'lua@5.3a' }
    await expect(replayed([run('count')], { setup })).rejects.toMatchObject({ code: 'MODULE_UNSUPPORTED' })
  })
})
