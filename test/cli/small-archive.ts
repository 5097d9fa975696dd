/** A small process with its claims as an archive, for audits without a network. */
import { expect } from 'vitest'
import { startFakeNetwork } from '../fakes/network.ts'
import { compileSmallModule } from '../modules/small-module.ts'
import { signedSmallProcess } from '../modules/small-process.ts'
import { run, unitsOf } from './command.ts'

const FORMAT = 'wasm32-unknown-emscripten4'
const WORDS = ['echo a', 'echo b', 'echo c']

/** @param lies whether the last result is altered */
export async function pullSmall(file: string, store: string, { lies = false } = {}): Promise<void> {
  const small = await signedSmallProcess({ format: FORMAT, wasm: await compileSmallModule(FORMAT), messages: WORDS })
  const claims = WORDS.map((word, place) => {
    const Output = lies && place === WORDS.length - 1 ? 'altered' : word.slice('echo '.length)
    const result = { Messages: [], Assignments: [], Spawns: [], Output, GasUsed: 0 }
    return { id: small.messageIds[place + 1] ?? '', status: 200, result }
  })
  const network = await startFakeNetwork({ ...small, claims })
  try {
    const args = ['pull', small.process.process_id, ...unitsOf(network), '--store', store, '--quiet', '-o', file]
    expect(await run(args)).toEqual({ code: 0, signal: null, stdout: '', stderr: '' })
  } finally {
    await network.close()
  }
}
