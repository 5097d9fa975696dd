/** Inputs that a module reads and no profile states: the replay names them and continues. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { UnstatedInput } from '../../../src/model/records.ts'
import { type ExecutionProfile, LEGACYNET } from '../../../src/replay/profile.ts'
import { importKind, importName } from '../../../src/replay/sandbox/imports.ts'
import type { Sandbox } from '../../../src/replay/sandbox/sandbox.ts'
import { SMALL_MODULE_FORMATS } from '../../modules/small-module.ts'
import { answersOf, order, type SmallSetup, smallSetup, withSandbox } from './small.ts'

const WIDE = 'wasm64-unknown-emscripten-draft_2024_02_15'
const WITH_FILES = SMALL_MODULE_FORMATS.slice(1)
let wide: SmallSetup
beforeAll(async () => {
  wide = await smallSetup(WIDE)
})
afterAll(() => wide.remove())

function told(small: SmallSetup, words: readonly string[], profile: ExecutionProfile = LEGACYNET) {
  const use = async (sandbox: Sandbox) => {
    const { results } = await sandbox.run(words.map((word) => order(word)))
    expect(results.map(({ hostTrouble }) => hostTrouble)).toEqual(results.map(() => undefined))
    return { answers: answersOf(results), unstated: results.map(({ unstated }) => unstated), ...(await sandbox.state()) }
  }
  return withSandbox(small, use, {}, profile)
}

const input = (kind: UnstatedInput['kind'], name: string): readonly UnstatedInput[] => [{ kind, name }]

describe('the table of imports', () => {
  const SCRIPT = fileURLToPath(new URL('./loader-imports.mjs', import.meta.url))
  it.each(SMALL_MODULE_FORMATS)('knows every import that the loader offers to %s', async (format) => {
    const child = fork(SCRIPT, [format], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    const names = await new Promise<readonly (readonly [string, string])[]>((resolve, reject) => {
      child.once('message', (message) => resolve(message as [string, string][]))
      child.once('exit', (code) => reject(new Error(`the child ended (${code})`)))
    })
    child.kill()
    expect(names.length).toBeGreaterThan(25)
    const unknown = names.map(([key, name]) => importName(key, { name })).filter((name) => importKind(name) === undefined)
    expect(unknown).toEqual([])
  })

  it('knows no import that the loader does not offer', () => {
    for (const name of ['clock_time_get', 'random_get', 'getentropy', 'emscripten_run_script', 'toString', '__proto__'])
      expect(importKind(name)).toBeUndefined()
  })
})

describe.each(WITH_FILES)('a replay in %s', (format) => {
  let small: SmallSetup
  beforeAll(async () => {
    small = await smallSetup(format)
  })
  afterAll(() => small.remove())

  it('gives the module the same randomness every time, names it, and continues', {
    timeout: 30_000
  }, async () => {
    const words = ['count', 'open 0 /dev/urandom', 'read 3 64', 'count', 'error', 'count', 'open 0 /dev/random', 'read 3 5000']
    const [once, again] = [await told(small, words), await told(small, words)]
    expect(again).toEqual(once)
    expect(once.answers).toEqual(['1', '3', '0', '2', { error: 'boom' }, '3', '3', '0'])
    expect(once.unstated.map((read) => read?.map(({ kind }) => kind))).toEqual([
      undefined,
      undefined,
      ['files', 'randomness'],
      undefined,
      undefined,
      undefined,
      undefined,
      ['files', 'randomness']
    ])
  })

  it('names the real time of a device, and gives the same time every time', { timeout: 30_000 }, async () => {
    const words = ['stat /dev/urandom', 'stat /nowhere', 'print x', 'stat /dev/tty', 'stat /tmp']
    const [once, again] = [await told(small, words), await told(small, words)]
    expect(again).toEqual(once)
    const stat = input('real-time', 'syscall_stat64')
    expect(once.unstated).toEqual([stat, undefined, undefined, stat, stat])
  })

  it('records a clock reading if a module reads the time of a file', { timeout: 30_000 }, async () => {
    await withSandbox(small, async (sandbox) => {
      const { results } = await sandbox.run(['clock', 'open 65 /tmp/a', 'stat /tmp/a'].map((word) => order(word)))
      expect(results.map(({ hostInputs }) => hostInputs.includes('syscall_stat64'))).toEqual([false, false, true])
      expect(results[2]?.clockMoved).toBe(true)
      expect(results[2]?.unstated).toEqual(input('files', 'syscall_stat64'))
    })
  })

  it('names a file of an earlier message, but not a file of the same message or a missing one', {
    timeout: 30_000
  }, async () => {
    const words = [
      'open 0 /tmp/a',
      'open 65 /tmp/a',
      'open 0 /tmp/a',
      'print x',
      'error',
      'open 0 /tmp/a',
      'open 0 /dev/null',
      'close 3'
    ]
    const { answers, unstated } = await told(small, words)
    expect(answers).toEqual(['-44', '3', '4', '0', { error: 'boom' }, '-44', '3', '0'])
    const open = input('files', 'syscall_openat')
    const close = input('files', 'fd_close')
    expect(unstated).toEqual([undefined, undefined, open, undefined, undefined, undefined, undefined, close])
  })

  it('names standard input', { timeout: 30_000 }, async () => {
    // The second format fails before it reads.
    const read = format === 'wasm32-unknown-emscripten2' ? undefined : input('files', 'fd_read')
    expect((await told(small, ['count', 'read 0 5'])).unstated).toEqual([undefined, read])
  })
})

describe.each(SMALL_MODULE_FORMATS)('the replay in %s', (format) => {
  it('names the time zone if the profile does not state it', { timeout: 30_000 }, async () => {
    const small = await smallSetup(format)
    try {
      const words = ['count', 'local 1700000000', 'tz', 'clock']
      const expected = [undefined, input('time-zone', 'localtime_js'), input('time-zone', 'tzset_js'), undefined]
      expect((await told(small, words)).unstated).toEqual(expected)
      const stated = await told(small, words, { ...LEGACYNET, timeZone: 'Asia/Kolkata' })
      expect([stated.answers[1], stated.unstated]).toEqual(['3', words.map(() => undefined)])
    } finally {
      small.remove()
    }
  })
})

it('a sandbox uses the time zone of the profile although its child started before the profile was known', {
  timeout: 30_000
}, async () => {
  const hours = await Promise.all(
    ['Asia/Tokyo', 'America/St_Johns'].map((timeZone) => told(wide, ['local 1700000000'], { ...LEGACYNET, timeZone }))
  )
  expect(hours.map(({ answers }) => answers)).toEqual([['7'], ['18']])
})

it('a sandbox names the real time for a time zone whose rules changed since the message', { timeout: 60_000 }, async () => {
  const tell = async (timeZone: string, year: number) => {
    const entry = { message: { Data: 'tz', Timestamp: Date.UTC(year, 0, 1) }, fresh: false }
    const use = async (sandbox: Sandbox) => (await sandbox.run([entry])).results[0]?.unstated
    return withSandbox(wide, use, {}, { ...LEGACYNET, timeZone })
  }
  // Mexico gave up daylight saving in 2022.
  expect(await tell('America/Mexico_City', 2021)).toEqual(input('real-time', 'tzset_js'))
  expect(await tell('America/Mexico_City', 2024)).toBeUndefined()
  expect(await tell('Asia/Tokyo', 2021)).toBeUndefined()
})
