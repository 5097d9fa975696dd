/** Runs a module through the loader in a child process, see run-module.mjs. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { SmallModuleFormat } from './small-module.ts'

/** The loader's response to one message, or its exception. */
export interface Answer {
  /** As JSON without the memory; an Output of nested lists is `{ levels }`. */
  readonly response?: string
  /** An error's name and message, or any other thrown value. */
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
 * Runs messages one after another in one instance, without rollback after a failure.
 *
 * @param messages anything that JSON can write
 * @param peekAt the address of each answer's `peek`, in bytes
 * @throws Error if the module does not load or the child ends without an answer
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
