/** Hashes memories while the next messages run. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { type KnownMemory, knownAs } from '../../memory/fingerprint.ts'
import { sha256Of } from './sha256.ts'
import { createShadow } from './shadow.ts'

/** Larger memories are not copied, because the copy would take too much of the sandbox's limit. */
const COPIED_MAX_BYTES = 512 * 1024 * 1024

export interface Hasher {
  /**
   * Hashes a memory as it is now with SHA-256. The memory may change as soon as the first promise resolves; the second one resolves
   * to the hash, lowercase hex.
   *
   * @param likely memories that it probably equals
   */
  hash(memory: Uint8Array, likely: readonly KnownMemory[]): Promise<{ readonly sha256: Promise<string> }>
}

/**
 * Compares with likely memories at once. Otherwise it hashes a sparse copy on a thread, because a copy takes a twentieth of the
 * time.
 */
export function createHasher(): Hasher {
  const shadow = createShadow((bytes) => new Uint8Array(new SharedArrayBuffer(bytes)))
  let worker: Worker | undefined
  let last: Promise<unknown> = Promise.resolve()

  async function onThread(): Promise<string> {
    worker ??= new Worker(new URL('./hash-worker.js', import.meta.url))
    worker.unref()
    const answered = once(worker, 'message') as Promise<[string]>
    worker.postMessage(shadow.copy)
    return (await answered)[0]
  }

  return {
    async hash(memory, likely) {
      const known = knownAs(memory, likely)
      if (known !== undefined) return { sha256: Promise.resolve(known.sha256) }
      if (memory.byteLength > COPIED_MAX_BYTES) return { sha256: Promise.resolve(sha256Of(memory)) }
      // The thread reads the copy until then.
      await last.catch(() => {})
      shadow.sync(memory)
      const sha256 = onThread()
      last = sha256
      return { sha256 }
    }
  }
}
