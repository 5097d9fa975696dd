/** The command at the end of a summary does what the summary says. */
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nextStep } from '../../bin/next-step.ts'
import type { Report } from '../../src/report/model.ts'
import { type FakeNetwork, startFakeNetwork } from '../fakes/network.ts'
import { compileSmallModule } from '../modules/small-module.ts'
import { type SmallProcess, signedSmallProcess } from '../modules/small-process.ts'
import { COMMAND, type Ended, reportIn, run, unitsOf } from './command.ts'
import { pullSmall } from './small-archive.ts'

const FORMAT = 'wasm32-unknown-emscripten4'
let folder: string
let honest: string
let lying: string
let small: SmallProcess
let gapped: FakeNetwork

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-next-'))
  honest = path.join(folder, 'honest.tar.gz')
  mkdirSync(path.join(folder, "it's here"))
  lying = path.join(folder, "it's here", 'lying $archive.tar.gz')
  await pullSmall(honest, path.join(folder, 'honest-store'))
  await pullSmall(path.join(folder, 'lying.tar.gz'), path.join(folder, 'lying-store'), { lies: true })
  cpSync(path.join(folder, 'lying.tar.gz'), lying)
  small = await signedSmallProcess({ format: FORMAT, wasm: await compileSmallModule(FORMAT), messages: ['echo a', 'echo b'] })
  gapped = await startFakeNetwork({ ...small, schedule: small.schedule.filter((_edge, nonce) => nonce !== 1), claims: [] })
})
afterAll(async () => {
  await gapped.close()
  rmSync(folder, { recursive: true, force: true })
})

/** The last two lines of a summary. */
function nextOf({ stdout }: Ended): { readonly why: string | undefined; readonly command: string } {
  const [line = '', command = ''] = stdout.trimEnd().split('\n').slice(-2)
  return { why: /^next {10}(.*):$/.exec(line)?.[1], command: command.trimStart() }
}

/** Runs it like a user who copies it. */
function inShell(line: string): Promise<Ended> {
  const child = spawn('bash', ['-c', line], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } })
  const read = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    read.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    read.stderr += text
  })
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, ...read })))
}

const store = (name: string) => ['--store', path.join(folder, name)]

describe.skipIf(process.platform === 'win32')('the last line of a summary', () => {
  it('is a command that shows every difference of a mismatch, whatever the files are called', async () => {
    const ended = await run(['audit', '--archive', lying, ...store('mismatch')])
    const { why, command } = nextOf(ended)
    expect([ended.code, why]).toEqual([1, 'to see every difference'])
    expect(command).toMatch(/^node \S+ audit --archive '.*it'\\''s here\/lying \$archive\.tar\.gz' --store \S+ --json$/)
    const more = await inShell(command)
    expect(more.code).toBe(1)
    expect(reportIn(more)).toMatchObject({ verdict: 'mismatch', firstDivergence: { nonce: 3 } })
  })

  it('is a command that fills a gap of the scheduler from Arweave', async () => {
    const args = ['audit', '--schedule=scheduler', small.process.process_id, ...unitsOf(gapped), ...store('gap')]
    const ended = await run(args)
    const { why, command } = nextOf(ended)
    expect([ended.code, why]).toEqual([3, 'to fill the gap from Arweave'])
    expect(command).toBe(
      ['node', COMMAND, 'audit', small.process.process_id, ...unitsOf(gapped), ...store('gap'), '--schedule', 'both'].join(' ')
    )
    const before = gapped.requests.length
    expect((await inShell(command)).stderr).toBe('')
    expect(gapped.requests.slice(before).some(({ what }) => what.includes('"Assignment"'))).toBe(true)
  })

  it('is the same command if a unit did not answer, and it continues the audit', async () => {
    const args = ['audit', small.process.process_id, ...unitsOf(gapped).slice(0, 4), '--compute', 'http://127.0.0.1:1']
    const ended = await run([...args, '--patience', '0.1', ...store('away')])
    const { why, command } = nextOf(ended)
    expect([ended.code, why]).toEqual([3, 'to continue later'])
    expect(command).toBe(['node', COMMAND, ...args, '--patience', '0.1', ...store('away')].join(' '))
    expect((await inShell(command)).code).toBe(3)
  })

  it('contains no command if nothing is left to do', async () => {
    const ended = await run(['audit', '--archive', honest, ...store('match')])
    expect(ended.stdout).not.toMatch(/^next /m)
    expect(ended.stdout).toMatch(/\ntool .*\n$/)
  })
})

describe('the next step', () => {
  const report = (more: Partial<Report>) =>
    ({ verdict: 'mismatch', unreachable: [], findings: [], ...more }) as unknown as Report
  const gap = { code: 'NONCE_GAP', severity: 'error', attribution: 'scheduler', nonce: 1, detail: '' } as const
  const flags = {}
  const started = (script: string, args: readonly string[], env = {}) => ({ script, args, env })

  it.each([
    ['by name if the shell finds it', '/usr/bin/ao-audit', { PATH: '/bin:/usr/bin' }, 'ao-audit'],
    ['by npx if npx started it', '/app/node_modules/.bin/ao-audit', { npm_command: 'exec' }, 'npx ao-audit'],
    ['by its path otherwise', '/app/node_modules/.bin/ao-audit', { PATH: '/bin' }, '/app/node_modules/.bin/ao-audit'],
    ['by Node if Node started it', '/my code/dist/bin/ao-audit.js', {}, "node '/my code/dist/bin/ao-audit.js'"]
  ])('starts the command %s', (_how, script, env, program) => {
    expect(nextStep(report({}), flags, started(script, ['audit', 'x'], env))?.command).toBe(`${program} audit x --json`)
  })

  it('has its option before --', () => {
    expect(nextStep(report({}), flags, started('a.js', ['audit', '--', '-id']))?.command).toBe('node a.js audit --json -- -id')
  })

  it('replaces another source of the schedule', () => {
    const inconclusive = report({ verdict: 'inconclusive', findings: [gap] })
    const step = nextStep(inconclusive, flags, started('a.js', ['audit', '--schedule', 'scheduler', 'x']))
    expect(step?.command).toBe('node a.js audit x --schedule both')
  })

  it('pulls again if the archive has the gap', () => {
    const inconclusive = report({ verdict: 'inconclusive', findings: [gap], processId: '-b' })
    const step = nextStep(inconclusive, { ...flags, archive: 'a.tgz' }, started('a.js', ['audit', '--archive', 'a.tgz']))
    expect(step?.command).toBe('node a.js pull -b --schedule both -o ./-b.tar.gz')
  })

  it.each([
    ['the report is in a file', report({}), { ...flags, json: 'x' }, []],
    [
      'both schedules were read',
      report({ verdict: 'inconclusive', findings: [gap] }),
      { ...flags, schedule: 'both' as const },
      []
    ],
    ['the command has characters that no terminal shows', report({}), flags, ['\u001b[31m']],
    ['the command has a line feed', report({}), flags, ['a\nb']]
  ])('is missing if %s', (_why, of, given, args) => {
    expect(nextStep(of, given, started('a.js', args))).toBeUndefined()
  })
})
