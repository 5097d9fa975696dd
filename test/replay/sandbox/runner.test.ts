import { describe, expect, it } from 'vitest'
import type { Response } from '../../../src/replay/sandbox/cu-result.ts'
import { createHost } from '../../../src/replay/sandbox/host.ts'
import type { Instance, InstanceFactory } from '../../../src/replay/sandbox/instance.ts'
import { createRunner } from '../../../src/replay/sandbox/runner.ts'

/** Instances whose messages do nothing but touch files, where they say so. */
function factory(): InstanceFactory {
  return {
    clockStart: 0,
    async create(): Promise<Instance> {
      const host = createHost(0)
      const memory = new Uint8Array(4096)
      return {
        host,
        layout: () => ({}),
        memory: () => memory,
        async handle({ Data }) {
          host.filesTouched = Data === 'files'
          return { thrown: false, response: { Output: 'done' } as Response }
        }
      }
    },
    sizeFor: (bytes) => bytes,
    load: ({ memory }, copyInto) => copyInto(memory())
  }
}

const entry = (Data: string, fresh = false) => ({ message: { Data }, fresh })

describe('a message that is taken back', () => {
  it('leaves nothing to be said of files where earlier ones went with its instance', async () => {
    const runner = await createRunner(factory(), () => 0)
    for (const word of ['files', 'files']) expect((await runner.run(entry(word))).hostTrouble).toBeUndefined()
    await runner.undo()
    expect((await runner.run(entry('none'))).hostTrouble).toBeUndefined()
    expect((await runner.run(entry('files'))).hostTrouble).toBe('files that were open before could not be opened again')
    expect((await runner.run(entry('files', true))).hostTrouble).toBeUndefined()
  })

  it('may open its own again where there were none before, or where it touched none', async () => {
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
