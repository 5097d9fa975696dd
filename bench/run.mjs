/**
 * Side by side, in one run: (a) a plain loop over ao-loader, (b) ao-audit's replay, (c) the module's `handle` alone.
 * `npm run bench [-- --rounds 5] [--only TEXT]`; BENCHMARKS.md says how to read it.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { LOADER_0_0_49 } from '../dist/src/replay/profile.js'
import { replay } from '../dist/src/replay/replay.js'
import { machine, runNaive, shown, spread } from './measure.mjs'
import { aosStream, smallStream } from './streams.mjs'

/** Messages at the head that are not measured, so that the engine has optimised the module; whole batches of the replay. */
const WARM_UP = 200
/** Per cent of messages that fail. */
const ERRORS = [0, 10, 100]
/** How many messages are measured a round: the plain loop is slow. */
const MEMORIES = [
  { module: 'small', mib: 4, measured: { naive: 400, replay: 10_000 } },
  { module: 'aos', mib: 110, measured: { naive: 40, replay: 1000 } },
  { module: 'aos', mib: 512, ballastMib: 400, measured: { naive: 10, replay: 500 } }
]

/** (b), and (c) as it is told of every message. The clock begins when the results of the warm-up are there. */
async function runReplay({ setup, messages }) {
  async function* plan() {
    for (const [nonce, message] of messages.entries()) {
      yield {
        key: { ordinate: nonce, timestamp: message.Timestamp ?? nonce },
        nonce,
        saved: true,
        work: { kind: 'run', message }
      }
    }
  }
  const answers = []
  let handleUs = 0
  let begunMs = 0
  const onRun = (us) => {
    if (answers.length >= WARM_UP) handleUs += us
  }
  const job = { setup, profile: LOADER_0_0_49, plan, onRun }
  for await (const { outcome } of replay(job)) {
    if (outcome.kind !== 'result') throw new Error(`the replay answered ${JSON.stringify(outcome)}`)
    answers.push(outcome.result)
    if (answers.length === WARM_UP) begunMs = performance.now()
  }
  const wallUs = (performance.now() - begunMs) * 1000
  return { wallUs, handleUs, answers: answers.map(({ Output, Error: error, Messages }) => [Output, error, Messages]) }
}

/** Both must have answered alike, and as many failed as the stream says: a fast wrong answer is none. */
function assertSame({ name, errors }, naive, replayed) {
  for (const [place, answer] of naive.entries()) {
    const [left, right] = [JSON.stringify(answer), JSON.stringify(replayed[place])]
    if (left !== right) throw new Error(`${name}, message ${place}: ${left.slice(0, 300)} against ${right.slice(0, 300)}`)
  }
  const failed = replayed.slice(WARM_UP).filter(([, error]) => error !== undefined).length
  const measured = replayed.length - WARM_UP
  if (Math.abs(failed / measured - errors / 100) > 0.01) throw new Error(`${name}: ${failed} of ${measured} failed`)
}

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, only: { type: 'string', default: '' } }
})
const rounds = Number(options.rounds)
const folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-bench-'))
const streams = []
for (const { module, mib, ballastMib, measured } of MEMORIES) {
  for (const errors of ERRORS) {
    const name = `${module}, ${mib} MB, ${errors} % errors`
    if (!name.includes(options.only)) continue
    const wanted = { errors: errors / 100, messages: WARM_UP + measured.replay }
    const stream = module === 'aos' ? aosStream({ ...wanted, ballastMib }) : await smallStream({ ...wanted, mib, folder })
    streams.push({ name, errors, measured, ...stream, messages: stream.messages.slice(0, wanted.messages), rounds: [] })
  }
}

for (let round = 1; round <= rounds; round++) {
  for (const stream of streams) {
    const naive = await runNaive(stream, { warmUp: WARM_UP, measured: stream.measured.naive })
    const replayed = await runReplay(stream)
    assertSame(stream, naive.answers, replayed.answers)
    stream.rounds.push({
      naivePerSecond: (stream.measured.naive / naive.wallUs) * 1e6,
      replayPerSecond: (stream.measured.replay / replayed.wallUs) * 1e6,
      handleShare: replayed.handleUs / replayed.wallUs,
      memoryBytes: naive.memoryBytes
    })
    process.stderr.write(`round ${round} of ${rounds}: ${stream.name}\n`)
  }
}
rmSync(folder, { recursive: true })

const results = streams.map(({ name, measured, rounds: measurements }) => ({
  stream: name,
  memoryBytes: measurements[0].memoryBytes,
  messages: measured,
  naivePerSecond: spread(measurements.map(({ naivePerSecond }) => naivePerSecond)),
  replayPerSecond: spread(measurements.map(({ replayPerSecond }) => replayPerSecond)),
  speedup: spread(measurements.map(({ naivePerSecond, replayPerSecond }) => replayPerSecond / naivePerSecond)),
  handleShare: spread(measurements.map(({ handleShare }) => handleShare)),
  rounds: measurements
}))
const table = new Table({
  head: ['stream', 'memory, MB', '(a) /s', '(b) /s', '(b) / (a)', '(c) in (b), %'],
  style: { head: [], border: [] }
})
for (const { stream, memoryBytes, naivePerSecond, replayPerSecond, speedup, handleShare } of results) {
  // Where every message fails there is none.
  const memory = memoryBytes === undefined ? '–' : (memoryBytes / 1e6).toFixed(0)
  table.push([
    stream,
    memory,
    shown(naivePerSecond, 1),
    shown(replayPerSecond, 0),
    shown(speedup, 1),
    shown(handleShare, 1, 100)
  ])
}
console.log(table.toString())
console.log(
  `${rounds} rounds, medians (least–most); node ${machine.node}, ${machine.cores} × ${machine.cpu}, ${machine.system}`
)
mkdirSync('reports', { recursive: true })
writeFileSync('reports/bench.json', `${JSON.stringify({ machine, warmUp: WARM_UP, results }, undefined, 2)}\n`)
console.log('written: reports/bench.json')
