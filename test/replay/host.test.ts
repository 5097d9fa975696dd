import { describe, expect, it } from 'vitest'
import { moduleFormat } from '../../src/replay/formats.ts'
import { clockStart, LEGACYNET, LOADER_0_0_49 } from '../../src/replay/profile.ts'
import { createHost, takeOverImports } from '../../src/replay/sandbox/host.ts'
import { importName } from '../../src/replay/sandbox/imports.ts'

function imports(format: string, profile = LEGACYNET) {
  const memory = new WebAssembly.Memory({ initial: 1 })
  const host = createHost()
  host.beginCounting()
  const tzset = () => 7
  const shared: Record<string, unknown> = {
    environ_sizes_get: () => 99,
    environ_get: () => 99,
    emscripten_date_now: () => 99,
    _tzset_js: tzset,
    __syscall_openat: (fd: number) => fd
  }
  const given = { env: shared, wasi_snapshot_preview1: shared }
  takeOverImports(given, host, moduleFormat(format), profile, () => memory)
  const call = (name: string, ...args: unknown[]) => (shared[name] as (...args: unknown[]) => unknown)(...args)
  return { memory, host, call, bytes: () => Buffer.from(memory.buffer) }
}

describe('takeOverImports', () => {
  it('answers with the environment of the profile, with pointers of 4 bytes', () => {
    const { call, bytes } = imports('wasm32-unknown-emscripten4')
    expect(call('environ_sizes_get', 0, 4)).toBe(0)
    const strings = LEGACYNET.environment.map((text) => `${text}\0`).join('')
    expect([bytes().readUInt32LE(0), bytes().readUInt32LE(4)]).toEqual([7, strings.length])
    expect(call('environ_get', 16, 256)).toBe(0)
    expect(bytes().toString('utf8', 256, 256 + strings.length)).toBe(strings)
    expect([bytes().readUInt32LE(16), bytes().readUInt32LE(20)]).toEqual([256, 256 + 'USER=web_user\0'.length])
  })

  it('answers with pointers of 8 bytes in a wide format, and with an empty environment if the profile has none', () => {
    const wide = imports('wasm64-unknown-emscripten-draft_2024_02_15')
    wide.call('environ_sizes_get', 0n, 8n)
    expect(wide.bytes().readBigUInt64LE(0)).toBe(7n)
    wide.call('environ_get', 64n, 512n)
    expect(wide.bytes().readBigUInt64LE(64)).toBe(512n)
    const none = imports('wasm64-unknown-emscripten-draft_2024_02_15', LOADER_0_0_49)
    none.call('environ_sizes_get', 0n, 8n)
    expect([none.bytes().readBigUInt64LE(0), none.bytes().readBigUInt64LE(8)]).toEqual([0n, 0n])
  })

  it('advances the clock with each reading and records that the module read it', () => {
    const { call, host } = imports('wasm32-unknown-emscripten4')
    expect([call('emscripten_date_now'), call('emscripten_date_now')]).toEqual([10_000, 10_001])
    expect(host).toMatchObject({ clock: 10_002, clockRead: true })
    expect([...host.inputs]).toEqual(['emscripten_date_now'])
  })

  it('records inputs that depend on the host, and open files', () => {
    const { call, host } = imports('wasm32-unknown-emscripten4')
    expect(call('_tzset_js')).toBe(7)
    expect([...host.inputs]).toEqual(['tzset_js'])
    call('__syscall_openat', -44)
    expect(host.filesTouched).toBe(false)
    call('__syscall_openat', 3)
    expect(host.filesTouched).toBe(true)
  })
})

describe('importName', () => {
  it('finds the name behind a minified key and removes leading underscores', () => {
    expect(importName('u', function _environ_get() {})).toBe('environ_get')
    expect(importName('_tzset_js', () => {})).toBe('tzset_js')
  })
})

describe('clockStart', () => {
  it("returns the profile's clock, otherwise the format's, otherwise 0", () => {
    const format = moduleFormat('wasm32-unknown-emscripten3')
    expect(clockStart(format, LEGACYNET)).toBe(10_003)
    expect(clockStart(format, { ...LEGACYNET, clock: { start: 5, step: 1 } })).toBe(5)
    expect(clockStart(moduleFormat('wasm32-unknown-emscripten'), LEGACYNET)).toBe(0)
  })
})
