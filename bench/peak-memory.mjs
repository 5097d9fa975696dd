/**
 * Preloaded into an audit: at the end of the main thread it writes the process's peak memory to the file in `PEAK_MEMORY_FILE`, in
 * bytes: all that was resident, and of it what is not a mapped file (sampled, on Linux; 0 elsewhere).
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const file = process.env.PEAK_MEMORY_FILE
// The sandbox's child is a process of its own, and is not asked.
delete process.env.PEAK_MEMORY_FILE
if (isMainThread && file !== undefined) {
  let ownBytes = 0
  const sample = () => {
    const [, kib = 0] = /RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    ownBytes = Math.max(ownBytes, Number(kib) * 1024)
  }
  if (process.platform === 'linux') setInterval(sample, 100).unref()
  process.once('exit', () => {
    const peakBytes = process.resourceUsage().maxRSS * 1024
    writeFileSync(file, JSON.stringify({ peakBytes, ownBytes }))
  })
}
