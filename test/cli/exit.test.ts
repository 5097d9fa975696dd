/** Exit code 1 means a mismatch and nothing else, whatever happens to the outputs, the program and the machine. */
import { spawn } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { COMMAND, type Ended, expectError, ROOT, run, start } from './command.ts'
import { pullSmall } from './small-archive.ts'

const POSIX = process.platform !== 'win32'
const OUTPUTS = ['--json', '--markdown', '--evaluations']
const NO_SPACE = 'no space is left'
let folder: string
let honest: string
let lying: string

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-exit-'))
  honest = inFolder('honest.tar.gz')
  lying = inFolder('lying.tar.gz')
  await pullSmall(honest, inFolder('honest-store'))
  await pullSmall(lying, inFolder('lying-store'), { lies: true })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const inFolder = (name: string) => path.join(folder, name)
const newFolder = () => mkdtempSync(inFolder('case-'))
const auditOf = (archive: string, ...args: string[]) => ['audit', '--archive', archive, '--store', inFolder('store'), ...args]
const quoted = (args: readonly string[]) => args.map((arg) => `'${arg}'`).join(' ')

/** Runs a line in a shell. `$AO` stands for the command and its arguments. */
function inShell(line: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const ao = quoted([process.execPath, COMMAND, ...args])
  const child = spawn('bash', ['-c', line.replaceAll('$AO', ao)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env }
  })
  const read = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    read.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    read.stderr += text
  })
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, ...read })))
}

describe('the exit code of an audit', () => {
  it('is 0 for a match and 1 for a mismatch', async () => {
    expect((await run(auditOf(honest))).code).toBe(0)
    expect((await run(auditOf(lying))).code).toBe(1)
  })

  it('is never 0 if nonces are missing, and still 1 for a lie before them', async () => {
    expect((await run(auditOf(honest, '--to', '99'))).code).toBe(3)
    expect((await run(auditOf(lying, '--to', '99'))).code).toBe(1)
  })

  describe.runIf(existsSync('/dev/full'))('on a full disk', () => {
    it.each(OUTPUTS)('is 2 with one line if %s cannot be written, for a match and a mismatch', async (option) => {
      for (const archive of [honest, lying]) {
        const line = `ao-audit: the file /dev/full cannot be written: ${NO_SPACE}`
        expectError(await run(auditOf(archive, option, '/dev/full')), 2, line)
      }
      expect(statSync('/dev/full').isCharacterDevice()).toBe(true)
    })

    it('is 2 with one line if stdout cannot be written, for every command', async () => {
      for (const args of [auditOf(honest), auditOf(lying), auditOf(lying, '--json'), ['--help'], ['--version']]) {
        expectError(await inShell('$AO > /dev/full', args), 2, `ao-audit: stdout cannot be written: ${NO_SPACE}`)
      }
    })

    it('does not change if stderr cannot be written', async () => {
      expect(await inShell('$AO 2> /dev/full', ['audit'])).toMatchObject({ code: 2, stdout: '' })
      expect((await inShell('$AO --verbose 2> /dev/full', auditOf(lying))).code).toBe(1)
    })
  })

  it.runIf(POSIX)('is that of the verdict if stdout or stderr is closed', async () => {
    for (const line of ['$AO >&-', '$AO 2>&-', '$AO >&- 2>&-']) {
      expect((await inShell(line, auditOf(honest))).code).toBe(0)
      expect((await inShell(line, auditOf(lying))).code).toBe(1)
    }
  })

  it.runIf(POSIX)('is that of the verdict, without a message, if the reader of stdout leaves', async () => {
    for (const [archive, code] of [
      [honest, 0],
      [lying, 1]
    ] as const) {
      const ended = await inShell('set -o pipefail; $AO | exec true', auditOf(archive, '--json'))
      expect(ended).toEqual({ code, signal: null, stdout: '', stderr: '' })
    }
  })

  it.runIf(POSIX)('is 2 if the reader of a named pipe leaves before the report is written', async () => {
    const pipe = path.join(newFolder(), 'pipe')
    const line = `mkfifo '${pipe}'; true < '${pipe}' & exec $AO`
    const ended = await inShell(line, auditOf(lying, '--evaluations', pipe, '--quiet'))
    expect([1, 2]).toContain(ended.code)
    if (ended.code === 2) expect(ended.stderr).toBe(`ao-audit: the file ${pipe} cannot be written: nobody reads it any more\n`)
  })

  it.each(OUTPUTS)('is 2 if %s names a folder, or a link that leads nowhere', async (option) => {
    const link = path.join(newFolder(), 'link')
    symlinkSync('nowhere', link)
    expectError(await run(auditOf(lying, option, link)), 2, /cannot be written: it is a link that leads nowhere$/)
    expectError(await run(auditOf(lying, option, folder)), 2, `ao-audit: the file ${folder} cannot be written: it is a folder`)
    expect(readlinkSync(link)).toBe('nowhere')
  })

  it.skipIf(!POSIX || process.getuid?.() === 0).each(OUTPUTS)(
    'is 2 if %s names a file in a folder that may not be written',
    async (option) => {
      const locked = newFolder()
      chmodSync(locked, 0o500)
      const line = /cannot be written: it may not be written$/
      expectError(await run(auditOf(lying, option, path.join(locked, 'report'))), 2, line)
    }
  )
})

describe('an existing output', () => {
  it.each(OUTPUTS)('of %s stays unchanged if the arguments are wrong or the audit fails', async (option) => {
    const file = path.join(newFolder(), 'report')
    writeFileSync(file, 'earlier')
    const broken = path.join(newFolder(), 'broken.tar.gz')
    writeFileSync(broken, 'no archive')
    for (const args of [auditOf(broken), ['audit'], ['audit', 'short'], auditOf(honest, '--from', '9')]) {
      expect((await run([...args, option, file])).code).toBe(2)
      expect(readFileSync(file, 'utf8')).toBe('earlier')
    }
  })

  it.each(OUTPUTS)('of %s is replaced as a whole, also through a link, and keeps its mode', async (option) => {
    const within = newFolder()
    const [file, link] = [path.join(within, 'report'), path.join(within, 'link')]
    writeFileSync(file, 'earlier'.repeat(10_000), { mode: 0o640 })
    symlinkSync('report', link)
    expect((await run(auditOf(lying, option, link))).code).toBe(1)
    expect(readlinkSync(link)).toBe('report')
    expect(readFileSync(file, 'utf8')).not.toContain('earlier')
    expect(statSync(file).size).toBeGreaterThan(0)
    if (POSIX) expect(statSync(file).mode & 0o777).toBe(0o640)
    expect(readdirSync(within).sort()).toEqual(['link', 'report'])
  })

  it('stays unchanged, with exit code 2, if it is another output, an input or a file of the store under any name', async () => {
    const within = newFolder()
    const [archive, link, report] = [path.join(within, 'a.tgz'), path.join(within, 'link'), path.join(within, 'report')]
    cpSync(honest, archive)
    symlinkSync('a.tgz', link)
    const hint = '  give it another name'
    for (const option of OUTPUTS) {
      const ended = await run(auditOf(archive, option, link))
      expectError(ended, 2, `ao-audit: the file ${link} cannot be written: it is also the archive ${archive}`, hint)
    }
    expect(readFileSync(archive).equals(readFileSync(honest))).toBe(true)
    const other = `${within}/./report`
    const twice = await run(auditOf(archive, '--json', report, '--evaluations', other))
    expectError(twice, 2, `ao-audit: the file ${other} cannot be written: it is also the file ${report}`, hint)
    const id = 'A'.repeat(43)
    const pulled = await run(['pull', id, '--scheduler', 'http://127.0.0.1:1', '--store', report, '-o', report])
    expectError(pulled, 2, /^ao-audit: the archive .*report cannot be written: the store .* keeps its own files there$/, hint)
    expect(existsSync(report)).toBe(false)
    expect((await run(auditOf(archive, '--json', '/dev/null', '--markdown', '/dev/null'))).code).toBe(0)
  })

  it.runIf(POSIX).each(OUTPUTS)('of %s is written to directly if it is a device or a pipe', async (option) => {
    expect((await run(auditOf(lying, option, '/dev/null'))).code).toBe(1)
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true)
    const pipe = path.join(newFolder(), 'pipe')
    const ended = await inShell(`mkfifo '${pipe}'; cat '${pipe}' & $AO > /dev/null; code=$?; wait; exit $code`, [
      ...auditOf(lying, option, pipe)
    ])
    expect(ended.code).toBe(1)
    expect(ended.stdout).toContain('altered'.slice(0, option === '--evaluations' ? 0 : undefined))
    expect(ended.stdout).toContain(option === '--evaluations' ? '"status":"mismatch"' : 'ismatch')
    expect(lstatSync(pipe).isFIFO()).toBe(true)
  })

  it.runIf(POSIX)('is not replaced if stdout goes to the same file', async () => {
    const file = path.join(newFolder(), 'both')
    const ended = await inShell(`$AO > '${file}'`, auditOf(lying, '--evaluations', '/dev/stdout'))
    expect(ended.code).toBe(1)
    expect(readFileSync(file, 'utf8')).toContain('"status":"mismatch"')
    expect(readFileSync(file, 'utf8')).toMatch(/^MISMATCH /m)
  })

  it.runIf(POSIX)('of pull is an error before any request if it is not a regular file', async () => {
    const pipe = path.join(newFolder(), 'pipe')
    await inShell(`mkfifo '${pipe}'`, [])
    for (const file of ['/dev/full', '/dev/null', pipe]) {
      const args = ['pull', 'A'.repeat(43), '--scheduler', 'http://127.0.0.1:1', '--store', inFolder('unused'), '-o', file]
      expectError(await run(args), 2, `ao-audit: the archive ${file} cannot be written: it is no regular file`)
    }
    expect(statSync('/dev/full').isCharacterDevice()).toBe(true)
    expect(lstatSync(pipe).isFIFO()).toBe(true)
    expect(existsSync(inFolder('unused'))).toBe(false)
  })

  it.runIf(POSIX)('of pull is replaced through a link, and parts that a killed pull left beside it are removed', async () => {
    const within = newFolder()
    const [file, link] = [path.join(within, 'a.tar.gz'), path.join(within, 'link')]
    writeFileSync(file, 'earlier')
    symlinkSync('a.tar.gz', link)
    const gone = await new Promise<number>((resolve) => {
      const child = spawn(process.execPath, ['-e', ''])
      child.on('close', () => resolve(child.pid ?? 0))
    })
    writeFileSync(`${file}.${gone}.part`, 'half')
    writeFileSync(`${file}.${process.pid}.part`, 'of another that runs')
    await pullSmall(link, inFolder('link-store'))
    expect(readlinkSync(link)).toBe('a.tar.gz')
    expect((await run(auditOf(file))).code).toBe(0)
    expect(readdirSync(within).sort()).toEqual(['a.tar.gz', `a.tar.gz.${process.pid}.part`, 'link'])
  })
})

describe('an id that begins with a hyphen', () => {
  const id = `-${'b'.repeat(41)}A`
  const unit = ['--scheduler', 'http://127.0.0.1:1', '--gateway', 'http://127.0.0.1:1', '--patience', '0.1']

  it('is recognised at every place', async () => {
    const options = [...unit, '--store', inFolder('hyphen'), '--json']
    for (const args of [
      ['audit', id, ...options],
      ['audit', ...options, id],
      ['audit', ...options, '--', id],
      ['audit', '--checkpoint-owner', id, id, ...options]
    ]) {
      const ended = await run(args)
      expect(ended.stderr).toBe('')
      expect(ended.code).toBe(3)
    }
    const line = 'ao-audit: http://127.0.0.1:1 did not answer: the connection failed (ECONNREFUSED)'
    const pulled = await run(['pull', id, ...unit, '--store', inFolder('hyphen'), '-o', inFolder('none.tar.gz')])
    expectError(pulled, 3, line, /^ {2}try again/)
  })

  it('is distinguished from an unknown option', async () => {
    expectError(await run(['audit', id, '--colour']), 2, "error: unknown option '--colour'")
    expectError(await run(['audit', id.slice(0, 42)]), 2, /^error: unknown option /)
    expectError(await run(['audit', id, id]), 2, /^error: too many arguments/)
  })
})

describe('a program that fails', () => {
  /** An installed copy whose file `name` contains `content`, or is missing. */
  function installedWith(name: string, content: string | undefined): string {
    const root = newFolder()
    for (const part of ['package.json', 'demo', 'dist'])
      cpSync(path.join(ROOT, part), path.join(root, part), { recursive: true })
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(root, 'node_modules'), 'junction')
    const file = path.join(root, 'dist/bin', name)
    if (content === undefined) rmSync(file)
    else writeFileSync(file, content)
    return path.join(root, 'dist/bin/ao-audit.js')
  }
  const OF_ITSELF = / \(a fault of ao-audit itself; --verbose shows where\)$/

  it.each<[string, string | undefined, RegExp]>([
    ['its file is missing', undefined, /^ao-audit: a file of its own is missing: .*program\.js/],
    ['it does not parse', 'const = 1', OF_ITSELF],
    ['it imports a missing file', "import './none.js'", /^ao-audit: a file of its own is missing: .*none\.js/],
    ['it imports a name that a module lacks', "import { none } from 'node:fs'", OF_ITSELF],
    ['it throws at once', "throw new Error('first\\nsecond')", /^ao-audit: first\\u\{a\}second \(a fault/],
    ['it throws something other than an error', 'throw null', /^ao-audit: null \(a fault/],
    ['it throws later', "setTimeout(() => { throw new Error('late') }, 1); await new Promise(() => {})", /^ao-audit: late \(/],
    ['nobody awaits a rejection', "Promise.reject(new Error('lost')); setTimeout(() => {}, 1000)", /^ao-audit: lost \(/],
    [
      'an error event is not heard',
      "new (await import('node:events')).default().emit('error', new Error('unheard'))",
      /unheard/
    ],
    ['it exits with the code of a mismatch', 'process.exit(1)', /^ao-audit: it ended without a result$/],
    ['it sets the code of a mismatch', 'process.exitCode = 1', /^ao-audit: it ended without a result$/],
    ['it waits for nothing', 'new Promise(() => {})', /^ao-audit: it ended without a result$/],
    [
      'its memory runs out',
      'const all = []; for (;;) all.push(new Array(1e4).fill(all.length + 0.5))',
      /^ao-audit: out of memory/
    ]
  ])('because %s ends with exit code 4 and one line', async (_why, content, line) => {
    const command = installedWith('program.js', content)
    expectError(await run(['audit'], { command, env: { NODE_OPTIONS: '--max-old-space-size=64' } }), 4, line)
  })

  it('shows its stack with --verbose', async () => {
    const command = installedWith('program.js', "throw new Error('here')")
    const { code, stderr } = await new Promise<Pick<Ended, 'code' | 'stderr'>>((resolve) => {
      const child = spawn(process.execPath, [command, 'audit', '--verbose'], { stdio: ['ignore', 'ignore', 'pipe'] })
      let text = ''
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      child.on('close', (exit) => resolve({ code: exit, stderr: text }))
    })
    expect(code).toBe(4)
    expect(stderr).toMatch(/^ao-audit: here \(a fault.*\n[\s\S]*program\.js:1/)
  })

  it.runIf(Number.parseInt(process.versions.node, 10) >= 24)(
    "because of Node's permissions ends with exit code 4 and one line",
    async () => {
      const ended = await inShell(`'${process.execPath}' --permission '${COMMAND}' audit`, [])
      expectError(ended, 4, /^ao-audit: Node's permissions do not let it run: /)
    }
  )

  it.runIf(POSIX).each([
    ['loops', 'for (;;);'],
    ['does not listen', 'setInterval(() => {}, 1000)']
  ])('and %s ends with exit code 130 within a second after Ctrl-C, and at once after a second one', async (_what, wait) => {
    const ready =
      "import { parentPort } from 'node:worker_threads'\nparentPort.postMessage({ op: 'write', id: 0, to: 'stdout', content: 'ready' })\n"
    const command = installedWith('program.js', `${ready}setTimeout(() => { ${wait} }, 100)`)
    for (const times of [1, 2]) {
      const { child, ended } = start(['audit'], { command })
      await new Promise((resolve) => child.stdout?.once('data', resolve))
      const begun = performance.now()
      for (let sent = 0; sent < times; sent++) child.kill('SIGINT')
      expectError({ ...(await ended), stdout: '' }, 130, 'ao-audit: interrupted')
      // A busy machine takes longer to end a process.
      expect(performance.now() - begun).toBeLessThan(3000)
    }
  })
})

describe('a machine', () => {
  it('needs no temporary folder', async () => {
    const nowhere = inFolder('no-such-folder')
    const env = { TMPDIR: nowhere, TEMP: nowhere, TMP: nowhere }
    expect((await run(auditOf(lying), { env })).code).toBe(1)
  })

  it.runIf(POSIX)('without a writable home leads to exit code 2 and a hint', async () => {
    const env = { HOME: '/dev/null', XDG_CACHE_HOME: '' }
    const ended = await run(['audit', '--archive', honest], { env })
    expectError(ended, 2, /^ao-audit: the store \/dev\/null\/.* cannot be written$/, /give another folder with --store DIR$/)
  })

  it.runIf(process.platform === 'linux').each(['1500000', '3000000'])(
    'with too little address space (ulimit -v %s) leads to exit code 2 and one line',
    async (kib) => {
      const ended = await inShell(`ulimit -v ${kib}; $AO`, auditOf(lying))
      expectError(ended, 2, /^ao-audit: the address space is too small \(ulimit -v\)/)
    }
  )

  it.runIf(process.platform === 'linux').each([24, 26, 28])(
    'with too few open files (ulimit -n %i) leads to exit code 2, one line, and at most a hint',
    async (files) => {
      const ended = await inShell(`ulimit -n ${files}; $AO`, auditOf(lying))
      expect(ended).toMatchObject({ code: 2, stdout: '' })
      expect(ended.stderr).toMatch(/^ao-audit: [^\n]+\n( {2}[^\n]*ulimit -n[^\n]*\n)?$/)
    }
  )

  it.runIf(process.platform === 'linux')(
    'without enough address space for a module leads to exit code 2, or the audit manages without it',
    async () => {
      const ended = await inShell('ulimit -v 6000000; $AO', auditOf(lying))
      expect([1, 2]).toContain(ended.code)
      if (ended.code === 2)
        expectError(ended, 2, /^ao-audit: the address space is too small for the sandbox/, /ulimit -v unlimited/)
    }
  )
})

describe('the files of a killed audit', () => {
  it.runIf(POSIX)('are in the folder of the store, and the next audit removes them', async () => {
    const store = newFolder()
    const unpacked = path.join(store, 'unpacked')
    const args = ['audit', '--archive', honest, '--store', store]
    const { child, ended } = start(args)
    await vi.waitFor(
      () => expect(readdirSync(unpacked).map((name) => readdirSync(path.join(unpacked, name)))).not.toEqual([]),
      {
        timeout: 30_000,
        interval: 5
      }
    )
    child.kill('SIGSTOP')
    const left = readdirSync(unpacked)
    expect(left).toHaveLength(1)
    // Files of a running audit stay.
    expect((await run(args)).code).toBe(0)
    expect(readdirSync(unpacked)).toEqual(left)
    child.kill('SIGKILL')
    await ended
    expect(readdirSync(unpacked)).toEqual(left)
    expect((await run(args)).code).toBe(0)
    expect(readdirSync(unpacked)).toEqual([])
  })
})
