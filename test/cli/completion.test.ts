/** Tests the scripts of `ao-audit completion` in real shells, if these are installed. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectError, run } from './command.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-completion-'))
  for (const shell of SHELLS) {
    const ended = await run(['completion', shell])
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    writeFileSync(script(shell), ended.stdout)
  }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const script = (shell: string) => path.join(folder, `completion.${shell}`)
const has = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0
const inShell = (shell: string, line: string) => spawnSync(shell, ['-c', line], { encoding: 'utf8', cwd: folder })

/** The words that bash offers after these, of which the last is incomplete. */
function bashOffers(...words: string[]): string[] {
  const typed = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  const line = `source ${script('bash')}; COMP_WORDS=(ao-audit ${typed}); COMP_CWORD=${words.length}; _ao_audit; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr } = inShell('bash', line)
  expect(stderr).toBe('')
  return stdout.split('\n').filter((word) => word !== '')
}

function fishOffers(line: string): string[] {
  const { stdout } = inShell('fish', `source ${script('fish')}; complete -C '${line}'`)
  return stdout.split('\n').flatMap((offer) => (offer === '' ? [] : (offer.split('\t')[0] ?? '')))
}

describe.skipIf(process.platform === 'win32')('the completion in bash', () => {
  it('offers commands, options, and the values of an option', () => {
    expect(bashOffers('')).toEqual(['audit', 'pull', 'demo', 'completion', 'help', '--help', '--version'])
    expect(bashOffers('audit', '--sche')).toEqual(['--scheduler', '--schedule'])
    expect(bashOffers('audit', '--schedule', '')).toEqual(['scheduler', 'arweave', 'both'])
    expect(bashOffers('completion', 'f')).toEqual(['fish'])
    expect(bashOffers('audit', '--json', '--mark')).toEqual(['--markdown'])
  })

  it('leaves the names of files to the shell', () => {
    expect(bashOffers('audit', '--archive', '')).toEqual([])
    expect(inShell('bash', `source ${script('bash')}; complete -p ao-audit`).stdout).toBe(
      'complete -o default -F _ao_audit ao-audit\n'
    )
  })

  it('evaluates no typed text', () => {
    for (const word of ['$(touch ran)', '`touch ran`', '; touch ran', "'; touch ran; '", '*']) {
      bashOffers('audit', '--store', word, '--json', word, word)
      bashOffers(word, word)
    }
    expect(existsSync(path.join(folder, 'ran'))).toBe(false)
  })
})

it.skipIf(!has('fish'))('the completion in fish offers commands, options, values and files', () => {
  writeFileSync(path.join(folder, 'kept.tar.gz'), '')
  expect(fishOffers('ao-audit ')).toEqual(['audit', 'completion', 'demo', 'pull'])
  expect(fishOffers('ao-audit audit --sche')).toEqual(['--schedule', '--scheduler'])
  expect(fishOffers('ao-audit audit --trust ')).toEqual(['gateway', 'scheduler'])
  expect(fishOffers('ao-audit audit --archive ke')).toEqual(['kept.tar.gz'])
})

it.skipIf(!has('zsh'))('the completion in zsh is a valid script that registers itself', () => {
  expect(inShell('zsh', `zsh -n ${script('zsh')}`)).toMatchObject({ status: 0, stderr: '' })
  const line = `compdef() { print -r -- "$@" }; source ${script('zsh')}`
  expect(inShell('zsh', line)).toMatchObject({ stdout: '_ao_audit ao-audit\n', stderr: '' })
})

it.each(SHELLS)('the completion in %s knows every option of every command', async (shell) => {
  const { stdout: text } = await run(['completion', shell])
  for (const command of ['audit', 'pull', 'demo']) {
    const help = (await run([command, '--help'])).stdout
    const options = [...help.matchAll(/^ {2}(?:-\w, )?--([\w-]+)/gm)].map(([, name = '']) => name)
    expect(options.length).toBeGreaterThan(1)
    for (const option of options) expect(text).toContain(shell === 'fish' ? `-l ${option}` : `--${option}`)
  }
})

it('the completion for an unknown shell is an error', async () => {
  const line = "error: command-argument value 'tcsh' is invalid for argument 'shell'. Allowed choices are bash, zsh, fish."
  expectError(await run(['completion', 'tcsh']), 2, line)
})
