/** A child that runs one module through the loader, which replaces globals and so must not be loaded in the tests' process. */
import { createRequire } from 'node:module'
import './before-loader.mjs'

/** Replaces nested lists by their depth, because they may be too deep for JSON. */
function shallow(output) {
  let levels = 0
  for (let inner = output; Array.isArray(inner); inner = inner[0]) levels++
  return levels === 0 ? output : { levels }
}

/** The loader's answers to one message after another, in one instance without rollback. */
async function run({ wasm, options, messages, peekAt }) {
  const load = createRequire(import.meta.url)('@permaweb/ao-loader')
  const handle = await load(wasm, { ...options, UNSAFE_MEMORY: true })
  const answers = []
  for (const message of messages) {
    try {
      const { Memory, ...response } = await handle(null, message, { Process: { Id: 'p', Tags: [] } })
      const peek = new DataView(Memory).getBigUint64(peekAt, true)
      answers.push({ response: JSON.stringify({ ...response, Output: shallow(response.Output) }), peek })
    } catch (error) {
      answers.push({ thrown: error instanceof Error ? `${error.name}: ${error.message}` : error })
    }
  }
  return { answers }
}

process.once('message', (request) => {
  const failed = (error) => ({ failed: String(error) })
  void run(request)
    .catch(failed)
    .then((reply) => process.send(reply, () => process.disconnect()))
})
