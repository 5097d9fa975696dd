/** A thread that verifies signatures and unpacks memories: the audit's own thread feeds the sandbox meanwhile. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { parentPort } from 'node:worker_threads'
import { createGunzip } from 'node:zlib'
import { environmentBlock } from '../compare/environment.ts'
import { memoryDifference } from '../compare/memory.ts'
import type { MemoryLayout, WireItem } from '../records.ts'
import { verifyMessage } from '../verify/message-item.ts'

/** What the thread is asked. */
export type Question =
  | { readonly kind: 'verify'; readonly items: readonly WireItem[] }
  | { readonly kind: 'unpack'; readonly path: string; readonly maxBytes: number }
  | {
      readonly kind: 'compare'
      readonly claimed: string
      readonly computed: string
      readonly maxBytes: number
      readonly layout: MemoryLayout
    }

/** What a checkpoint's data is, unpacked. */
export interface Unpacked {
  readonly bytes: number
  readonly sha256: string
  /** The C environment in it, `NAME=value`; undefined where there is none. */
  readonly environment?: readonly string[]
}

/** Of a memory that is unpacked, at once: zlib's own 16 KiB take five times as long. */
const CHUNK_BYTES = 1024 * 1024

/** Never more than `maxBytes`, whatever the file says that it unpacks to. */
async function memoryIn(path: string, maxBytes: number): Promise<{ readonly memory: Buffer; readonly sha256: string }> {
  const chunks: Buffer[] = []
  let bytes = 0
  let tooLarge = false
  const hash = createHash('sha256')
  const unpacked = pipeline(createReadStream(path), createGunzip({ chunkSize: CHUNK_BYTES }), async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) {
      bytes += chunk.byteLength
      tooLarge = bytes > maxBytes
      if (tooLarge) return
      hash.update(chunk)
      chunks.push(chunk)
    }
  })
  await unpacked.catch((error: unknown) => {
    if (!tooLarge) throw error
  })
  if (tooLarge) throw new Error(`it unpacks to more than ${maxBytes} bytes`)
  return { memory: Buffer.concat(chunks), sha256: hash.digest('hex') }
}

async function unpack(path: string, maxBytes: number): Promise<Unpacked> {
  const { memory, sha256 } = await memoryIn(path, maxBytes)
  const environment = environmentBlock(memory)?.strings
  return { bytes: memory.byteLength, sha256, ...(environment === undefined ? {} : { environment }) }
}

async function answer(question: Question): Promise<void> {
  if (question.kind === 'verify') return parentPort?.postMessage(question.items.map(verifyMessage))
  try {
    if (question.kind === 'unpack') return parentPort?.postMessage(await unpack(question.path, question.maxBytes))
    const { claimed, computed, maxBytes, layout } = question
    const [left, right] = [await memoryIn(claimed, maxBytes), await memoryIn(computed, maxBytes)]
    parentPort?.postMessage(memoryDifference(left.memory, right.memory, { layout }))
  } catch (error) {
    parentPort?.postMessage({ failed: error instanceof Error ? error.message : String(error) })
  }
}

// One after another: the answers are told apart by their order alone.
let queue = Promise.resolve()
parentPort?.on('message', (question: Question) => {
  queue = queue.then(() => answer(question))
})
