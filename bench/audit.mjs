/**
 * A whole audit against the plain loop, in one run: `npm run bench:audit [-- --rounds 5] [--capture long64]`. The capture is served
 * on loopback; the store is cold, signatures are verified, results and checkpoints compared. BENCHMARKS.md says how to read it.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { planSubject, readSubject } from '../dist/src/audit/subject.js'
import { createInputs } from '../dist/src/inputs/inputs.js'
import { openStore } from '../dist/src/store/level-store.js'
import { createTrust } from '../dist/src/verify/trust.js'
import { createVerifier } from '../dist/src/verify/verification-threads.js'
import { inFolder, readCapture, requireCaptures, run, serve } from '../test/captures/network.mjs'
import { machine, runNaive, shown, spread } from './measure.mjs'

const WARM_UP = 200
const NAIVE_MESSAGES = 40

requireCaptures()
const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, capture: { type: 'string', default: 'long64' } }
})
const rounds = Number(options.rounds)
const network = await serve(options.capture)
const { process: id } = readCapture(options.capture, 'scenario.json')
const units = ['--scheduler', network.url, '--gateway', network.url, '--compute', network.url]

/** The audit as a user runs it. */
async function audited(folder) {
  const ended = await run(['audit', id, ...units, '--store', path.join(folder, 'store'), '--json', '--quiet'])
  const report = JSON.parse(ended.stdout)
  const { verdict, coverage, checkpoints, timings } = report
  const unread = checkpoints.filter(({ status }) => status !== 'match')
  if (ended.code !== 0 || verdict !== 'match' || unread.length > 0)
    throw new Error(`not a match: ${ended.stdout.slice(0, 500)}`)
  return { wallMs: ended.seconds * 1000, messages: coverage.compared, checkpoints: checkpoints.length, timings }
}

/** What the plain loop runs: the same module and messages, out of the store that an audit left. */
async function streamIn(folder) {
  const store = await openStore(path.join(folder, 'store'))
  const inputs = createInputs(store)
  const [asked] = await inputs.runs(id)
  const trust = createTrust([], [])
  const verifier = createVerifier()
  const subject = await readSubject(store, inputs, asked, verifier, trust)
  const { plan } = planSubject({ inputs, run: asked, subject, trust })
  const messages = []
  for await (const { work } of plan('all')) if (work.kind === 'run') messages.push(work.message)
  await verifier.close()
  await store.close()
  return { setup: subject.setup, messages }
}

const measured = []
await inFolder(async (folder) => {
  await audited(folder)
  const stream = await streamIn(folder)
  for (let round = 1; round <= rounds; round++) {
    const naive = await runNaive(stream, { warmUp: WARM_UP, measured: NAIVE_MESSAGES })
    const whole = await inFolder(audited)
    measured.push({ ...whole, naivePerSecond: (NAIVE_MESSAGES / naive.wallUs) * 1e6 })
    process.stderr.write(`round ${round} of ${rounds}\n`)
  }
})
await network.close()

const of = (value) => spread(measured.map(value))
const results = {
  naivePerSecond: of(({ naivePerSecond }) => naivePerSecond),
  auditPerSecond: of(({ messages, wallMs }) => (messages * 1000) / wallMs),
  speedup: of(({ messages, wallMs, naivePerSecond }) => (messages * 1000) / wallMs / naivePerSecond),
  wallMs: of(({ wallMs }) => wallMs),
  replayMs: of(({ timings }) => timings.replayMs),
  moduleMs: of(({ timings }) => timings.moduleMs),
  verifyMs: of(({ timings }) => timings.verifyMs),
  fetchMs: of(({ timings }) => timings.fetchMs),
  elsewhereMs: of(({ wallMs, timings }) => wallMs - timings.replayMs - timings.verifyMs)
}
const [{ messages, checkpoints }] = measured
const table = new Table({
  head: [`${options.capture}: ${messages} messages, ${checkpoints} checkpoints`, ''],
  style: { head: [], border: [] }
})
table.push(
  ['(a) plain loop, messages/s', shown(results.naivePerSecond, 1)],
  ['whole audit, messages/s', shown(results.auditPerSecond, 1)],
  ['ratio', shown(results.speedup, 1)],
  ['wall time, ms', shown(results.wallMs, 0)],
  ['  replay, ms', shown(results.replayMs, 0)],
  ['    of it within the module, ms', shown(results.moduleMs, 0)],
  ['  inputs read and verified before it, ms', shown(results.verifyMs, 0)],
  ['  start, what is fetched before it, report, end, ms', shown(results.elsewhereMs, 0)],
  ['fetch, most of it beside the replay, ms', shown(results.fetchMs, 0)]
)
console.log(table.toString())
console.log(
  `${rounds} rounds, medians (least–most); node ${machine.node}, ${machine.cores} × ${machine.cpu}, ${machine.system}`
)
mkdirSync('reports', { recursive: true })
writeFileSync('reports/bench-audit.json', `${JSON.stringify({ machine, results, rounds: measured }, undefined, 2)}\n`)
console.log('written: reports/bench-audit.json')
