/** Segments side by side give the results of one replay from the first message, whatever the memories between them contain. */
import { mkdtempSync, rmSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Evaluation } from '../../src/model/records.ts'
import type { ReplayJob } from '../../src/replay/job.ts'
import type { PlannedEvaluation } from '../../src/replay/plan/planned.ts'
import { LEGACYNET } from '../../src/replay/profile.ts'
import { replay } from '../../src/replay/replay.ts'
import { type Boundary, replaySegments, type SegmentProof } from '../../src/replay/segments.ts'
import { type SmallSetup, smallSetup } from './sandbox/small.ts'

let small: SmallSetup
beforeAll(async () => {
  small = await smallSetup('wasm64-unknown-emscripten-draft_2024_02_15')
})
afterAll(() => small.remove())

function jobOf(words: readonly string[], options: Partial<ReplayJob> = {}): ReplayJob {
  async function* plan(): AsyncGenerator<PlannedEvaluation> {
    for (const [nonce, word] of words.entries()) {
      yield {
        key: { ordinate: nonce, timestamp: 1000 + nonce },
        nonce,
        saved: true,
        work: { kind: 'run', message: { Data: word } }
      }
    }
  }
  return { setup: small.setup, profile: LEGACYNET, plan, hashAfter: ({ nonce }) => nonce === words.length - 1, ...options }
}

async function collect(evaluations: AsyncIterable<Evaluation>): Promise<Evaluation[]> {
  const all: Evaluation[] = []
  for await (const evaluation of evaluations) all.push(evaluation)
  return all
}

/** Returns the memories after these nonces, computed by one replay. */
async function memories(words: readonly string[], after: readonly number[], folder: string) {
  const boundaries: Boundary[] = []
  const file = (nonce: number) => path.join(folder, `${nonce}.gz`)
  const whole = await collect(
    replay(
      jobOf(words, {
        exportAfter: ({ nonce = -1 }) => (after.includes(nonce) ? file(nonce) : undefined),
        onState({ key }, { sha256, memoryBytes }) {
          if (!after.includes(key.ordinate)) return
          const memory = { path: file(key.ordinate), bytes: memoryBytes }
          boundaries.push({ name: `${key.ordinate}`, after: { ordinate: key.ordinate, timestamp: 0 }, sha256, memory })
        }
      })
    )
  )
  return { boundaries, whole }
}

/** Replays as a whole and in segments, and ignores hashes before the end. */
async function bothWays(words: readonly string[], after: readonly number[], alter = (boundaries: Boundary[]) => boundaries) {
  const folder = mkdtempSync(path.join(small.folder, 'segments-'))
  const { boundaries, whole } = await memories(words, after, folder)
  const links: SegmentProof[] = []
  const onLink = (link: SegmentProof) => void links.push(link)
  const parts = await collect(replaySegments(jobOf(words), alter(boundaries), { jobs: 2, onLink }))
  rmSync(folder, { recursive: true })
  const plain = (evaluation: Evaluation) => ({ ...evaluation, stateHash: undefined })
  return {
    whole: whole.map(plain),
    parts: parts.map(plain),
    ends: [whole.at(-1)?.stateHash, parts.at(-1)?.stateHash],
    links: links.map(({ name, proven }) => [name, proven])
  }
}

const COUNTS = Array.from({ length: 40 }, () => 'count')

describe('replaySegments', () => {
  it('reaches the results and the memory of one replay, and proves each boundary', async () => {
    const { whole, parts, ends, links } = await bothWays(COUNTS, [9, 19, 29])
    expect(parts).toEqual(whole)
    expect(ends[0]).toMatch(/^[0-9a-f]{64}$/)
    expect(ends[1]).toBe(ends[0])
    expect(links).toEqual([
      ['9', true],
      ['19', true],
      ['29', true]
    ])
  })

  it('continues one after another after a false memory', async () => {
    const lie = ([first, second, ...rest]: Boundary[]) =>
      first === undefined || second === undefined
        ? []
        : [first, { ...second, memory: first.memory, sha256: first.sha256 }, ...rest]
    const { whole, parts, ends, links } = await bothWays(COUNTS, [9, 19, 29], lie)
    expect(parts).toEqual(whole)
    expect(ends[1]).toBe(ends[0])
    expect(links).toEqual([
      ['9', true],
      ['19', false]
    ])
  })

  it('gives the module the true clock in every segment', async () => {
    const words = ['clock', 'clock', 'count', 'count', 'count', 'clock', 'count', 'clock']
    const { whole, parts, ends } = await bothWays(words, [1, 3, 6])
    expect(parts).toEqual(whole)
    expect(ends[1]).toBe(ends[0])
  })

  it('continues one after another if a new instance would resize the memory', async () => {
    const words = ['count', 'growraw', 'count', 'pages', 'grow', 'pages', 'count']
    const { whole, parts, ends } = await bothWays(words, [1, 4])
    expect(parts).toEqual(whole)
    expect(ends[1]).toBe(ends[0])
  })

  it('reaches the results of one replay, whatever the messages are', { timeout: 120_000 }, async () => {
    const word = fc.constantFrom('count', 'count', 'clock', 'error', 'dirty', 'trap', 'throw', 'grow', 'growraw', 'pages')
    const stream = fc.array(word, { minLength: 4, maxLength: 25 })
    await fc.assert(
      fc.asyncProperty(stream, fc.uniqueArray(fc.nat(20), { minLength: 1, maxLength: 3 }), async (words, places) => {
        const after = places.filter((place) => place < words.length - 1).sort((left, right) => left - right)
        const { whole, parts, ends } = await bothWays(words, after)
        expect(parts).toEqual(whole)
        expect(ends[1]).toBe(ends[0])
      }),
      { numRuns: 5 }
    )
  })

  it('stops when nobody reads on, and when its signal interrupts it', async () => {
    const read: number[] = []
    for await (const { key } of replaySegments(jobOf(COUNTS), [], { jobs: 2 })) if (read.push(key.ordinate) === 3) break
    expect(read).toEqual([0, 1, 2])
    const stop = new AbortController()
    const job = jobOf(COUNTS, { signal: stop.signal, onRun: () => stop.abort() })
    await expect(collect(replaySegments(job, [], { jobs: 2 }))).rejects.toMatchObject({ code: 'INTERRUPTED' })
  })
})
