/** A child that replays as a CU does: AoLoader, the whole memory handed in and out, a new instance after every error. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import './growth.mjs'

// Taken before the loader replaces it.
const { bigint: nowNs } = process.hrtime
// The loader tells of every growth that it had to make in smaller steps.
console.warn = () => {}
const load = createRequire(import.meta.url)('@permaweb/ao-loader')

process.once('message', async ({ setup, messages, warmUp, before }) => {
  const module = await WebAssembly.compile(readFileSync(setup.wasmPath))
  const hook = (imports, receive) => ({ started: WebAssembly.instantiate(module, imports).then(receive) })
  // The engine optimises what ran often: in place, on an instance that is thrown away.
  const other = await load(hook, { ...setup.options, UNSAFE_MEMORY: true })
  for (const message of warmUp) await other(null, message, setup.env)
  let handle = await load(hook, setup.options)
  const answers = []
  let memory = null
  let begunNs = 0n
  for (const [place, message] of messages.entries()) {
    if (place === before) begunNs = nowNs()
    const { Memory, ...answer } = await handle(memory, message, setup.env)
    if (answer.Error) handle = await load(hook, setup.options)
    else memory = Memory
    answers.push([answer.Output ?? '', answer.Error, answer.Messages ?? []])
  }
  process.send({ wallUs: Number(nowNs() - begunNs) / 1000, memoryBytes: memory?.byteLength, answers }, () =>
    process.disconnect()
  )
})
