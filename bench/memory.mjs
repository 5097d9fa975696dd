/**
 * Whether an audit's memory grows with the number of messages: the peak of the auditor's own process, without its sandboxes, at
 * 20,000 and at 200,000 messages. `npm run bench:memory`; other numbers behind `--`.
 */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { writeSyntheticArchive } from './synthetic.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const MIB = 1024 * 1024
const run = promisify(execFile)

const given = process.argv.slice(2).map(Number)
const sizes = given.length > 0 ? given : [20_000, 200_000]
const folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-memory-'))
try {
  const measured = []
  for (const messages of sizes) {
    measured.push(await measure(messages))
    const { peakBytes, ownBytes, auditMs, messagesPerSecond } = measured.at(-1)
    const speed = `${Math.round(messagesPerSecond)} messages/s in ${Math.round(auditMs / 1000)} s`
    const own = `${(ownBytes / MIB).toFixed(1)} MiB without mapped files`
    console.log(`${messages} messages: peak ${(peakBytes / MIB).toFixed(1)} MiB, ${own}, ${speed}`)
  }
  const [first, last] = [measured[0], measured.at(-1)]
  const ratio = last.peakBytes / first.peakBytes
  const ownRatio = last.ownBytes / first.ownBytes
  const bytesPerMessage = (last.peakBytes - first.peakBytes) / Math.max(1, last.messages - first.messages)
  console.log(
    `ratio ${ratio.toFixed(2)}, without mapped files ${ownRatio.toFixed(2)}, ${bytesPerMessage.toFixed(0)} bytes for every message more`
  )
  const [cpu] = cpus()
  const machine = { node: process.version, cpu: cpu?.model, cores: availableParallelism(), memoryBytes: totalmem() }
  mkdirSync(path.join(ROOT, 'reports'), { recursive: true })
  const result = { machine, measured, ratio, ownRatio, bytesPerMessage }
  writeFileSync(path.join(ROOT, 'reports/memory.json'), `${JSON.stringify(result, null, 2)}\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function measure(messages) {
  const file = path.join(folder, `${messages}.tar.gz`)
  const begun = performance.now()
  await writeSyntheticArchive({ messages, folder, file })
  const generateMs = performance.now() - begun
  const peakFile = path.join(folder, `${messages}.peak`)
  const preload = new URL('peak-memory.mjs', import.meta.url).href
  const auditBegun = performance.now()
  const args = ['--import', preload, path.join(ROOT, 'dist/bin/ao-audit.js'), 'audit', '--archive', file, '--json']
  const { stdout } = await run(process.execPath, args, {
    env: { ...process.env, PEAK_MEMORY_FILE: peakFile },
    maxBuffer: 64 * MIB
  })
  const auditMs = performance.now() - auditBegun
  const { verdict, coverage } = JSON.parse(stdout)
  if (verdict !== 'match' || coverage.compared !== messages + 1)
    throw new Error(`not all was compared: ${stdout.slice(0, 2000)}`)
  const { peakBytes, ownBytes } = JSON.parse(readFileSync(peakFile, 'utf8'))
  return { messages, peakBytes, ownBytes, auditMs, messagesPerSecond: messages / (auditMs / 1000), generateMs }
}
