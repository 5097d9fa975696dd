/**
 * A thread of the sandbox's child that ends the child when a message takes too long or too much memory. The main thread
 * cannot do it: a module that loops never gives it back. It says why on file descriptor 3 first.
 */
import { writeSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import type { SandboxLimits, WatchdogReport } from './protocol.ts'

const POLL_MS = 50

const { shared, limits } = workerData as { shared: Int32Array; limits: SandboxLimits }
const monotonicMs = () => Number(process.hrtime.bigint() / 1_000_000n)

let seen = 0
let seenAtMs = monotonicMs()
let lookedAtMs = seenAtMs

function end(limit: WatchdogReport['limit']): void {
  const report: WatchdogReport = { limit, index: Atomics.load(shared, 1) }
  writeSync(3, `${JSON.stringify(report)}\n`)
  process.kill(process.pid, 'SIGKILL')
}

setInterval(() => {
  // The sequence is odd while a message runs.
  const sequence = Atomics.load(shared, 0)
  const nowMs = monotonicMs()
  // Time in which the auditor fetches a file is not the message's.
  if (Atomics.load(shared, 2) === 1) seenAtMs += nowMs - lookedAtMs
  lookedAtMs = nowMs
  if (sequence !== seen || sequence % 2 === 0) {
    seen = sequence
    seenAtMs = nowMs
  } else if (nowMs - seenAtMs > limits.messageMs) end('time')
  if (process.memoryUsage.rss() > limits.residentBytes) end('memory')
}, POLL_MS)
