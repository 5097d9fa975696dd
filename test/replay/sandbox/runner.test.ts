import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cuResult, type ModuleAnswer, type Response } from '../../../src/replay/sandbox/cu-result.ts'
import { createHost } from '../../../src/replay/sandbox/host.ts'
import type { Instance, InstanceFactory } from '../../../src/replay/sandbox/instance.ts'
import { createRunner } from '../../../src/replay/sandbox/runner.ts'

/** Instances whose messages only touch files or fail, as their Data says. */
function factory(onHandle?: () => void, output: () => string = () => 'done'): InstanceFactory {
  return {
    clockStart: 0,
    laysPathDown: false,
    async create(): Promise<Instance> {
      const host = createHost()
      const memory = new Uint8Array(4096)
      return {
        host,
        layout: () => ({}),
        memory: () => memory,
        async handle({ Data }) {
          host.filesTouched = Data === 'files'
          onHandle?.()
          return { thrown: false, response: { Output: output(), ...(Data === 'error' ? { Error: 'boom' } : {}) } as Response }
        }
      }
    },
    sizeFor: (bytes) => bytes,
    load: ({ memory }, copyInto) => copyInto(memory())
  }
}

const entry = (Data: string, fresh = false, claimedError = false) => ({
  message: { Data },
  fresh,
  ...(claimedError ? { claimedError } : {})
})

describe('undo', () => {
  it('makes later file results inconclusive if earlier open files are lost with the instance', async () => {
    const runner = await createRunner(factory(), () => 0)
    for (const word of ['files', 'files']) expect((await runner.run(entry(word))).hostTrouble).toBeUndefined()
    await runner.undo()
    expect((await runner.run(entry('none'))).hostTrouble).toBeUndefined()
    expect((await runner.run(entry('files'))).hostTrouble).toBe('files that were open before could not be opened again')
    expect((await runner.run(entry('files', true))).hostTrouble).toBeUndefined()
  })

  it('lets a later message open files if there were none before, or if the undone message touched none', async () => {
    const first = await createRunner(factory(), () => 0)
    await first.run(entry('files'))
    await first.undo()
    expect((await first.run(entry('files'))).hostTrouble).toBeUndefined()
    const second = await createRunner(factory(), () => 0)
    for (const word of ['files', 'none']) await second.run(entry(word))
    await second.undo()
    expect((await second.run(entry('files'))).hostTrouble).toBeUndefined()
  })
})

describe('a runner with claimed failures', () => {
  /** Counts how often the module ran and how often the memory was kept for these messages. */
  async function costOf(messages: readonly Parameters<typeof entry>[]) {
    let handled = 0
    let looked = 0
    const runner = await createRunner(
      factory(() => handled++),
      () => looked++
    )
    for (const one of messages) await runner.run(entry(...one))
    // The runner reads the clock before and after each first run of a message and each sync of the memory, except for the first
    // sync,
    // where it reads the clock only before.
    return { handled, kept: (looked + 1) / 2 - messages.length }
  }
  const four = (claimedError: boolean): Parameters<typeof entry>[] => [['a'], ['b'], ['c'], ['error', false, claimedError]]

  it('runs the earlier messages again after a failure that nobody claimed', async () => {
    expect(await costOf(four(false))).toEqual({ handled: 7, kept: 1 })
  })

  it('keeps the memory right before a claimed failure and then runs nothing again', async () => {
    expect(await costOf(four(true))).toEqual({ handled: 4, kept: 2 })
  })

  it('ignores claimed failures after a few that did not happen', async () => {
    const lies = Array.from({ length: 40 }, (): Parameters<typeof entry> => ['a', false, true])
    expect(await costOf(lies)).toEqual({ handled: 40, kept: 3 })
  })
})

describe('a runner that runs messages again', () => {
  it('ends with a fault of the process if the module gives two different answers to the same message', async () => {
    let answers = 0
    const runner = await createRunner(
      factory(undefined, () => String(answers++)),
      () => 0
    )
    const results = []
    for (const word of ['a', 'b', 'error', 'c']) results.push(await runner.run(entry(word)))
    const trouble = 'the module gave two different answers to the same message in the same state'
    expect(results.map(({ hostTrouble }) => hostTrouble)).toEqual([undefined, undefined, trouble, trouble])
    expect(results.map(({ fault }) => fault)).toEqual([undefined, undefined, 'process', 'process'])
  })
})

describe('the history of a runner', () => {
  /** Counts the messages that run again after `count` successes with `chars` characters each. */
  async function runAgain(count: number, chars: number): Promise<number> {
    let handled = 0
    const runner = await createRunner(
      factory(() => handled++),
      () => 0
    )
    const tags = [{ name: 'long', value: 'x'.repeat(chars) }]
    for (let at = 0; at < count; at++) await runner.run({ message: { Data: 'a', Tags: tags }, fresh: false })
    await runner.run(entry('error'))
    return handled - count - 1
  }

  it('is limited by the size of the messages, not only by that of the results', async () => {
    expect(await runAgain(6, 1000)).toBe(6)
    expect(await runAgain(6, 10 * 1024 * 1024)).toBe(2)
  })
})

describe('a runner with a real memory', () => {
  const WORDS = ['count', 'quiet', 'oom', 'error', 'trap', 'grow', 'growoom', 'growerror', 'end', 'endoom'] as const

  /** Acts as a module on a message: failing messages also change the memory, in the first bytes or in the last one. */
  function act(memory: { bytes: Uint8Array }, word: string): Response {
    if (word.startsWith('grow')) {
      const grown = new Uint8Array(memory.bytes.length + 2)
      grown.set(memory.bytes)
      memory.bytes = grown
    }
    const { bytes } = memory
    const at = word.startsWith('end') ? bytes.length - 1 : WORDS.indexOf(word as never) % 4
    if (word !== 'look') bytes[at] = (bytes[at] ?? 0) + 1
    const seen = bytes.join(' ')
    if (word === 'trap') throw new Error('unreachable')
    if (word.endsWith('error')) return { Error: `boom ${seen}` }
    if (word.endsWith('oom')) return { Output: `${seen}: not enough memory for buffer allocation` }
    return { Output: word === 'quiet' ? 'done' : seen }
  }

  const resized = (bytes: Uint8Array, length: number): Uint8Array => {
    const whole = new Uint8Array(Math.max(bytes.length, length))
    whole.set(bytes)
    return whole
  }

  const memories = new WeakMap<Instance, { bytes: Uint8Array }>()
  const acting: InstanceFactory = {
    clockStart: 0,
    laysPathDown: false,
    async create(): Promise<Instance> {
      const memory = { bytes: new Uint8Array(4) }
      const host = createHost()
      const instance: Instance = {
        host,
        layout: () => ({}),
        memory: () => memory.bytes,
        async handle({ Data }) {
          const before = memory.bytes.length
          try {
            return { thrown: false, response: act(memory, String(Data)) }
          } catch (error) {
            return { thrown: true, error }
          } finally {
            host.memoryGrew = memory.bytes.length > before
          }
        }
      }
      memories.set(instance, memory)
      return instance
    },
    sizeFor: (bytes) => bytes,
    load(instance, copyInto, bytes) {
      const memory = memories.get(instance)
      if (memory !== undefined) memory.bytes = resized(memory.bytes, bytes)
      copyInto(instance.memory())
    }
  }

  /** Evaluates as a CU does: once there is a memory, it goes in and out with each message (protocol §2.10). */
  function createUnit() {
    let memory: Uint8Array | undefined
    let instance: { bytes: Uint8Array } = { bytes: new Uint8Array(4) }
    return (word: string, fresh: boolean) => {
      if (fresh) instance = { bytes: new Uint8Array(4) }
      if (memory !== undefined) {
        instance.bytes = resized(instance.bytes, memory.length)
        instance.bytes.set(memory)
      }
      let answer: ModuleAnswer
      try {
        answer = { thrown: false, response: act(instance, word) }
      } catch (error) {
        answer = { thrown: true, error }
      }
      const { text, keepsMemory, newInstance } = cuResult(answer)
      if (keepsMemory) memory = instance.bytes.slice()
      if (newInstance) instance = { bytes: new Uint8Array(4) }
      return { text, memory: memory?.join(' ') }
    }
  }

  it('gives the results of a CU, whichever messages fail and however often a message is undone and run again', async () => {
    const step = fc.record({
      word: fc.constantFrom(...WORDS, 'look'),
      fresh: fc.boolean(),
      turned: fc.boolean(),
      claimedError: fc.boolean()
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 10 }), async (steps) => {
        const runner = await createRunner(acting, () => 0)
        const unit = createUnit()
        for (const { word, fresh, turned, claimedError } of steps) {
          if (turned) {
            await runner.run(entry(word, !fresh, claimedError))
            await runner.undo()
          }
          const { text } = await runner.run(entry(word, fresh, claimedError))
          const expected = unit(word, fresh)
          expect(text).toBe(expected.text)
          if (expected.memory !== undefined) expect(runner.memory().join(' ')).toBe(expected.memory)
        }
      }),
      { numRuns: 3000 }
    )
  })
})
