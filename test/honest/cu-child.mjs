/**
 * Evaluates like the worker of a Compute Unit (permaweb/ao, servers/cu/src/effects/worker/evaluate.js and effects/wasm.js, at
 * ff178d51): one instance for each stream, the whole memory in and out with each message, a new instance after an Error. It uses
 * the published loader unchanged, which replaces `Date.now` and more in this process, so nothing else may run here.
 */
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { setFlagsFromString } from 'node:v8'
import '../modules/before-loader.mjs'

// Needed up to Node 23; later versions always have 64-bit memories.
if (Number.parseInt(process.versions.node, 10) < 24) setFlagsFromString('--experimental-wasm-memory64')
const { instantiate } = WebAssembly
const AoLoader = createRequire(import.meta.url)('@permaweb/ao-loader')
const compile = WebAssembly.compile
const compiled = new Map()

/** Runs the evaluations of one unit, stream by stream, and returns each result's JSON and the requested memories. */
async function run({ wasm, key, options, environment, zone, path, first, streams }) {
  process.env.TZ = zone
  process.argv[1] = path
  const { format } = options
  const compiledAs = `${key} ${format}`
  if (!compiled.has(compiledAs)) compiled.set(compiledAs, await compile(Buffer.from(wasm).buffer, { format }))
  const module = compiled.get(compiledAs)
  const begin = () => newInstance(module, options, environment)

  const begun = first === null ? null : Buffer.from(first)
  let memory = begun
  const texts = []
  const memories = []
  const neededAgain = new Set(streams.map(({ from }) => from))
  for (const stream of streams) {
    // A restarted unit goes on with an earlier memory.
    if (stream.from !== undefined) memory = stream.from === null ? begun : memories[stream.from]
    let handle
    for (const { message, env } of stream.evaluations) {
      handle ??= await begin()
      const output = await evaluate(handle, memory, message, env)
      if (output.Error) handle = undefined
      memory = output.Memory
      texts.push(JSON.stringify({ ...output, Memory: undefined }))
    }
    const keep = stream.wanted === 'memory' || neededAgain.has(memories.length)
    memories.push(keep ? memory : stream.wanted === 'hash' ? createHash('sha256').update(memory).digest('hex') : null)
  }
  return { texts, memories: memories.map((one, place) => (streams[place].wanted === undefined ? null : one)) }
}

/** Calls the loader as the CU does, but with the environment of 0.0.44, which this loader leaves empty. */
function newInstance(module, options, environment) {
  return new Promise((resolve, reject) => {
    const hook = (info, receive) => {
      let memory
      for (const imports of new Set(Object.values(info))) giveEnvironment(imports, environment, options.format, () => memory)
      instantiate(module, info).then((instance) => {
        memory = instance.exports.memory ?? Object.values(instance.exports).find((one) => one instanceof WebAssembly.Memory)
        receive({ exports: instance.exports })
      }, reject)
      return {}
    }
    AoLoader(hook, options).then(resolve, reject)
  })
}

function giveEnvironment(imports, environment, format, memory) {
  if (typeof imports.environ_get !== 'function') return
  const wide = format.startsWith('wasm64')
  const strings = environment.map((text) => Buffer.from(`${text}\0`))
  const put = (at, value) => {
    const view = new DataView(memory().buffer)
    if (wide) view.setBigUint64(Number(at), BigInt(value), true)
    else view.setUint32(Number(at), value, true)
  }
  imports.environ_sizes_get = (count, bytes) => {
    put(count, strings.length)
    put(
      bytes,
      strings.reduce((sum, text) => sum + text.length, 0)
    )
    return 0
  }
  imports.environ_get = (table, buffer) => {
    let at = Number(buffer)
    for (const [place, text] of strings.entries()) {
      put(Number(table) + place * (wide ? 8 : 4), at)
      new Uint8Array(memory().buffer).set(text, at)
      at += text.length
    }
    return 0
  }
}

/** Evaluates one message: an exception becomes an Error, and an Error leaves the memory unchanged. */
async function evaluate(handle, memory, message, env) {
  const { log } = console
  const { random } = Math
  let response
  try {
    response = await handle(memory ?? new Uint8Array(0), message, env)
  } catch (error) {
    response = { Error: error }
  } finally {
    console.log = log
    Math.random = random
  }
  const or = (value, otherwise) => (value === undefined || value === null || Number.isNaN(value) ? otherwise : value)
  const failed = Boolean(or(response.Error, undefined))
  return {
    Memory: failed || saysOutOfMemory(response.Output) ? memory : Buffer.from(response.Memory),
    Messages: or(response.Messages, []),
    Assignments: or(response.Assignments, []),
    Spawns: or(response.Spawns, []),
    Output: typeof response.Output === 'number' ? String(or(response.Output, '')) : or(response.Output, ''),
    GasUsed: or(response.GasUsed, undefined),
    Error: or(response.Error, undefined)
  }
}

function saysOutOfMemory(output) {
  const text = typeof output === 'object' ? output?.data?.output : output
  return typeof text === 'string' && text.endsWith('not enough memory for buffer allocation')
}

let turn = Promise.resolve()
process.on('message', ({ id, request }) => {
  turn = turn.then(async () => {
    try {
      process.send({ id, reply: await run(request) })
    } catch (error) {
      process.send({ id, failed: error instanceof Error ? String(error.stack) : JSON.stringify(error) })
    }
  })
})
