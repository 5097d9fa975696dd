/** Preloaded into an audit: at the end of the main thread it writes the process's peak memory to the file in `PEAK_MEMORY_FILE`. */
import { writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const file = process.env.PEAK_MEMORY_FILE
// The sandbox's child is a process of its own, and is not asked.
delete process.env.PEAK_MEMORY_FILE
if (isMainThread && file !== undefined) {
  process.once('exit', () => writeFileSync(file, String(process.resourceUsage().maxRSS * 1024)))
}
