/** A thread that hashes memories. */
import { parentPort } from 'node:worker_threads'
import { type KnownMemory, sha256Of } from '../../memory-fingerprint.ts'

/** What the thread is asked. */
export interface HashQuestion {
  readonly memory: Uint8Array
  readonly likely: readonly KnownMemory[]
}

parentPort?.on('message', ({ memory, likely }: HashQuestion) => {
  parentPort?.postMessage(sha256Of(memory, likely))
})
