/**
 * A thread of the sandbox's child that kills the child when a message takes too long or too much memory. The main thread cannot do
 * that, because a module that loops never returns control. The watchdog first reports the reason on file descriptor 3.
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
  // The time in which the auditor fetches a file does not count as the message's.
  if (Atomics.load(shared, 2) === 1) seenAtMs += nowMs - lookedAtMs
  lookedAtMs = nowMs
  if (sequence !== seen || sequence % 2 === 0) {
    seen = sequence
    seenAtMs = nowMs
  } else if (nowMs - seenAtMs > limits.messageMs) end('time')
  if (process.memoryUsage.rss() > limits.residentBytes) end('memory')
}, POLL_MS)
