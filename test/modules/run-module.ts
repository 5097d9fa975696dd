/** Runs a module through the loader in a child: see run-module.mjs. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { SmallModuleFormat } from './small-module.ts'

/** What the loader answered to one message, or threw. */
export interface Answer {
  /** As JSON, without the memory; an Output of lists in lists as `{ levels }`. */
  readonly response?: string
  /** An error's name and message, or whatever else it is. */
  readonly thrown?: unknown
  /** Eight bytes of the memory at `peekAt`, little-endian. */
  readonly peek?: bigint
}

export interface RunOptions {
  readonly format: SmallModuleFormat
  /** Gas. */
  readonly computeLimit?: number
}

export const SCRIPT = fileURLToPath(new URL('./run-module.mjs', import.meta.url))
const FIRST_NODE_WITH_WASM64 = 24

/**
 * Runs messages one after another in one instance; nothing is taken back after a failure.
 *
 * @param messages anything that JSON can write
 * @param peekAt where each answer's `peek` is read, in bytes
 * @throws Error where the module does not load, or the child ends without an answer
 */
export function runModule(
  wasm: Uint8Array,
  options: RunOptions,
  messages: readonly unknown[],
  peekAt = 0
): Promise<readonly Answer[]> {
  const wide = Number.parseInt(process.versions.node, 10) < FIRST_NODE_WITH_WASM64
  const child = fork(SCRIPT, [], {
    serialization: 'advanced',
    execArgv: wide ? ['--experimental-wasm-memory64'] : [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc']
  })
  return new Promise((resolve, reject) => {
    child.once('message', (reply: { readonly answers?: readonly Answer[]; readonly failed?: string }) =>
      reply.answers === undefined ? reject(new Error(reply.failed)) : resolve(reply.answers)
    )
    child.once('error', reject)
    child.once('exit', (code, signal) => reject(new Error(`the child ended (${signal ?? code}) without an answer`)))
    child.send({ wasm, options, messages, peekAt })
  })
}
