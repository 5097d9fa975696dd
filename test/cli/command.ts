/** Runs the command line as users do: as a process of its own, without a terminal. */
import { type ChildProcess, spawn } from 'node:child_process'
import path from 'node:path'
import { expect } from 'vitest'
import type { Report } from '../../src/report/model.ts'
import type { FakeNetwork } from '../fakes/network.ts'
import { expectSchema } from '../report/fits-schema.ts'

export const ROOT = path.join(import.meta.dirname, '../..')
export const COMMAND = path.join(ROOT, 'dist/bin/ao-audit.js')

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
}

export interface StartOptions {
  readonly command?: string
  readonly env?: Readonly<Record<string, string>>
  /** The current folder. */
  readonly cwd?: string
}

/** Appears on stderr every ten seconds. It is removed, because the duration of a test does not matter. */
const PROGRESS_LINE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}(fetch|replay)\b.*\n/gm
/** Variables that would change the behaviour. */
const UNWANTED = ['FORCE_COLOR', 'NO_COLOR', 'CU_URL', 'GATEWAY_URL', 'GRAPHQL_URL', 'SCHEDULER_URL']

/** Starts `ao-audit`, and checks that its output never contains a stack trace or characters that a terminal could obey. */
export function start(args: readonly string[], { command = COMMAND, env = {}, cwd }: StartOptions = {}): Started {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !UNWANTED.includes(name)))
  const child = spawn(process.execPath, [command, ...args], {
    env: { ...inherited, ...env },
    ...(cwd === undefined ? {} : { cwd }),
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const read = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    read.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    read.stderr += text
  })
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      resolve({ code, signal, stdout: read.stdout, stderr: read.stderr.replaceAll(PROGRESS_LINE, '') })
    })
  }).then((result) => {
    expect(result.stderr).not.toMatch(/^\s+at /m)
    expect((result.stdout + result.stderr).replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
    return result
  })
  // A test that fails before it awaits this must not fail twice.
  ended.catch(() => {})
  return { child, ended }
}

/** Starts `ao-audit` and waits for its end. */
export function run(args: readonly string[], options: StartOptions = {}): Promise<Ended> {
  return start(args, options).ended
}

/** The options that name every unit of `network`. */
export function unitsOf({ url }: FakeNetwork): string[] {
  return ['--scheduler', url, '--gateway', url, '--compute', url]
}

/** The report in `--json` output. */
export function reportIn({ stdout, stderr }: Ended): Report {
  expect(stdout, stderr).toMatch(/^\{/)
  return expectSchema(JSON.parse(stdout) as Report)
}

/** A report without the parts that differ from run to run. */
export function lasting(report: Report): object {
  return { ...report, date: undefined, digest: undefined, timings: undefined }
}

/** Expects nothing on stdout, and on stderr exactly one line and its hint, if any. */
export function expectError(ended: Ended, code: number, line: string | RegExp, hint?: string | RegExp): void {
  expect(ended.stdout).toBe('')
  const [first = '', ...rest] = ended.stderr.split('\n')
  const matches = (text: string, wanted: string | RegExp) =>
    typeof wanted === 'string' ? expect(text).toBe(wanted) : expect(text).toMatch(wanted)
  matches(first, line)
  if (hint === undefined) expect(rest).toEqual([''])
  else {
    expect(rest).toHaveLength(2)
    expect(rest[1]).toBe('')
    matches(rest[0] ?? '', hint)
  }
  expect(ended.code).toBe(code)
}
