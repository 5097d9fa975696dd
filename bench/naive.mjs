/** A child that replays as a CU does: AoLoader, the whole memory handed in and out with every message. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import './growth.mjs'

const nowUs = (
  (hrtime) => () =>
    Number(hrtime() / 1000n)
)(process.hrtime.bigint.bind(process.hrtime))
// The loader tells of every growth that it had to make in smaller steps.
console.warn = () => {}
const load = createRequire(import.meta.url)('@permaweb/ao-loader')

process.once('message', async ({ setup, messages, warmUp, before }) => {
  const wasm = readFileSync(setup.wasmPath)
  // The engine optimises what ran often: in place, on an instance that is thrown away.
  const other = await load(wasm, { ...setup.options, UNSAFE_MEMORY: true })
  for (const message of warmUp) await other(null, message, setup.env)
  const handle = await load(wasm, setup.options)
  const answers = []
  let memory = null
  let begunUs = 0
  for (const [place, message] of messages.entries()) {
    if (place === before) begunUs = nowUs()
    const { Memory, ...answer } = await handle(memory, message, setup.env)
    if (!answer.Error) memory = Memory
    answers.push([answer.Output ?? '', answer.Error, answer.Messages ?? []])
  }
  process.send({ wallUs: nowUs() - begunUs, memoryBytes: memory?.byteLength, answers }, () => process.disconnect())
})
