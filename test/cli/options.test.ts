/** Options from the command line, the environment and a config file, and the targets of outputs. */
import { spawn } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FakeNetwork, startFakeNetwork } from '../fakes/network.ts'
import { compileSmallModule } from '../modules/small-module.ts'
import { type SmallProcess, signedSmallProcess } from '../modules/small-process.ts'
import { COMMAND, expectError, reportIn, run, type StartOptions, unitsOf } from './command.ts'
import { pullSmall } from './small-archive.ts'

const FORMAT = 'wasm32-unknown-emscripten4'
const ID = 'A'.repeat(43)
/** A URL at which nobody answers. */
const away = (port: number) => `http://127.0.0.1:${port}`
let folder: string
let honest: string
let lying: string
let small: SmallProcess
let network: FakeNetwork

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-options-'))
  honest = path.join(folder, 'honest.tar.gz')
  lying = path.join(folder, 'lying.tar.gz')
  await pullSmall(honest, path.join(folder, 'honest-store'))
  await pullSmall(lying, path.join(folder, 'lying-store'), { lies: true })
  const words = ['echo a', 'echo b']
  small = await signedSmallProcess({ format: FORMAT, wasm: await compileSmallModule(FORMAT), messages: words })
  const claims = words.map((word, place) => {
    const result = { Messages: [], Assignments: [], Spawns: [], Output: word.slice('echo '.length), GasUsed: 0 }
    return { id: small.messageIds[place + 1] ?? '', status: 200, result }
  })
  network = await startFakeNetwork({ ...small, claims })
})
afterAll(async () => {
  await network.close()
  rmSync(folder, { recursive: true, force: true })
})

const newFolder = () => mkdtempSync(path.join(folder, 'case-'))

describe('--json', () => {
  it.each([
    ['before the process', (id: string) => ['--json', id]],
    ['behind the process', (id: string) => [id, '--json']],
    ['before another option', (id: string) => ['--json', '--to', '1', id]]
  ])('without a file %s prints the report, and does not take the process for a file', async (_where, args) => {
    const cwd = newFolder()
    const store = path.join(cwd, 'store')
    const ended = await run(['audit', ...args(small.process.process_id), ...unitsOf(network), '--store', store], { cwd })
    expect(reportIn(ended)).toMatchObject({ verdict: 'match', processId: small.process.process_id })
    expect(readdirSync(cwd)).toEqual(['store'])
  })

  it.each([
    ['before the process', (id: string) => ['--json', 'report.json', id]],
    ['behind the process', (id: string) => [id, '--json', 'report.json']],
    ['beside an archive', () => ['--archive', honest, '--json', 'report.json']]
  ])('with a file %s writes that file', async (_where, args) => {
    const cwd = newFolder()
    const units = args('').includes('--archive') ? [] : unitsOf(network)
    const ended = await run(['audit', ...args(small.process.process_id), ...units, '--store', path.join(cwd, 'store')], { cwd })
    expect(ended.stdout).toMatch(/^MATCH /)
    expect(JSON.parse(readFileSync(path.join(cwd, 'report.json'), 'utf8'))).toMatchObject({ verdict: 'match' })
  })

  it('with a file but no process is an error, and writes nothing', async () => {
    const cwd = newFolder()
    expectError(
      await run(['audit', '--json', 'report.json'], { cwd }),
      2,
      /value 'report\.json' is invalid for argument 'process'/
    )
    expect(readdirSync(cwd)).toEqual([])
  })

  it('with two ids is an error, because both are processes', async () => {
    expectError(await run(['audit', '--json', ID, ID]), 2, /^error: too many arguments for 'audit'/)
  })

  it('writes a file with the name of an id after an equals sign', async () => {
    const cwd = newFolder()
    const ended = await run(['audit', `--json=${ID}`, '--archive', honest, '--store', path.join(cwd, 'store')], { cwd })
    expect(ended.code).toBe(0)
    expect(existsSync(path.join(cwd, ID))).toBe(true)
  })
})

describe('- as stdout', () => {
  const audited = (...args: string[]) => run(['audit', '--archive', lying, '--store', path.join(folder, 'store'), ...args])

  it.each<[string[], RegExp]>([
    [['--json', '-'], /^\{\n {2}"schema": "ao-audit\/report\/v1"/],
    [['--json=-'], /^\{\n {2}"schema": "ao-audit\/report\/v1"/],
    [['--markdown', '-'], /^# ao-audit: MISMATCH\n/],
    [['--evaluations', '-'], /^\{"key":/]
  ])('replaces the summary and keeps the exit code of the verdict for %j', async (args, begins) => {
    const ended = await audited(...args)
    expect(ended.stdout).toMatch(begins)
    expect(ended.stdout).not.toMatch(/^MISMATCH /m)
    expect(ended).toMatchObject({ code: 1, stderr: '' })
  })

  it('has a line in --evaluations that makes all lines before it invalid', async () => {
    const lines = (await audited('--evaluations', '-')).stdout.trimEnd().split('\n')
    const again = lines.lastIndexOf('{"again":true}')
    expect(again).toBeGreaterThan(0)
    expect(lines.slice(again + 1).map((line) => JSON.parse(line).status)).toEqual(['match', 'match', 'match', 'mismatch'])
  })

  it.each(['-', 'lines.jsonl'])('keeps the lines about other units if one unit is audited again, in %s', async (output) => {
    const claims = small.messageIds.slice(1).map((id) => {
      return { id, status: 200, result: { Messages: [], Assignments: [], Spawns: [], Output: 'false', GasUsed: 0 } }
    })
    const other = await startFakeNetwork({ ...small, claims })
    const cwd = newFolder()
    try {
      const units = [...unitsOf(network), '--compute', other.url]
      const args = ['audit', small.process.process_id, ...units, '--store', path.join(cwd, 'store'), '--evaluations', output]
      const ended = await run(args, { cwd })
      const text = output === '-' ? ended.stdout : readFileSync(path.join(cwd, output), 'utf8')
      const lines = text.trimEnd().split('\n')
      const again = lines.lastIndexOf(JSON.stringify({ again: true, claimants: [other.url] }))
      const statuses = (from: number, url: string) =>
        lines.slice(from).flatMap((line) => {
          const { claimant, status } = JSON.parse(line) as { claimant?: string; status?: string }
          return claimant === url ? [status] : []
        })
      expect([ended.code, statuses(0, network.url)]).toEqual([1, ['match', 'match', 'match']])
      expect(statuses(again, other.url)).toEqual(['match', 'mismatch', 'mismatch'])
    } finally {
      await other.close()
    }
  })

  it('can be used for one output, with files for the others', async () => {
    const file = path.join(newFolder(), 'report.json')
    const ended = await audited('--markdown', '-', '--json', file)
    expect(ended.stdout).toMatch(/^# ao-audit: MISMATCH\n/)
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ verdict: 'mismatch' })
  })

  it('can be used for an archive, whose contents are described on stderr', async () => {
    const store = path.join(newFolder(), 'store')
    const args = ['pull', small.process.process_id, ...unitsOf(network), '--store', store]
    const file = path.join(store, '../file.tar.gz')
    expect((await run([...args, '-o', file])).code).toBe(0)
    const { code, stdout, stderr } = await bytesOf([...args, '-o', '-'])
    expect([code, stderr]).toEqual([0, `stdout: nonces 0 to 2 of ${small.process.process_id}\n`])
    expect(stdout.equals(readFileSync(file))).toBe(true)
    expect(readdirSync(store)).not.toContain('temporary')
  })
})

/** Runs `ao-audit`, and accepts any bytes on stdout. */
function bytesOf(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [COMMAND, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const chunks: Buffer[] = []
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => void chunks.push(chunk))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  return new Promise<{ code: number | null; stdout: Buffer; stderr: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, stdout: Buffer.concat(chunks), stderr }))
  })
}

describe('the use of colours', () => {
  it.each<[Record<string, string>, boolean]>([
    [{ FORCE_COLOR: '1', NO_COLOR: '' }, true],
    [{ FORCE_COLOR: '0', NO_COLOR: '' }, false],
    [{ FORCE_COLOR: '', NO_COLOR: '' }, false],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false]
  ])('with %j and without a terminal is %s', async (env, isColoured) => {
    const { stdout } = await bytesOf(['audit', '--archive', honest, '--store', path.join(folder, 'store')], env)
    expect(stdout.includes('\u001b[')).toBe(isColoured)
  })
})

/** The scheduler that a command would have asked. */
async function scheduler(args: readonly string[], options: StartOptions): Promise<string | undefined> {
  const units = ['--gateway', away(9), '--patience', '0.1', '--store', path.join(folder, 'away')]
  const report = reportIn(await run(['audit', ID, '--json', ...units, ...args], options))
  return report.unreachable.find(({ unit }) => unit === 'scheduler')?.url
}

describe('the environment', () => {
  it('provides units that no option names', async () => {
    const lists = await startFakeNetwork({ ...small, claims: [] })
    try {
      const env = {
        SCHEDULER_URL: network.url,
        GATEWAY_URL: network.url,
        GRAPHQL_URL: `${lists.url}/graphql`,
        CU_URL: network.url
      }
      const args = ['audit', small.process.process_id, '--store', path.join(newFolder(), 'store'), '--json']
      const report = reportIn(await run(args, { env }))
      expect(report.claimants.map(({ id, verdict }) => [id, verdict])).toEqual([[network.url, 'match']])
      expect(lists.requests.length).toBeGreaterThan(0)
      expect(lists.requests.every(({ what }) => what.startsWith('/graphql '))).toBe(true)
    } finally {
      await lists.close()
    }
  })

  it('is overridden by options, and empty variables count as not set', async () => {
    expect(await scheduler([], { env: { SCHEDULER_URL: away(1) } })).toBe(away(1))
    expect(await scheduler(['--scheduler', away(2)], { env: { SCHEDULER_URL: away(1) } })).toBe(away(2))
    expect(await scheduler(['--scheduler', away(2)], { env: { SCHEDULER_URL: '', CU_URL: '' } })).toBe(away(2))
  })

  it.each([
    ['SCHEDULER_URL', '--scheduler <url>'],
    ['CU_URL', '--compute <url>'],
    ['GATEWAY_URL', '--gateway <url>'],
    ['GRAPHQL_URL', '--graphql <url>']
  ])('is named in the error if %s is not a URL', async (name, flags) => {
    const line = `error: option '${flags}' value 'localhost:1' from env '${name}' is invalid. It must be the http or https URL of a unit: add http:// in front of it.`
    for (const args of [
      ['audit', ID],
      ['pull', ID, '-o', 'x']
    ]) {
      expectError(await run(args, { env: { [name]: 'localhost:1' } }), 2, line)
    }
  })

  it('does not conflict with --archive', async () => {
    const env = { CU_URL: away(1), GATEWAY_URL: away(1), SCHEDULER_URL: away(1), GRAPHQL_URL: away(1) }
    const ended = await run(['audit', '--archive', honest, '--store', path.join(folder, 'store')], { env })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
  })
})

describe('a config file', () => {
  /** A folder inside the one with the config file. */
  function below(name: string, content: unknown): string {
    const above = newFolder()
    writeFileSync(path.join(above, name), typeof content === 'string' ? content : JSON.stringify(content))
    mkdirSync(path.join(above, 'a/b'), { recursive: true })
    return path.join(above, 'a/b')
  }
  const config = (content: unknown) => below('ao-audit.config.json', content)

  it.each([
    ['ao-audit.config.json', { scheduler: away(3) }],
    ['package.json', { name: 'x', 'ao-audit': { scheduler: away(3) } }]
  ])('in %s above the current folder provides options, and is named on stderr', async (name, content) => {
    const cwd = below(name, content)
    const ended = await run(['audit', ID, '--gateway', away(9), '--patience', '0.1', '--json'], { cwd, env: { HOME: folder } })
    expect(reportIn(ended).unreachable.map(({ url }) => url)).toContain(away(3))
    expect(ended.stderr).toBe(`ao-audit: using the options in ${path.join(cwd, '../..', name)}\n`)
  })

  it('is overridden by the environment, and that by the command line', async () => {
    const cwd = config({ scheduler: away(3) })
    expect(await scheduler([], { cwd })).toBe(away(3))
    expect(await scheduler([], { cwd, env: { SCHEDULER_URL: away(2) } })).toBe(away(2))
    expect(await scheduler(['--scheduler', away(1)], { cwd, env: { SCHEDULER_URL: away(2) } })).toBe(away(1))
    expect(await scheduler(['--no-config', '--scheduler', away(1)], { cwd })).toBe(away(1))
  })

  it('adds nothing to a repeated option of the command line', async () => {
    const cwd = config({ compute: [away(3), away(4)] })
    const args = ['audit', small.process.process_id, ...unitsOf(network), '--store', path.join(cwd, 'store'), '--json']
    expect(reportIn(await run(args, { cwd })).claimants.map(({ id }) => id)).toEqual([network.url])
  })

  it('has paths relative to its folder', async () => {
    const cwd = config({ store: 'kept' })
    await run(['pull', ID, '--scheduler', away(1), '--gateway', away(1), '--patience', '0.1', '-o', 'x'], { cwd })
    expect(readdirSync(path.join(cwd, '../..')).sort()).toEqual(['a', 'ao-audit.config.json', 'kept'])
  })

  it('can be named, and is not mentioned with --quiet', async () => {
    const cwd = config({ scheduler: away(3) })
    const elsewhere = path.join(newFolder(), 'other.json')
    writeFileSync(elsewhere, JSON.stringify({ scheduler: away(4) }))
    expect(await scheduler(['--quiet', '--config', elsewhere], { cwd })).toBe(away(4))
    const args = ['audit', ID, '--gateway', away(9), '--patience', '0.1', '--json', '--quiet']
    expect((await run(args, { cwd, env: { HOME: folder } })).stderr).toBe('')
  })

  it.each<[string, unknown, RegExp, RegExp?]>([
    ['that is not JSON', 'module.exports = {}', /is not valid JSON$/],
    ['that is a list', [], /: it must be an object$/],
    ['with an unknown key', { computes: [] }, /has an unknown key: computes$/, /^ {2}known keys: scheduler, /],
    ['with a prototype', '{"__proto__":{"scheduler":"http://x"}}', /has an unknown key: __proto__$/, /^ {2}known keys/],
    ['that would lower a requirement', { trust: ['gateway'] }, /has an unknown key: trust$/, /set on the command line$/],
    ['that would write a file', { json: 'x' }, /has an unknown key: json$/, /set on the command line$/],
    ['with a text for a number', { patience: '30' }, /: patience must be a number$/],
    [
      'with a number that an option would not take',
      { jobs: 1000 },
      /: jobs "1000" is invalid\. It must be a whole number from 1 to/
    ],
    ['with a list of other values than texts', { compute: [7] }, /: compute must be a text or a list of texts$/],
    [
      'with a URL that an option would not take',
      { compute: ['http://a', 'b:1'] },
      /: compute "b:1" is invalid\. It must be the http/
    ]
  ])(
    '%s ends with 2, before anything is asked',
    async (_what, content, line, hint = /^ {2}use --no-config to run without it$/) => {
      const cwd = config(content)
      const ended = await run(['audit', ID, '--scheduler', away(1)], { cwd })
      expectError(ended, 2, line, hint)
      expect(ended.stderr).toContain(path.join(cwd, '../../ao-audit.config.json'))
    }
  )

  it('is never executed', async () => {
    const cwd = newFolder()
    for (const name of ['ao-audit.config.js', 'ao-audit.config.cjs', 'ao-audit.config.mjs', '.ao-auditrc.js']) {
      writeFileSync(path.join(cwd, name), `require('node:fs').writeFileSync(${JSON.stringify(path.join(cwd, 'ran'))}, '')`)
    }
    expect(await scheduler(['--scheduler', away(1)], { cwd })).toBe(away(1))
    const named = await run(['audit', ID, '--config', 'ao-audit.config.cjs'], { cwd })
    expectError(named, 2, 'ao-audit: the config ao-audit.config.cjs is not a .json file', /--no-config/)
    expect(existsSync(path.join(cwd, 'ran'))).toBe(false)
  })

  it.runIf(process.getuid?.() === 0)('of another user is an error unless it is named', async () => {
    const cwd = config({ scheduler: away(3) })
    const file = path.join(cwd, '../../ao-audit.config.json')
    chownSync(file, 12_345, 12_345)
    const hint = `  name it with --config ${file}, or use --no-config to run without it`
    expectError(await run(['audit', ID], { cwd }), 2, `ao-audit: the config ${file} belongs to another user`, hint)
    expect(await scheduler(['--config', file], { cwd })).toBe(away(3))
  })

  it('cannot be an output', async () => {
    const cwd = config({ jobs: 1 })
    const file = path.join(cwd, '../../ao-audit.config.json')
    const ended = await run(['audit', '--archive', honest, '--json', file], { cwd })
    expect(ended.code).toBe(2)
    expect(ended.stderr).toContain(`ao-audit: the file ${file} cannot be written: it is also the config ${file}\n`)
  })
})

describe('--help', () => {
  it.each([['audit'], ['pull'], ['demo'], ['completion'], []].map((command) => [[...command, '--help']]))(
    'of %j has two examples',
    async (args) => {
      const { code, stdout, stderr } = await run(args)
      expect([code, stderr]).toEqual([0, ''])
      expect(stdout.split('\nExamples:\n')[1]?.match(/^ {2}\$ .*ao-audit .*\n {4}\S/gm)).toHaveLength(2)
    }
  )

  it('names the option of each variable', async () => {
    const { stdout } = await run(['audit', '--help'])
    const variables = { SCHEDULER_URL: '--scheduler', CU_URL: '--compute', GATEWAY_URL: '--gateway', GRAPHQL_URL: '--graphql' }
    for (const [name, option] of Object.entries(variables)) expect(stdout).toMatch(new RegExp(`^  ${name} +as ${option}$`, 'm'))
    expect(stdout).toMatch(/^ {2}NO_COLOR /m)
    expect(stdout).toMatch(/^ {2}FORCE_COLOR /m)
  })
})
