import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SMALL_MODULE_FORMATS } from '../../modules/small-module.ts'
import { answersOf, order, type SmallSetup, smallSetup, withSandbox } from './small.ts'

const FORMAT = 'wasm32-unknown-emscripten4'
let small: SmallSetup
beforeAll(async () => {
  small = await smallSetup(FORMAT)
})
afterAll(() => small.remove())

/** Messages whose change of the state stays, and messages whose change is rolled back. */
const KEPT = ['count', 'dirty 128', 'grow 3']
const TAKEN_BACK = ['error', 'throw', 'trap', 'bad', 'growerr 5', 'oom']
const PURE = ['echo x', 'clock', 'pages']

describe.each(SMALL_MODULE_FORMATS)('a sandbox for %s', (format) => {
  it('continues after a failure as if the failed message had never run', { timeout: 30_000 }, async () => {
    const own = await smallSetup(format)
    try {
      const failing = ['count', 'error', 'count', 'throw', 'trap', 'count', 'bad', 'oom', 'count']
      const plain = ['count', 'count', 'count', 'count']
      const run = (words: readonly string[]) =>
        withSandbox(own, async (sandbox) => {
          const { results } = await sandbox.run(words.map((word) => order(word)))
          return { answers: answersOf(results), hash: (await sandbox.state()).sha256 }
        })
      const broken = await run(failing)
      const whole = await run(plain)
      expect(broken.answers.filter((_, place) => failing[place] === 'count')).toEqual(whole.answers)
      expect(broken.hash).toBe(whole.hash)
      expect(broken.answers[1]).toEqual({ error: 'boom' })
      expect(broken.answers[3]).toEqual({ error: 'boom' })
      expect(broken.answers[4]).toEqual({ error: {} })
    } finally {
      own.remove()
    }
  })
})

describe('rollback', () => {
  it('removes every trace of failed messages, in any order, whatever failures are claimed', { timeout: 60_000 }, async () => {
    const word = fc.tuple(fc.constantFrom(...KEPT, ...TAKEN_BACK, ...PURE), fc.boolean())
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 40 }), async (words) => {
        const kept = words.filter(([one]) => !TAKEN_BACK.includes(one))
        const counts = (of: typeof words) =>
          withSandbox(small, async (sandbox) => {
            // Without a first success there would be no memory to restore.
            const { results } = await sandbox.run([order('count'), ...of.map(([one, failing]) => order(one, false, failing))])
            const counting = results.filter((_, place) => place === 0 || of[place - 1]?.[0] === 'count')
            return answersOf(counting)
          })
        expect(await counts(words)).toEqual(await counts(kept))
      }),
      { numRuns: 8 }
    )
  })

  it('sets the clock to its start, like the new instance of the CU', async () => {
    await withSandbox(small, async (sandbox) => {
      const { results } = await sandbox.run(['clock', 'clock', 'error', 'clock'].map((word) => order(word)))
      expect(answersOf(results)).toEqual(['10004', '10005', { error: 'boom' }, '10004'])
      expect(results.map(({ clockRead }) => clockRead)).toEqual([10_004, 10_005, undefined, 10_004])
    })
  })

  it('runs the messages before a failure again with their original clock', async () => {
    await withSandbox(small, async (sandbox) => {
      const words = ['clock', 'throw', 'clock', 'clock', 'trap', 'error', 'clock']
      const { results } = await sandbox.run(words.map((word) => order(word)))
      const clocks = results.map(({ clockRead }) => clockRead)
      expect(clocks).toEqual([10_004, undefined, 10_004, 10_005, undefined, undefined, 10_004])
    })
  })

  it('restores no memory after an out-of-memory output before the first success, and keeps the instance', async () => {
    const answersTo = (words: readonly string[]) =>
      withSandbox(small, async (sandbox) => answersOf((await sandbox.run(words.map((word) => order(word)))).results).slice(1))
    const failed = { error: 'boom' }
    expect(await answersTo(['oom', 'count', 'error', 'count'])).toEqual(['2', failed, '3'])
    expect(await answersTo(['oom', 'error', 'count'])).toEqual([failed, '1'])
    expect(await answersTo(['error', 'count'])).toEqual(['1'])
  })

  it('keeps instance and clock if the module reports in Output that memory ran out', async () => {
    await withSandbox(small, async (sandbox) => {
      const { results } = await sandbox.run(['clock', 'count', 'oom', 'clock', 'count'].map((word) => order(word)))
      expect([results[0], results[3]].map((one) => JSON.parse(one?.text ?? '').Output)).toEqual(['10004', '10005'])
      expect([results[1], results[4]].map((one) => JSON.parse(one?.text ?? '').Output)).toEqual(['1', '2'])
      expect(results[2]?.rolledBack).toBe(true)
    })
  })
})

describe('a sandbox with overlapping requests', () => {
  it('hashes the memory as it was at the time of the request, and answers requests in order', async () => {
    const words = ['count', 'dirty 128', 'grow 3', 'error', 'count']
    const [waiting, atOnce] = await Promise.all(
      [false, true].map((overlapping) =>
        withSandbox(small, async (sandbox) => {
          const asked: Promise<unknown>[] = []
          const settled: number[] = []
          for (const [place, word] of words.entries()) {
            for (const ask of [() => sandbox.run([order(word)]), () => sandbox.state()]) {
              const answer = ask()
              asked.push(answer)
              void answer.then(() => settled.push(place))
              if (!overlapping) await answer
            }
          }
          const answers = await Promise.all(asked)
          expect(settled).toEqual(words.flatMap((_, place) => [place, place]))
          return answers.flatMap((answer) =>
            typeof answer === 'object' && answer !== null && 'sha256' in answer ? [answer] : []
          )
        })
      )
    )
    expect(atOnce).toEqual(waiting)
    expect(new Set(atOnce?.map(({ sha256 }) => sha256)).size).toBe(4)
  })
})

describe('a sandbox with instances', () => {
  it('starts a new instance before a message marked as fresh, which only the clock shows', async () => {
    await withSandbox(small, async (sandbox) => {
      const { results } = await sandbox.run([order('clock'), order('count'), order('clock', true), order('count')])
      expect(answersOf(results)).toEqual(['10004', '1', '10004', '2'])
    })
  })

  it('pauses after a message that reads the clock, and can undo that message', async () => {
    await withSandbox(small, async (sandbox) => {
      const words = ['count', 'clock', 'clock', 'count'].map((word) => order(word))
      const first = await sandbox.run(words, { pause: true })
      expect([answersOf(first.results), first.paused]).toEqual([['1', '10004'], true])
      expect(await sandbox.run(words, { pause: true })).toEqual({ results: [], paused: true })
      await sandbox.resume()
      const second = await sandbox.run(words.slice(2), { pause: true })
      expect([answersOf(second.results), second.paused]).toEqual([['10005'], true])
      await sandbox.undo()
      const fresh = await sandbox.run([order('clock', true)], { pause: true })
      expect(answersOf(fresh.results)).toEqual(['10004'])
      await sandbox.resume()
      expect(answersOf((await sandbox.run(words.slice(3))).results)).toEqual(['2'])
    })
  })

  it('gives the module the environment of the profile', async () => {
    await withSandbox(small, async (sandbox) => {
      const { results } = await sandbox.run([order('env')])
      expect(String(answersOf(results)[0])).toContain('_=/usr/app/src/effects/worker/evaluator/index.js')
    })
  })
})

describe('a limit', () => {
  it('stops a message that never ends, and the sandbox reports its place', { timeout: 20_000 }, async () => {
    const limits = { messageMs: 300 }
    await withSandbox(
      small,
      async (sandbox) => {
        const words = ['count', 'count', 'hang', 'count'].map((word) => order(word))
        const outcome = await sandbox.run(words)
        expect(outcome.stopped).toEqual({ limit: 'time', index: 2 })
        expect((await sandbox.run(words)).stopped?.limit).toBe('died')
      },
      { limits }
    )
  })

  it('stops a module that grows without end', { timeout: 30_000 }, async () => {
    const limits = { residentBytes: 600 * 1024 * 1024, heapBytes: 400 * 1024 * 1024, messageMs: 5_000 }
    await withSandbox(
      small,
      async (sandbox) => {
        const { stopped } = await sandbox.run([order('count'), order('growforever')])
        expect(stopped?.index).toBe(1)
        expect(['time', 'memory']).toContain(stopped?.limit)
      },
      { limits }
    )
  })

  it("marks the result with host trouble if the auditor's own limit refused memory", async () => {
    const limits = { heapBytes: 2 * 1024 * 1024 }
    await withSandbox(
      small,
      async (sandbox) => {
        const { results } = await sandbox.run([order('grow 64')])
        expect(results[0]?.hostTrouble).toContain("the auditor's limit is 2097152")
      },
      { limits }
    )
  })
})
