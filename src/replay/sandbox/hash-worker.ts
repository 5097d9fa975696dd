/** A thread that hashes memories. */
import { parentPort } from 'node:worker_threads'
import { sha256Of } from './sha256.ts'

parentPort?.on('message', (memory: Uint8Array) => {
  parentPort?.postMessage(sha256Of(memory))
})
