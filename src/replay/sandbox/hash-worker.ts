/** A thread that hashes memories. */
import { createHash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'

parentPort?.on('message', (memory: Uint8Array) => {
  parentPort?.postMessage(createHash('sha256').update(memory).digest('hex'))
})
