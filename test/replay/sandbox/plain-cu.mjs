/**
 * A child that evaluates as a Compute Unit does, with the published loader (protocol §2.8, §2.10): the memory goes in and out
 * with each message, and after an Error a new instance continues with the memory before it.
 */
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { cuResult } from '../../../dist/src/replay/sandbox/cu-result.js'
import '../../modules/before-loader.mjs'

async function evaluate({ wasm, format, script, env, messages }) {
  process.argv[1] = script
  const load = createRequire(import.meta.url)('@permaweb/ao-loader')
  const begin = () => load(wasm, { format })
  let handle = await begin()
  let memory = null
  const evaluated = []
  for (const message of messages) {
    const answer = await handle(memory, message, env).then(
      (response) => ({ thrown: false, response }),
      (error) => ({ thrown: true, error })
    )
    const { text, keepsMemory, newInstance } = cuResult(answer)
    if (keepsMemory) memory = answer.response.Memory
    if (newInstance) handle = await begin()
    evaluated.push({ text, sha256: memory === null ? undefined : createHash('sha256').update(memory).digest('hex') })
  }
  return evaluated
}

process.once('message', (request) => {
  void evaluate(request)
    .then((evaluated) => ({ evaluated }))
    .catch((error) => ({ failed: String(error) }))
    .then((reply) => process.send(reply, () => process.disconnect()))
})
