/** The sandbox's child: it opens a module, runs batches and answers over IPC. It communicates with nobody else. */

import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import type { KnownMemory } from '../../memory/fingerprint.ts'
import { readGzip } from '../../memory/gzip.ts'
import type { StartMemory } from '../../memory/start-memory.ts'
import type { DriveAnswer, DriveQuestion } from '../drive/source.ts'
import { ModuleFault } from './fault.ts'
import { createHasher } from './hasher.ts'
import { createInstanceFactory, loadLoader } from './instance.ts'
import { packedMemory } from './pack.ts'
import type { SandboxReply, SandboxRequest, SandboxResult } from './protocol.ts'
import { createRunner, type Runner } from './runner.ts'
import { copyDifferences } from './shadow.ts'

// Saved before the loader replaces it.
const hrtime = process.hrtime.bigint.bind(process.hrtime)
const nowUs = () => Number(hrtime() / 1_000n)

const FLUSH_RESULTS = 16
const FLUSH_US = 25_000

/** [sequence, odd while a message runs; index of that message in its batch; 1 while it waits], shared with the watchdog. */
const shared = new Int32Array(new SharedArrayBuffer(12))
let runner: Runner | undefined
let paused = false
let watchdog: Worker | undefined
let wasmRead: { readonly path: string; readonly bytes: ArrayBuffer } | undefined

/** Resolves the file request that waits: a module opens one file after another. */
let driven: ((answer: DriveAnswer) => void) | undefined

const hasher = createHasher()

/** Settles when all replies that wait for an earlier one are sent; undefined if none waits. */
let waiting: Promise<void> | undefined

/** Sends at once if no reply waits, because the next message may never end. */
function send(reply: SandboxReply): void {
  if (waiting === undefined) process.send?.(reply)
  else sendWhenKnown(Promise.resolve(reply))
}

/** Sends a reply that is not known yet; later replies wait for it, so all keep their order. */
function sendWhenKnown(reply: Promise<SandboxReply>): void {
  const sent = Promise.allSettled([reply, waiting]).then(async () => {
    process.send?.(await reply.catch(failed))
    if (waiting === sent) waiting = undefined
  })
  waiting = sent
}

function failed(error: unknown): SandboxReply {
  return { op: 'failed', message: error instanceof Error ? error.message : String(error) }
}

function opened(): Runner {
  if (runner === undefined) throw new Error('the sandbox is not open')
  return runner
}

/** Asks the parent for a file; this time does not count as the module's. */
async function askDrive(question: DriveQuestion): Promise<DriveAnswer> {
  const answered = new Promise<DriveAnswer>((resolve) => {
    driven = resolve
  })
  Atomics.store(shared, 2, 1)
  send({ op: 'drive', question })
  const answer = await answered
  Atomics.store(shared, 2, 0)
  return answer
}

/** Ends the module that was open and frees its memories, so that the next one has as much room as in a child of its own. */
async function endOpened(): Promise<void> {
  if (watchdog === undefined) return
  await watchdog.terminate()
  runner = undefined
  paused = false
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

/** Returns the same buffer for the same file, because the compiled module is cached by buffer. */
async function bytesOf(wasmPath: string): Promise<ArrayBuffer> {
  if (wasmRead?.path === wasmPath) return wasmRead.bytes
  // Pooled bytes would share their ArrayBuffer with others, and metering compiles the whole buffer.
  Buffer.poolSize = 0
  const bytes = new Uint8Array(await readFile(wasmPath)).buffer
  wasmRead = { path: wasmPath, bytes }
  return bytes
}

async function open(request: SandboxRequest & { op: 'open' }): Promise<SandboxReply> {
  await endOpened()
  const wasm = await bytesOf(request.setup.wasmPath)
  const start = request.start === undefined ? undefined : await readStart(request.start)
  watchdog = new Worker(new URL('./watchdog.js', import.meta.url), {
    workerData: { shared, limits: request.limits }
  })
  watchdog.unref()
  send({ op: 'begun' })
  // A module may loop while it is compiled and started, so the watchdog counts this as a message.
  Atomics.store(shared, 1, -1)
  Atomics.add(shared, 0, 1)
  try {
    const factory = await createInstanceFactory(wasm, request.setup, request.profile, request.limits.heapBytes, askDrive)
    runner = await createRunner(factory, nowUs, start)
    return { op: 'opened', memoryBytes: runner.memory().byteLength, clockStart: factory.clockStart, layout: runner.layout() }
  } catch (error) {
    if (error instanceof ModuleFault) return { op: 'refused', reason: error.message }
    throw error
  } finally {
    Atomics.add(shared, 0, 1)
  }
}

/** Reads a memory, never more than its stated size. */
async function readStart({ path, bytes, clock }: StartMemory): Promise<Parameters<typeof createRunner>[2]> {
  const memory = new Uint8Array(bytes)
  const begin = () => {
    let at = 0
    return {
      take(chunk: Uint8Array) {
        if (at + chunk.byteLength > bytes) throw new Error(`the memory is larger than ${bytes} bytes`)
        memory.set(chunk, at)
        at += chunk.byteLength
      },
      end: () => at
    }
  }
  const read = await readGzip(path, begin)
  if (read !== bytes) throw new Error(`the memory has ${read} bytes, not ${bytes}`)
  return { bytes, clock, copyInto: (target) => copyDifferences(memory, target) }
}

/** Runs a batch and sends results in groups, soon enough that few wait behind a message that may never end. */
async function run({ batch, pause }: SandboxRequest & { op: 'run' }): Promise<void> {
  let results: SandboxResult[] = []
  let flushedUs = nowUs()
  if (paused) return send({ op: 'results', results, last: true, paused })
  for (const [index, entry] of batch.entries()) {
    Atomics.store(shared, 1, index)
    Atomics.add(shared, 0, 1)
    const result = await opened().run(entry)
    Atomics.add(shared, 0, 1)
    results.push(result)
    paused = pause && (result.clockRead !== undefined || result.instanceHeldMore === true)
    if (paused) break
    if (results.length >= FLUSH_RESULTS || nowUs() - flushedUs >= FLUSH_US) {
      send({ op: 'results', results, last: false, paused })
      results = []
      flushedUs = nowUs()
    }
  }
  send({ op: 'results', results, last: true, paused })
}

async function sendState(running: Runner, likely: readonly KnownMemory[]): Promise<void> {
  const { sha256 } = await hasher.hash(running.memory(), likely)
  const state = running.state()
  sendWhenKnown(sha256.then((known) => ({ op: 'state', state: { sha256: known, ...state } })))
}

async function exportTo(path: string): Promise<void> {
  await pipeline(Readable.from(packedMemory(opened().memory())), createWriteStream(path, { flags: 'wx' }))
}

async function answer(request: SandboxRequest): Promise<void> {
  if (request.op === 'run') return run(request)
  if (request.op === 'open') return send(await open(request))
  if (request.op === 'hash' && !paused) return sendState(opened(), request.likely)
  if (request.op === 'undo') await opened().undo()
  if (request.op === 'undo' || request.op === 'resume') paused = false
  if (request.op === 'export' && !paused) await exportTo(request.path)
  send({ op: 'done' })
}

let queue = Promise.resolve()
process.on('message', (request: SandboxRequest) => {
  // The request that waits for this answer holds the queue.
  if (request.op === 'driven') return driven?.(request.answer)
  queue = queue.then(() => answer(request)).catch((error: unknown) => send(failed(error)))
})
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
loadLoader()
