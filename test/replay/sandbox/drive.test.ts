import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuditError } from '../../../src/model/errors.ts'
import type { DriveAnswer, DriveQuestion, DriveSource } from '../../../src/replay/drive/source.ts'
import type { SandboxOptions } from '../../../src/replay/sandbox/sandbox.ts'
import type { SmallModuleFormat } from '../../modules/small-module.ts'
import { answersOf, order, type SmallSetup, smallSetup, withSandbox } from './small.ts'

const FORMATS: readonly SmallModuleFormat[] = [
  'wasm32-unknown-emscripten4',
  'wasm32-unknown-emscripten-metering',
  'wasm64-unknown-emscripten-draft_2024_02_15',
  'wasm64-unknown-emscripten-draft_2024_10_16-metering'
]
const ID = 'a'.repeat(43)
const LARGE = 'b'.repeat(43)
const NOWHERE = 'c'.repeat(43)
const TEXT = 'The quick brown fox jumps over the lazy dog'
/** 100,000 bytes in which every piece of nine shows its place. */
const LONG = Array.from({ length: 20_000 }, (_, place) => String(place).padStart(5, '0')).join('')
const FILES = { [`/data/${ID}`]: TEXT, [`/data/${LARGE}`]: LONG, '/block/123': '{"height":123}', [`/tx/${ID}`]: '{"format":2}' }
let folder: string

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-drive-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Serves texts by their path, and records the questions. */
function sourceOf(
  files: Readonly<Record<string, string>>,
  assumed?: string
): DriveSource & { readonly asked: DriveQuestion[] } {
  const asked: DriveQuestion[] = []
  return {
    asked,
    async ask(question): Promise<DriveAnswer> {
      asked.push(question)
      const text = files[`/${question.kind}/${question.id}`]
      if (text === undefined) return { kind: 'refused', reason: 'no gateway has it', missing: true }
      const file = path.join(folder, `${question.kind}-${question.id}`)
      writeFileSync(file, text)
      return { kind: 'file', path: file, bytes: Buffer.byteLength(text), ...(assumed === undefined ? {} : { assumed }) }
    }
  }
}

async function run(small: SmallSetup, drive: DriveSource, words: readonly string[], options: SandboxOptions = {}) {
  const setup = { ...small, setup: { ...small.setup, drive: true } }
  const use = (height: number) => (word: string) => {
    const { message, fresh } = order(word)
    return { message: { ...message, 'Block-Height': height }, fresh }
  }
  return withSandbox(setup, (sandbox) => sandbox.run(words.map(use(77))), { ...options, drive })
}

describe.each(FORMATS)('WeaveDrive in %s', (format) => {
  let small: SmallSetup
  beforeAll(async () => {
    small = await smallSetup(format)
  })
  afterAll(() => small.remove())

  it('gives the module files from their beginning, read by read', { timeout: 30_000 }, async () => {
    const drive = sourceOf(FILES)
    const words = [`file 1 9 /data/${ID}`, 'count', `file 3 4 /data/${ID}`, `file 1 100 /data/${ID}`, `file 1 3 ./data/${ID}`]
    const { results } = await run(small, drive, words)
    expect(answersOf(results)).toEqual(['The quick', '1', 'The quick br', TEXT, 'The'])
    expect(results.map(({ hostInputs }) => hostInputs)).toEqual([
      ['weavedrive'],
      [],
      ['weavedrive'],
      ['weavedrive'],
      ['weavedrive']
    ])
    expect(results.some(({ hostTrouble, assumed }) => hostTrouble !== undefined || assumed !== undefined)).toBe(false)
    expect(drive.asked).toEqual([{ kind: 'data', id: ID, blockHeight: 77 }])
  })

  it('continues after the bytes that it read ahead', { timeout: 30_000 }, async () => {
    const words = [
      `file 3 33000 /data/${LARGE}`,
      `file 4 16384 /data/${LARGE}`,
      `file 2 32769 /data/${LARGE}`,
      `file 4 25000 /data/${LARGE}`
    ]
    const { results } = await run(small, sourceOf(FILES), words)
    expect(answersOf(results)).toEqual([99_000, 65_536, 65_538, 100_000].map((end) => LONG.slice(0, end)))
  })

  it('starts every read of a header or block at the beginning', { timeout: 30_000 }, async () => {
    const { results } = await run(small, sourceOf(FILES), ['slurp /block/123', 'file 2 5 /block/123', `slurp /tx/${ID}`])
    expect(answersOf(results)).toEqual(['{"height":123}', '{"hei{"hei', '{"format":2}'])
  })
})

describe('WeaveDrive', { timeout: 30_000 }, () => {
  let small: SmallSetup
  beforeAll(async () => {
    small = await smallSetup('wasm32-unknown-emscripten4')
  })
  afterAll(() => small.remove())

  it('states its assumption if a read follows a seek to the end', async () => {
    const { results } = await run(small, sourceOf(FILES), [`slurp /data/${ID}`, `file 1 3 /data/${ID}`])
    expect(answersOf(results)).toEqual([TEXT, 'The'])
    expect(results[0]?.assumed).toContain('asks for a range that gateways may ignore')
    expect(results[1]?.assumed).toBeUndefined()
  })

  it('passes on the assumption of its source', async () => {
    const { results } = await run(small, sourceOf(FILES, 'unproven'), ['count', `file 1 3 /data/${ID}`])
    expect(results.map(({ assumed }) => assumed)).toEqual([undefined, 'unproven'])
  })

  it('names a file that nobody has, and marks the input as missing', async () => {
    const drive = sourceOf(FILES)
    const { results } = await run(small, drive, [`file 1 3 /data/${NOWHERE}`])
    expect(results[0]).toMatchObject({
      hostTrouble: `the module opened /data/${NOWHERE}: no gateway has it`,
      inputMissing: true
    })
    expect(answersOf(results)).toEqual(['none'])
  })

  it('opens no file at other paths', async () => {
    const drive = sourceOf(FILES)
    const { results } = await run(small, drive, [
      `file 1 1 /tx2/${ID}`,
      'file 1 1 /headers/5',
      'file 1 1 data',
      'file 1 1 /etc/passwd'
    ])
    expect(answersOf(results)).toEqual(['none', 'none', 'none', 'none'])
    expect(results.every(({ hostTrouble }) => hostTrouble === undefined)).toBe(true)
    expect(drive.asked).toEqual([])
  })

  it('opens no file if the unit gives the module no WeaveDrive', async () => {
    const drive = sourceOf(FILES)
    const { results } = await withSandbox(small, (sandbox) => sandbox.run([order(`file 1 1 /data/${ID}`)]), { drive })
    expect([answersOf(results), results[0]?.hostTrouble, drive.asked]).toEqual([['none'], undefined, []])
  })

  it('never asks its source for a name that no file can have', async () => {
    const drive = sourceOf(FILES)
    for (const name of ['/data/__proto__', '/block/-1', '/block/1e3', '/tx/../../x', `/data/${ID}%22`]) {
      const { results } = await run(small, drive, [`file 1 1 ${name}`])
      expect(results[0]?.hostTrouble).toContain('no file can have the name')
    }
    expect(drive.asked).toEqual([])
  })

  it('makes the result inconclusive if a module reads past the end of a file', async () => {
    const { results } = await run(small, sourceOf(FILES), [`file 2 ${TEXT.length} /data/${ID}`])
    expect(results[0]?.hostTrouble).toContain('past the end of a file')
  })

  it('asks again after a new instance, and reads the same', async () => {
    const drive = sourceOf(FILES)
    const words = [`file 1 9 /data/${ID}`, 'count', 'error', `file 1 9 /data/${ID}`, 'throw', 'count']
    const { results } = await run(small, drive, words)
    expect(answersOf(results)).toEqual(['The quick', '1', { error: 'boom' }, 'The quick', { error: 'boom' }, '2'])
    expect(drive.asked.length).toBeGreaterThan(1)
  })

  it('does not count the time of its source against the time limit of the message', async () => {
    const files = sourceOf(FILES)
    const slow: DriveSource = {
      async ask(question) {
        await new Promise((arrived) => setTimeout(arrived, 900))
        return files.ask(question)
      }
    }
    const outcome = await run(small, slow, [`file 1 9 /data/${ID}`, 'hang'], { limits: { messageMs: 300 } })
    expect(answersOf(outcome.results)).toEqual(['The quick'])
    expect(outcome.stopped).toEqual({ limit: 'time', index: 1 })
  })

  it('fails with the error of its source', async () => {
    const interrupted = new AuditError('INTERRUPTED', 'interrupted')
    const drive: DriveSource = { ask: () => Promise.reject(interrupted) }
    await expect(run(small, drive, [`file 1 9 /data/${ID}`])).rejects.toBe(interrupted)
  })

  it('marks the input as missing if the replay has no source of files', async () => {
    const setup = { ...small, setup: { ...small.setup, drive: true } }
    const { results } = await withSandbox(setup, (sandbox) => sandbox.run([order(`file 1 1 /data/${ID}`)]))
    expect(results[0]).toMatchObject({
      hostTrouble: `the module opened /data/${ID}: this replay serves no files`,
      inputMissing: true
    })
  })
})
