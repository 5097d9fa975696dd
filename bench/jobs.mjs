/**
 * Parts side by side: an audit of 8,000 messages with a checkpoint every 1,000, by one sandbox and by two.
 * `npm run bench:jobs [-- --rounds 3] [--messages 8000]`; BENCHMARKS.md says how to read it.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import Table from 'cli-table3'
import { run } from '../test/captures/network.mjs'
import { machine, shown, spread } from './measure.mjs'
import { writeSyntheticArchive } from './synthetic.mjs'

const CHECKPOINT_EVERY = 1000
/** Some 8 ms, what a process with a grown state takes for a message. */
const WORK = 7_000_000

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, messages: { type: 'string', default: '8000' } }
})
const [rounds, messages] = [Number(options.rounds), Number(options.messages)]
const folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-jobs-'))
const file = path.join(folder, 'stream.tar.gz')

async function audited(jobs) {
  const ended = await run([
    'audit',
    '--archive',
    file,
    '--profile',
    'loader-0.0.49',
    '--jobs',
    String(jobs),
    '--json',
    '--quiet'
  ])
  const { date: _date, digest: _digest, timings, ...report } = JSON.parse(ended.stdout)
  const { verdict, coverage, checkpoints } = report
  const whole = coverage.compared === messages + 1 && checkpoints.every(({ status }) => status === 'match')
  if (verdict !== 'match' || !whole) throw new Error(`not a match: ${ended.stdout.slice(0, 1000)}`)
  return { report, timings, wallMs: ended.seconds * 1000 }
}

const measured = []
try {
  await writeSyntheticArchive({ messages, folder, file, work: WORK, checkpointEvery: CHECKPOINT_EVERY })
  for (let round = 1; round <= rounds; round++) {
    const [one, two] = [await audited(1), await audited(2)]
    if (!isDeepStrictEqual(one.report, two.report)) throw new Error('two sandboxes came to another report')
    const { begun, proven } = two.timings.partsAhead
    measured.push({ oneMs: one.wallMs, twoMs: two.wallMs, oneModuleMs: one.timings.moduleMs, begun, proven })
    process.stderr.write(`round ${round} of ${rounds}\n`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

const of = (value) => spread(measured.map(value))
const results = {
  oneMs: of(({ oneMs }) => oneMs),
  twoMs: of(({ twoMs }) => twoMs),
  oneModuleMs: of(({ oneModuleMs }) => oneModuleMs),
  speedup: of(({ oneMs, twoMs }) => oneMs / twoMs)
}
const [{ begun, proven }] = measured
const table = new Table({
  head: [`${messages} messages, a checkpoint every ${CHECKPOINT_EVERY}`, ''],
  style: { head: [], border: [] }
})
table.push(
  ['--jobs 1, s', shown(results.oneMs, 1, 1 / 1000)],
  ['  of it within the module, s', shown(results.oneModuleMs, 1, 1 / 1000)],
  ['--jobs 2, s', shown(results.twoMs, 1, 1 / 1000)],
  ['--jobs 2 against --jobs 1', shown(results.speedup, 2)],
  ['links between parts', `${begun}, of them proven ${proven}`]
)
console.log(table.toString())
console.log(`${rounds} rounds, medians (least–most), the same reports; node ${machine.node}, ${machine.cores} × ${machine.cpu}`)
mkdirSync('reports', { recursive: true })
writeFileSync('reports/bench-jobs.json', `${JSON.stringify({ machine, results, rounds: measured }, undefined, 2)}\n`)
console.log('written: reports/bench-jobs.json')
