/** A thread that unpacks memories: the audit's own thread feeds the sandbox meanwhile. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { parentPort } from 'node:worker_threads'
import { createGunzip } from 'node:zlib'
import { environmentBlock } from '../compare/environment.ts'
import { memoryDifference } from '../compare/memory.ts'
import { createFingerprint } from '../memory-fingerprint.ts'
import type { MemoryLayout } from '../records.ts'

/** What the thread is asked. */
export type MemoryQuestion =
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
  readonly fingerprint: string
  /** The C environment in it, `NAME=value`; undefined where there is none. */
  readonly environment?: readonly string[]
}

/** Of a memory that is unpacked, at once: zlib's own 16 KiB take five times as long. */
const CHUNK_BYTES = 1024 * 1024

const ZEROS = Buffer.alloc(CHUNK_BYTES)
const NOTHING = Buffer.alloc(0)

/** What lies before a chunk and may belong to what begins in it. */
const OVERLAP_BYTES = 256 * 1024

/** Hands on a memory's chunks as they are unpacked; never more than `maxBytes`, whatever the file says that it unpacks to. */
async function readMemory(
  path: string,
  maxBytes: number,
  take: (chunk: Buffer) => void
): Promise<Pick<Unpacked, 'bytes' | 'sha256'>> {
  let bytes = 0
  let tooLarge = false
  const hash = createHash('sha256')
  const unpacked = pipeline(
    createReadStream(path),
    createGunzip({ chunkSize: CHUNK_BYTES }),
    async (source: AsyncIterable<Buffer>) => {
      for await (const chunk of source) {
        bytes += chunk.byteLength
        tooLarge = bytes > maxBytes
        if (tooLarge) return
        hash.update(chunk)
        take(chunk)
      }
    }
  )
  await unpacked.catch((error: unknown) => {
    if (!tooLarge) throw error
  })
  if (tooLarge) throw new Error(`it unpacks to more than ${maxBytes} bytes`)
  return { bytes, sha256: hash.digest('hex') }
}

/** The memory itself is not kept. */
async function unpack(path: string, maxBytes: number): Promise<Unpacked> {
  let environment: readonly string[] | undefined
  let before = NOTHING
  const fingerprint = createFingerprint()
  const read = await readMemory(path, maxBytes, (chunk) => {
    fingerprint.update(chunk)
    if (environment !== undefined) return
    // Most of a memory; strings that are ended by one zero each do not go on behind it.
    if (ZEROS.equals(chunk)) {
      before = NOTHING
      return
    }
    const both = Buffer.concat([before, chunk])
    environment = environmentBlock(both)?.strings
    before = both.subarray(-OVERLAP_BYTES)
  })
  return { ...read, fingerprint: fingerprint.digest(), ...(environment === undefined ? {} : { environment }) }
}

async function memoryIn(path: string, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  await readMemory(path, maxBytes, (chunk) => void chunks.push(chunk))
  return Buffer.concat(chunks)
}

async function answer(question: MemoryQuestion): Promise<void> {
  try {
    if (question.kind === 'unpack') return parentPort?.postMessage(await unpack(question.path, question.maxBytes))
    const { claimed, computed, maxBytes, layout } = question
    const [left, right] = [await memoryIn(claimed, maxBytes), await memoryIn(computed, maxBytes)]
    parentPort?.postMessage(memoryDifference(left, right, { layout }))
  } catch (error) {
    parentPort?.postMessage({ failed: error instanceof Error ? error.message : String(error) })
  }
}

// One after another: the answers are told apart by their order alone.
let queue = Promise.resolve()
parentPort?.on('message', (question: MemoryQuestion) => {
  queue = queue.then(() => answer(question))
})
