/** Compares the hooked replay with the published loader: results and memories are equal unless the replay names an input. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ExecutionProfile, LEGACYNET } from '../../../src/replay/profile.ts'
import type { SandboxResult } from '../../../src/replay/sandbox/protocol.ts'
import { SMALL_MODULE_FORMATS, type SmallModuleFormat } from '../../modules/small-module.ts'
import { evaluatePlainly } from './plain-cu.ts'
import { type SmallSetup, smallSetup, withSandbox } from './small.ts'

const SCRIPT = '/usr/app/src/effects/worker/evaluator/index.js'
const TIMESTAMP = Date.UTC(2026, 6, 1)
const RUNS = Number(process.env['AO_AUDIT_PLAIN_RUNS'] ?? 4)

interface Compared {
  readonly result: SandboxResult
  /** Text and memory equal those of the plain loader. */
  readonly same: boolean
}

async function bothWays(small: SmallSetup, words: readonly string[], profile: ExecutionProfile, timeZone?: string) {
  const { wasmPath, format, env } = small.setup
  const messages = words.map((Data) => ({ Data, Timestamp: TIMESTAMP }))
  const [plain, hooked] = await Promise.all([
    evaluatePlainly({
      wasm: Uint8Array.from(readFileSync(wasmPath)),
      format,
      script: SCRIPT,
      env,
      messages,
      ...(timeZone === undefined ? {} : { timeZone })
    }),
    withSandbox(
      small,
      async (sandbox) => {
        const found: { readonly result: SandboxResult; readonly sha256: string }[] = []
        for (const message of messages) {
          const { results } = await sandbox.run([{ message, fresh: false }])
          const [result] = results
          if (result === undefined) throw new Error('the sandbox ended')
          found.push({ result, sha256: (await sandbox.state()).sha256 })
        }
        return found
      },
      {},
      profile
    )
  ])
  return hooked.map(({ result, sha256 }, place): Compared => {
    const { text, sha256: expected = sha256 } = plain[place] ?? { text: '', sha256: '' }
    return { result, same: text === result.text && expected === sha256 }
  })
}

async function compared(format: SmallModuleFormat, words: readonly string[], profile = LEGACYNET, timeZone?: string) {
  const small = await smallSetup(format, { maximumPages: 200 })
  try {
    return await bothWays(small, words, profile, timeZone)
  } finally {
    small.remove()
  }
}

const unstatedOf = (all: readonly Compared[]) => all.map(({ result }) => result.unstated?.map(({ kind }) => kind) ?? [])

const WORD = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('clock', 'now', 'count', 'print hello', 'print a\\n', 'print') },
  { weight: 3, arbitrary: fc.constantFrom('error', 'throw', 'trap', 'oom', 'growerr 3') },
  { weight: 2, arbitrary: fc.constantFrom('grow 2', 'dirty 64', 'local 1700000000', 'tz') },
  {
    weight: 5,
    arbitrary: fc.constantFrom(
      'open 65 /tmp/a',
      'open 0 /tmp/a',
      'open 577 /tmp/b',
      'open 0 /nowhere',
      'write 3 text',
      'read 3 4',
      'close 3',
      'close 4',
      'mkdir /tmp/folder',
      'unlink /tmp/a'
    )
  },
  { weight: 2, arbitrary: fc.constantFrom('stat /tmp/a', 'stat /data', 'stat /dev/urandom', 'stat /nowhere', 'stat /dev/tty') },
  { weight: 1, arbitrary: fc.constantFrom('open 0 /dev/urandom', 'read 3 8') }
)

describe.each(SMALL_MODULE_FORMATS)('the hooked replay in %s', (format) => {
  it('gives the results of the plain loader up to the first input that it names', { timeout: 240_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(WORD, { minLength: 20, maxLength: 40 }), async (words) => {
        let named = false
        for (const { result, same } of await compared(format, words)) {
          named ||= result.unstated?.some(({ kind }) => kind === 'real-time' || kind === 'randomness') === true
          expect(same || named, `${words.join(' | ')}: ${result.text.slice(0, 200)}`).toBe(true)
        }
      }),
      { numRuns: RUNS, endOnFailure: true }
    )
  })

  it('reads the same clock that a write to standard output moves', { timeout: 60_000 }, async () => {
    const all = await compared(format, ['clock', 'print hello', 'clock', 'print', 'clock', 'error', 'clock', 'now', 'clock'])
    expect(all.map(({ same }) => same)).toEqual(all.map(() => true))
    expect(unstatedOf(all).flat()).toEqual([])
  })

  it("gives the profile's time zone to the module as a host in that zone does", { timeout: 120_000 }, async () => {
    for (const timeZone of ['Asia/Tokyo', 'America/New_York', 'Etc/GMT-9', 'UTC']) {
      const words = ['tz', 'local 1700000000', 'local 1690000000', 'error', 'tz', 'local 1700000000', 'count']
      const all = await compared(format, words, { ...LEGACYNET, timeZone }, timeZone)
      expect(all.map(({ same }) => same)).toEqual(all.map(() => true))
      expect(unstatedOf(all).flat()).toEqual([])
    }
    const hour = JSON.parse(
      (await compared(format, ['local 1700000000'], { ...LEGACYNET, timeZone: 'Asia/Tokyo' }))[0]?.result.text ?? ''
    )
    expect(hour.Output).toBe('7')
  })
})
