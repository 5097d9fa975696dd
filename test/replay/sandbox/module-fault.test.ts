/** Modules that cannot run: the replay reports a fault of the module, not of the sandbox. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import wabt from 'wabt'
import type { Evaluation } from '../../../src/model/records.ts'
import type { PlannedEvaluation } from '../../../src/replay/plan/planned.ts'
import { LEGACYNET } from '../../../src/replay/profile.ts'
import { replay } from '../../../src/replay/replay.ts'
import { SMALL_MODULE_FORMATS, type SmallModuleFormat } from '../../modules/small-module.ts'

const FORMAT = 'wasm32-unknown-emscripten4'
let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-fault-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function binaryOf(wat: string): Promise<Uint8Array> {
  const parsed = (await wabt()).parseWat('module.wat', wat)
  try {
    return parsed.toBinary({}).buffer
  } finally {
    parsed.destroy()
  }
}

async function evaluated(wasm: Uint8Array, format: SmallModuleFormat = FORMAT): Promise<readonly Evaluation[]> {
  const wasmPath = path.join(folder, 'module.wasm')
  writeFileSync(wasmPath, wasm)
  async function* plan(): AsyncGenerator<PlannedEvaluation> {
    for (let nonce = 0; nonce < 12; nonce++) {
      const work = { kind: 'run', message: { Data: 'count' } } as const
      yield { key: { ordinate: nonce, timestamp: 1000 + nonce }, nonce, saved: true, work }
    }
  }
  const setup = { wasmPath, format, env: {}, options: {} }
  const limits = { messageMs: 1500, heapBytes: 64 * 1024 * 1024 }
  const found: Evaluation[] = []
  for await (const one of replay({ setup, profile: LEGACYNET, plan, limits })) found.push(one)
  return found
}

function expectFault(found: readonly Evaluation[], reason: string | RegExp, limit?: true): void {
  expect(found).toHaveLength(12)
  const [first, ...rest] = found.map(({ outcome }) => outcome)
  expect(first).toEqual({
    kind: 'inconclusive',
    reason: expect.stringMatching(reason),
    fault: 'module',
    ...(limit === undefined ? {} : { limit })
  })
  for (const outcome of rest) {
    const words = /^an earlier evaluation is inconclusive: the module /
    expect(outcome).toEqual({ kind: 'inconclusive', reason: expect.stringMatching(words) })
  }
}

const FAULTY: readonly (readonly [string, string, RegExp])[] = [
  [
    'imports a function that no loader has',
    '(module (import "env" "nobody_has_it" (func)) (memory (export "memory") 1))',
    /nobody_has_it/
  ],
  ['has no memory', '(module)', /the module cannot be instantiated: it exports no memory/],
  ['exports only a memory', '(module (memory (export "memory") 1))', /the module cannot be instantiated/],
  ['imports a memory', '(module (import "env" "memory" (memory 1)))', /the module cannot be instantiated/],
  [
    'traps at its start',
    '(module (memory (export "memory") 1) (func $trap (unreachable)) (start $trap))',
    /instantiated: unreachable/
  ],
  [
    'begins with more memory than the limit',
    '(module (memory (export "memory") 2000))',
    /begins with 131072000 bytes .* limit is 67108864/
  ]
]

describe('replay', () => {
  it.each(FAULTY)('ends every evaluation as inconclusive if the module %s', { timeout: 30_000 }, async (_, wat, reason) => {
    expectFault(await evaluated(await binaryOf(wat)), reason)
  })

  it.each(SMALL_MODULE_FORMATS)('reports a module in %s that is empty or not WASM', { timeout: 30_000 }, async (format) => {
    for (const bytes of [new Uint8Array(0), Buffer.from('no WASM at all'), Buffer.from([0, 97, 115, 109, 1, 0, 0, 0, 10, 255])])
      expectFault(await evaluated(bytes, format), /^the module does not compile|^the module cannot be/)
  })

  it('stops a module that loops at its start at the time limit of a message', { timeout: 30_000 }, async () => {
    const wat = '(module (memory (export "memory") 1) (func $ever (loop $more (br $more))) (start $ever))'
    const reason = 'the module cannot be started: it took longer than the limit and was stopped'
    expectFault(await evaluated(await binaryOf(wat)), reason, true)
  })

  it('fails with SANDBOX_FAILED if the file of the module is missing', { timeout: 30_000 }, async () => {
    async function* plan(): AsyncGenerator<PlannedEvaluation> {
      yield { key: { ordinate: 0, timestamp: 1 }, nonce: 0, saved: true, work: { kind: 'run', message: { Data: 'count' } } }
    }
    const setup = { wasmPath: path.join(folder, 'nowhere.wasm'), format: FORMAT, env: {}, options: {} }
    await expect(replay({ setup, profile: LEGACYNET, plan }).next()).rejects.toMatchObject({ code: 'SANDBOX_FAILED' })
  })
})
