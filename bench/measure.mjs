/** What the benchmarks share: the plain loop over ao-loader, medians, and the machine they ran on. */
import { fork } from 'node:child_process'
import { cpus, release, totalmem, type } from 'node:os'
import { fileURLToPath } from 'node:url'

const FIRST_NODE_WITH_WASM64 = 24
/** Of the plain loop's own messages, those that are not measured: the module's start and the first growth. */
const NAIVE_BEFORE = 5

export const machine = {
  node: process.version,
  system: `${type()} ${release()}`,
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  memoryBytes: totalmem()
}

/**
 * The plain loop: a process of its own, since the loader replaces globals.
 *
 * @param warmUp how many messages run first, on an instance that is thrown away
 * @param measured how many messages the clock sees
 */
export function runNaive({ setup, messages }, { warmUp, measured }) {
  const wide = Number.parseInt(process.versions.node, 10) < FIRST_NODE_WITH_WASM64
  const child = fork(fileURLToPath(new URL('naive.mjs', import.meta.url)), [], {
    execArgv: wide ? ['--experimental-wasm-memory64'] : [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc']
  })
  child.send({
    setup,
    messages: messages.slice(0, NAIVE_BEFORE + measured),
    warmUp: messages.slice(0, warmUp),
    before: NAIVE_BEFORE
  })
  return new Promise((resolve, reject) => {
    let measurement
    child.once('message', (value) => {
      measurement = value
    })
    // Its memory is free before the next is measured.
    child.once('exit', (code) => (measurement ? resolve(measurement) : reject(new Error(`the plain loop ended with ${code}`))))
  })
}

/** Median, least and most. */
export function spread(values) {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  return { median, least: sorted[0], most: sorted.at(-1) }
}

/** A spread as text. */
export const shown = ({ median, least, most }, digits, factor = 1) =>
  `${(median * factor).toFixed(digits)} (${(least * factor).toFixed(digits)}–${(most * factor).toFixed(digits)})`
