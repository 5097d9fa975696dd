/** A thread that unpacks memories: the audit's own thread feeds the sandbox meanwhile. */
import { createHash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import type { MemoryLayout } from '../model/records.ts'
import { memoryDifference } from './difference.ts'
import { environmentBlocks } from './environment.ts'
import { createFingerprint } from './fingerprint.ts'
import { GZIP_CHUNK_BYTES, readGzip, type StreamReader } from './gzip.ts'

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
  /** What in it looks like a C environment, `NAME=value`: each text once, the first few. */
  readonly environments: readonly (readonly string[])[]
}

const ZEROS = Buffer.alloc(GZIP_CHUNK_BYTES)
const NOTHING = Buffer.alloc(0)

/** What lies before a chunk and may belong to what begins in it. */
const OVERLAP_BYTES = 256 * 1024
/** More texts of one memory are not looked at: a process may write as many as it likes. */
const ENVIRONMENTS_MAX = 8

/** Never takes more than `maxBytes`, whatever the file says that it unpacks to. */
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

/** The memory itself is not kept. */
function beginUnpacking(): StreamReader<Unpacked> {
  const hash = createHash('sha256')
  const fingerprint = createFingerprint()
  let bytes = 0
  const environments = new Map<string, readonly string[]>()
  let before = NOTHING

  function look(chunk: Buffer): void {
    // Most of a memory; strings that are ended by one zero each do not go on behind it.
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

// One after another: the answers are told apart by their order alone.
let queue = Promise.resolve()
parentPort?.on('message', (question: MemoryQuestion) => {
  queue = queue.then(() => answer(question))
})
