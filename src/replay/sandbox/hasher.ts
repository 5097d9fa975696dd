/** Hashes memories while the next messages run. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { type KnownMemory, sha256Of } from '../../memory-fingerprint.ts'
import type { HashQuestion } from './hash-worker.ts'
import { createShadow } from './shadow.ts'

/** Where the copy would take much of what the sandbox may have, there is none. */
const COPIED_MAX_BYTES = 512 * 1024 * 1024

export interface Hasher {
  /**
   * The SHA-256 of a memory as it is now, lowercase hex: as soon as the first promise resolves, the memory may change; the second
   * is the hash.
   *
   * @param likely memories that it may well be
   */
  hash(memory: Uint8Array, likely: readonly KnownMemory[]): Promise<{ readonly sha256: Promise<string> }>
}

/** A sparse copy is hashed on a thread: copying takes a twentieth of the time. */
export function createHasher(): Hasher {
  const shadow = createShadow((bytes) => new Uint8Array(new SharedArrayBuffer(bytes)))
  let worker: Worker | undefined
  let last: Promise<unknown> = Promise.resolve()

  async function onThread(likely: readonly KnownMemory[]): Promise<string> {
    worker ??= new Worker(new URL('./hash-worker.js', import.meta.url))
    worker.unref()
    const answered = once(worker, 'message') as Promise<[string]>
    worker.postMessage({ memory: shadow.copy, likely } satisfies HashQuestion)
    return (await answered)[0]
  }

  return {
    async hash(memory, likely) {
      if (memory.byteLength > COPIED_MAX_BYTES) return { sha256: Promise.resolve(sha256Of(memory, likely)) }
      // The copy is read until then.
      await last.catch(() => {})
      shadow.sync(memory)
      const sha256 = onThread(likely)
      last = sha256
      return { sha256 }
    }
  }
}
