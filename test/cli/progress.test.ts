/** The progress of an audit without a terminal. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { COMMAND } from './command.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-progress-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The text on stderr while nobody answers for eleven seconds. */
function waiting(name: string, ...args: string[]): Promise<string> {
  const away = ['--scheduler', 'http://127.0.0.1:1', '--gateway', 'http://127.0.0.1:1', '--patience', '11']
  const store = ['--store', path.join(folder, name)]
  const child = spawn(process.execPath, [COMMAND, 'audit', 'A'.repeat(43), ...away, ...store, ...args], {
    stdio: ['ignore', 'ignore', 'pipe']
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  return new Promise((resolve) => child.on('close', () => resolve(stderr)))
}

it('an audit without a terminal prints time and phase every ten seconds, and nothing with --quiet', async () => {
  const [told, quiet] = await Promise.all([waiting('told'), waiting('quiet', '--quiet')])
  expect(told).toMatch(/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}fetch\n)+$/)
  expect(quiet).toBe('')
})
