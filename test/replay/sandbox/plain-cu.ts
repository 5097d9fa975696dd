/** Evaluates through the published loader as a Compute Unit does, in its own child: see plain-cu.mjs. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface PlainRequest {
  readonly wasm: Uint8Array
  readonly format: string
  /** Path of the unit's script, which some formats show to the module. */
  readonly script: string
  readonly env: unknown
  readonly messages: readonly unknown[]
  /** The time zone of the unit's host. Default: UTC. */
  readonly timeZone?: string
}

export interface PlainEvaluation {
  /** The result's JSON. */
  readonly text: string
  /** Hash of the memory with which the unit continues; undefined before there is one. */
  readonly sha256: string | undefined
}

const SCRIPT = fileURLToPath(new URL('./plain-cu.mjs', import.meta.url))
const FIRST_NODE_WITH_WASM64 = 24

/** @throws Error if the module does not load or the child ends without an answer */
export function evaluatePlainly({ timeZone = 'UTC', ...request }: PlainRequest): Promise<readonly PlainEvaluation[]> {
  const wide = Number.parseInt(process.versions.node, 10) < FIRST_NODE_WITH_WASM64
  const child = fork(SCRIPT, [], {
    serialization: 'advanced',
    env: { TZ: timeZone, LC_ALL: 'C' },
    execArgv: wide ? ['--experimental-wasm-memory64'] : [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc']
  })
  return new Promise((resolve, reject) => {
    child.once('message', (reply: { readonly evaluated?: readonly PlainEvaluation[]; readonly failed?: string }) =>
      reply.evaluated === undefined ? reject(new Error(reply.failed)) : resolve(reply.evaluated)
    )
    child.once('error', reject)
    child.once('exit', (code, signal) => reject(new Error(`the child ended (${signal ?? code}) without an answer`)))
    child.send(request)
  })
}
