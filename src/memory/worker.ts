/** A thread that unpacks memories, so that the main thread can feed the sandbox in the meantime. */
import { createHash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import type { MemoryLayout } from '../model/records.ts'
import { memoryDifference } from './difference.ts'
import { environmentBlocks } from './environment.ts'
import { createFingerprint } from './fingerprint.ts'
import { GZIP_CHUNK_BYTES, readGzip, type StreamReader } from './gzip.ts'

/** A question to the thread. */
export type MemoryQuestion =
  | { readonly kind: 'unpack'; readonly path: string; readonly maxBytes: number }
  | {
      readonly kind: 'compare'
      readonly claimed: string
      readonly computed: string
      readonly maxBytes: number
      readonly layout: MemoryLayout
    }

/** A checkpoint's unpacked data. */
export interface Unpacked {
  readonly bytes: number
  readonly sha256: string
  readonly fingerprint: string
  /** Blocks that look like a C environment, `NAME=value`: each one once, and only the first few. */
  readonly environments: readonly (readonly string[])[]
}

const ZEROS = Buffer.alloc(GZIP_CHUNK_BYTES)
const NOTHING = Buffer.alloc(0)

/** An environment may begin before a chunk: this many bytes before it are searched again. */
const OVERLAP_BYTES = 256 * 1024
/** Further environments of one memory are ignored: a process may write any number of them. */
const ENVIRONMENTS_MAX = 8

/** Never reads more than `maxBytes`, whatever size the file claims. */
function bounded<T>(maxBytes: number, { take, end }: StreamReader<T>): StreamReader<T> {
  let bytes = 0
  return {
    take(chunk) {
      bytes += chunk.byteLength
      if (bytes > maxBytes) throw new Error(`it unpacks to more than ${maxBytes} bytes`)
      take(chunk)
    },
    end
  }
}

/** Does not keep the memory itself. */
function beginUnpacking(): StreamReader<Unpacked> {
  const hash = createHash('sha256')
  const fingerprint = createFingerprint()
  let bytes = 0
  const environments = new Map<string, readonly string[]>()
  let before = NOTHING

  function look(chunk: Buffer): void {
    // Most chunks are zeros. An environment cannot continue after one, since only one zero separates its strings.
    if (ZEROS.equals(chunk)) {
      before = NOTHING
      return
    }
    const both = Buffer.concat([before, chunk])
    for (const { strings } of environmentBlocks(both)) environments.set(strings.join('\0'), strings)
    before = both.subarray(-OVERLAP_BYTES)
  }

  return {
    take(chunk) {
      bytes += chunk.byteLength
      hash.update(chunk)
      fingerprint.update(chunk)
      if (environments.size < ENVIRONMENTS_MAX) look(chunk)
    },
    end: () => ({
      bytes,
      sha256: hash.digest('hex'),
      fingerprint: fingerprint.digest(),
      environments: [...environments.values()].slice(0, ENVIRONMENTS_MAX)
    })
  }
}

function beginKeeping(): StreamReader<Buffer> {
  const chunks: Buffer[] = []
  return { take: (chunk) => void chunks.push(chunk), end: () => Buffer.concat(chunks) }
}

async function answer(question: MemoryQuestion): Promise<void> {
  try {
    const { maxBytes } = question
    const read = <T>(path: string, begin: () => StreamReader<T>) => readGzip(path, () => bounded(maxBytes, begin()))
    if (question.kind === 'unpack') return parentPort?.postMessage(await read(question.path, beginUnpacking))
    const { claimed, computed, layout } = question
    const [left, right] = [await read(claimed, beginKeeping), await read(computed, beginKeeping)]
    parentPort?.postMessage(memoryDifference(left, right, { layout }))
  } catch (error) {
    parentPort?.postMessage({ failed: error instanceof Error ? error.message : String(error) })
  }
}

// One after another: only the order of the answers shows their questions.
let queue = Promise.resolve()
parentPort?.on('message', (question: MemoryQuestion) => {
  queue = queue.then(() => answer(question))
})
