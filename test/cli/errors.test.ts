import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LedgerNetwork, startLedger } from '../fakes/ledger.ts'
import { expectError, ROOT, reportIn, run, unitsOf } from './command.ts'

let folder: string
let network: LedgerNetwork

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-cli-'))
  network = await startLedger()
})
afterAll(async () => {
  await network.close()
  rmSync(folder, { recursive: true, force: true })
})

const inFolder = (name: string) => path.join(folder, name)
/** Commands that end before anything is requested or stored. */
const ID = 'A'.repeat(43)

describe('ao-audit', () => {
  it('prints its version with --version', async () => {
    const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string }
    expect(await run(['--version'])).toEqual({ code: 0, signal: null, stdout: `${version}\n`, stderr: '' })
  })

  it('prints its help with --help', async () => {
    const ended = await run(['--help'])
    expect(ended.code).toBe(0)
    expect(ended.stderr).toBe('')
    for (const command of ['audit', 'pull', 'demo']) expect(ended.stdout).toMatch(new RegExp(`^  ${command} `, 'm'))
  })
})

describe('invalid usage, which ends with exit code 2 and a reason:', () => {
  const UNIT = 'It must be the http or https URL of a unit'
  const invalid = (flags: string, value: string, takes: string) =>
    `error: option '${flags}' argument '${value}' is invalid. ${takes}.`
  const cases: { args: string[]; line: string | RegExp; hint?: string | RegExp }[] = [
    { args: ['audit', '--colour', ID], line: "error: unknown option '--colour'" },
    { args: ['auditt'], line: "error: unknown command 'auditt'", hint: '(Did you mean audit?)' },
    { args: ['audit'], line: 'ao-audit: name a process, or an archive with --archive FILE' },
    {
      args: ['audit', 'short'],
      line: "error: command-argument value 'short' is invalid for argument 'process'. It must be a process's id: 43 characters of base64url."
    },
    {
      args: ['audit', '\u001b[31mred\n'],
      line: /^error: command-argument value '\\u\{1b\}\[31mred\\u\{a\}' is invalid for argument 'process'\./
    },
    { args: ['audit', ID, '--compute', 'ftp://unit'], line: invalid('--compute <url>', 'ftp://unit', UNIT) },
    {
      args: ['audit', ID, '--compute', 'localhost:1234'],
      line: invalid('--compute <url>', 'localhost:1234', `${UNIT}: add http:// in front of it`)
    },
    {
      args: ['audit', ID, '--gateway', 'arweave.net'],
      line: invalid('--gateway <url>', 'arweave.net', `${UNIT}: add https:// in front of it`)
    },
    {
      args: ['pull', ID, '-o', 'x', '--graphql', '[::1]:80'],
      line: invalid('--graphql <url>', '[::1]:80', `${UNIT}: add http:// in front of it`)
    },
    {
      args: ['audit', ID, '--scheduler', 'http://u:p@unit'],
      line: invalid('--scheduler <url>', 'http://u:p@unit', `${UNIT}: leave out the user and the password`)
    },
    {
      args: ['audit', ID, '--compute', 'http://unit/?a=b'],
      line: invalid('--compute <url>', 'http://unit/?a=b', `${UNIT}: leave out the query and everything after "#"`)
    },
    {
      args: ['audit', ID, '--schedule', 'mine'],
      line: invalid('--schedule <source>', 'mine', 'It must be scheduler or arweave or both')
    },
    {
      args: ['audit', ID, '--trust', 'compute'],
      line: invalid('--trust <role>', 'compute', 'It must be scheduler or gateway')
    },
    {
      args: ['audit', ID, '--state-hash', 'first'],
      line: /'first' is invalid\. It must be last, nonces with commas .* every:K\.$/
    },
    {
      args: ['audit', ID, '--start', `checkpoint:${ID}x`],
      line: /is invalid\. It must be checkpoint:ID, the id of a checkpoint\.$/
    },
    {
      args: ['audit', ID, '--profile', 'none'],
      line: invalid(
        '--profile <auto|name|file>',
        'none',
        'It must be auto, legacynet, loader-0.0.49, or the path of a JSON file'
      )
    },
    {
      args: ['audit', ID, '--checkpoint-owner', 'abc'],
      line: /'abc' is invalid\. It must be an address: 43 characters .* hex digits\.$/
    },
    {
      args: ['audit', ID, '--from', '5', '--to', '2'],
      line: 'ao-audit: the range starts at nonce 5, after its end at nonce 2'
    },
    {
      args: ['pull', ID, '-o', 'x', '--from', '5', '--to', '2'],
      line: /^ao-audit: the range starts at nonce 5, after its end/
    },
    { args: ['audit', '--archive', 'none', '--from', '5', '--to', '2'], line: /^ao-audit: the range starts at nonce 5, / },
    { args: ['audit', ID, '--quiet', '--verbose'], line: "error: option '--quiet' cannot be used with option '--verbose'" },
    {
      args: ['audit', '--archive', 'none', '--compute', 'http://unit', '--patience', '9'],
      line: 'ao-audit: an archive is audited without a network: --compute, --patience cannot be given with --archive',
      hint: /^ {2}give these options to `ao-audit pull`, which creates the archive$/
    },
    {
      args: ['audit', ID, '--schedule', 'arweave', '--scheduler', 'http://unit'],
      line: 'ao-audit: no scheduler is asked with --schedule arweave: leave out --scheduler'
    },
    {
      args: ['audit', ID, '--gateway', 'http://a', '--graphql', 'http://b', '--graphql', 'http://c'],
      line: 'ao-audit: 2 GraphQL endpoints for only 1 gateway',
      hint: '  the first --graphql belongs to the first --gateway, and so on'
    },
    {
      args: ['audit', ID, '--scheduler', 'http://a', '--scheduler', 'http://b'],
      line: "error: option '--scheduler <url>' is given more than once"
    },
    { args: ['audit', ID, '--json', ''], line: invalid('--json [file]', '', 'It must be the name of a file') },
    { args: ['audit', ID, '--store', ''], line: invalid('--store <dir>', '', 'It must be the name of a folder') },
    {
      args: ['audit', ID, '--json', '--markdown', '-'],
      line: 'ao-audit: --json and --markdown cannot both go to stdout',
      hint: '  name a file for one of them'
    },
    { args: ['audit', ID, '--profile', './nope.json'], line: 'ao-audit: the profile ./nope.json does not exist' },
    { args: ['audit', '--archive', 'nope.tar.gz'], line: 'ao-audit: the archive nope.tar.gz does not exist' },
    { args: ['audit', '--archive', '.'], line: 'ao-audit: the archive . is a folder' },
    { args: ['audit', ID, '--archive', 'a.tar.gz'], line: 'ao-audit: name a process or an archive, not both' },
    { args: ['pull', ID], line: "error: required option '-o, --output <file>' not specified" },
    { args: ['pull', '-o', 'a.tar.gz'], line: "error: missing required argument 'process'" }
  ]
  it.each(cases)('$args', async ({ args, line, hint }) => {
    const store = path.join(folder, args.includes('--archive') ? 'unpacked' : 'unused')
    const named = args.length > 1 && args[0] !== 'auditt' ? [...args, '--store', store] : args
    expectError(await run(named), 2, line, hint)
  })

  it('no such command opens a store', () => {
    expect(existsSync(path.join(folder, 'unused'))).toBe(false)
  })

  const numbers: [option: string, takes: string][] = [
    ['--from', 'a nonce: a whole number from 0, in digits alone'],
    ['--to', 'a nonce: a whole number from 0, in digits alone'],
    ['--jobs', 'a whole number from 1 to 999, in digits alone'],
    ['--max-explanations', 'a whole number from 0 to 999999, in digits alone'],
    ['--min-coverage', 'a number from 0 to 100, such as 95 or 99.5'],
    ['--patience', 'a number of seconds above 0 and below 1000000, such as 30 or 0.5'],
    ['--message-time', 'a number of seconds above 0 and below 1000000, such as 30 or 0.5']
  ]
  it.each(numbers)('%s with a number that is not written in digits', async (option, takes) => {
    const values = ['1e1', '0x10', ' 5', '5 ', '+5', '-1', '1_0', 'Infinity', '٣', '1.', '99999999999999999', '']
    const ended = await Promise.all(values.map((value) => run(['audit', ID, option, value])))
    for (const [place, one] of ended.entries()) {
      expectError(one, 2, /^error: option /)
      expect(one.stderr).toContain(`argument '${values[place]}' is invalid. It must be ${takes}.`)
    }
  })

  it.each([
    ['help', 'replay'],
    ['replay', '--help']
  ])('an unknown command in %s %s', async (...args) => {
    expectError(await run(args), 2, "error: unknown command 'replay'")
  })

  it.each([
    ['{"name":"x","environment":["A"]}', 'ao-audit: the profile has faulty fields: environment.0: it must be NAME=value'],
    [
      '{"name":"x","environment":[],"instances":"two"}',
      'ao-audit: the profile has faulty fields: instances: it must be "one", "per-message" or a list of nonces'
    ],
    ['{"name": "x"\n "y"}', /^ao-audit: the profile .*profile\.json is not valid JSON: .*line 2 column 2\)$/]
  ])('the invalid profile %j', async (content, line) => {
    const file = inFolder('profile.json')
    writeFileSync(file, content)
    expectError(await run(['audit', ID, '--profile', file]), 2, line)
  })

  it('a range after the newest nonce', async () => {
    const args = ['audit', network.process, ...unitsOf(network), '--store', inFolder('store'), '--from', '46']
    expectError(await run(args), 2, 'ao-audit: the range begins at nonce 46, but the newest to judge is 45')
  })

  it('a report in a folder that does not exist', async () => {
    const file = inFolder('nowhere/report')
    const args = ['audit', network.process, ...unitsOf(network), '--store', inFolder('store'), '--to', '0']
    for (const option of ['--json', '--evaluations']) {
      expectError(
        await run([...args, option, file]),
        2,
        `ao-audit: the file ${file} cannot be written: its folder does not exist`
      )
    }
  })
})

describe('a store that cannot be used ends with exit code 2', () => {
  const auditWith = (store: string) => run(['audit', network.process, ...unitsOf(network), '--store', store, '--to', '0'])

  it('if it is a file', async () => {
    const file = inFolder('file')
    writeFileSync(file, '')
    expectError(
      await auditWith(file),
      2,
      `ao-audit: the store ${file} cannot be opened`,
      /^ {2}.*give another folder with --store DIR$/
    )
  })

  // Node's own function for creating folders never returns here, and blocks signals.
  it.runIf(process.platform === 'linux')('if its folder cannot contain another', async () => {
    for (const store of ['/proc/ao-audit', '/proc/self', '/proc/self/ao-audit/store']) {
      const line = `ao-audit: the store ${store} cannot be opened`
      expectError(await auditWith(store), 2, line, /^ {2}.*give another folder with --store DIR$/)
      const archived = await run(['audit', '--archive', inFolder('none.tar.gz'), '--store', store])
      expectError(archived, 2, `ao-audit: the store ${store} cannot be written`, /give another folder with --store DIR$/)
    }
  })

  // The administrator can write everywhere.
  it.skipIf(process.getuid?.() === 0 || process.platform === 'win32')('if it may not be written', async () => {
    const locked = inFolder('read-only')
    mkdirSync(locked)
    chmodSync(locked, 0o500)
    const store = path.join(locked, 'store')
    expectError(
      await auditWith(store),
      2,
      `ao-audit: the store ${store} cannot be opened`,
      /give another folder with --store DIR$/
    )
  })

  it('if its records are damaged', async () => {
    const store = inFolder('spoilt')
    mkdirSync(path.join(store, 'records'), { recursive: true })
    writeFileSync(path.join(store, 'records/CURRENT'), 'MANIFEST-000009\n')
    expectError(
      await auditWith(store),
      2,
      `ao-audit: the store ${store} cannot be opened`,
      /give another folder with --store DIR$/
    )
  })
})

describe('a sandbox that does not start', () => {
  it('is a fault with exit code 4, and nobody is accused', async () => {
    const root = inFolder('installed')
    mkdirSync(root)
    for (const name of ['package.json', 'demo', 'dist'])
      cpSync(path.join(ROOT, name), path.join(root, name), { recursive: true })
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(root, 'node_modules'), 'junction')
    writeFileSync(path.join(root, 'dist/bin/sandbox-child.js'), 'process.exit(7)\n')
    const args = ['audit', network.process, ...unitsOf(network), '--store', inFolder('store'), '--to', '0']
    expectError(await run(args, { command: path.join(root, 'dist/bin/ao-audit.js') }), 4, /^ao-audit: the sandbox /)
  })
})

describe('units that do not answer', () => {
  it('are named in an inconclusive report within --patience, with exit code 3', async () => {
    const gone = await startLedger()
    await gone.close()
    const args = ['audit', gone.process, ...unitsOf(gone), '--store', inFolder('gone'), '--patience', '1', '--json']
    const begun = performance.now()
    const ended = await run(args)
    expect(performance.now() - begun).toBeLessThan(15_000)
    expect(ended.code).toBe(3)
    const report = reportIn(ended)
    expect(report.verdict).toBe('inconclusive')
    expect(report.unreachable.map(({ unit, url }) => [unit, url])).toEqual([['scheduler', gone.url]])
  })

  it('are not accused if only the Compute Unit is missing, and everything else is reported', async () => {
    const gone = await startLedger()
    await gone.close()
    const args = ['audit', network.process, ...unitsOf(network), '--compute', gone.url, '--store', inFolder('store')]
    const ended = await run([...args, '--patience', '1', '--to', '1', '--json'])
    expect(ended.code).toBe(3)
    const report = reportIn(ended)
    expect(report.unreachable.map(({ unit, url }) => [unit, url])).toEqual([['compute-unit', gone.url]])
    expect(report.claimants.map(({ id, verdict }) => [id, verdict])).toEqual([
      [network.url, 'match'],
      [gone.url, 'inconclusive']
    ])
  })

  it('lead to no archive, with exit code 3', async () => {
    const gone = await startLedger()
    await gone.close()
    const args = [
      'pull',
      gone.process,
      ...unitsOf(gone),
      '--store',
      inFolder('gone2'),
      '--patience',
      '1',
      '-o',
      inFolder('gone.tar.gz')
    ]
    const line = `ao-audit: ${gone.url} did not answer: the connection failed (ECONNREFUSED)`
    expectError(await run(args), 3, line, '  try again later, or name another unit')
  })
})
