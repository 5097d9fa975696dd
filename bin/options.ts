/** The options of the commands, each with its parser, its default in words and its environment variable. */
import { type Command, Option } from 'commander'
import { DEFAULT_COMPUTES, DEFAULT_GATEWAYS } from '../src/audit/config.ts'
import { TRUST_ROLES } from '../src/verify/trust.ts'
import * as values from './values.ts'

const SOURCES = ['scheduler', 'arweave', 'both'] as const

interface Details {
  readonly read?: (text: string) => unknown
  /** The default in words; the library owns the value. */
  readonly preset?: string
  /** The environment variable that is used if the option is not given. */
  readonly env?: string
  readonly choices?: readonly string[]
  /** It may be given more than once. */
  readonly repeatable?: true
  readonly mandatory?: true
  /** An option that cannot be combined with it. */
  readonly conflicts?: string
}

/** An option that knows whether it can be repeated. */
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

/** Adds options under a heading of the help. */
export function add(
  command: Command,
  group: string,
  options: readonly [flags: string, description: string, details?: Details][]
): void {
  for (const [flags, description, details] of options) {
    command.addOption(new CommandOption(group, flags, description, details))
  }
}

/** Options of every command that uses units. */
export function addSources(command: Command): void {
  add(command, 'Whom to ask:', [
    [
      '--scheduler <url>',
      "the scheduler's base URL",
      {
        read: values.unitUrl,
        preset: "by the process's Scheduler tag, the newest Scheduler-Location of that wallet",
        env: 'SCHEDULER_URL'
      }
    ],
    [
      '--schedule <source>',
      'which schedule to read; both: compare the two',
      { read: values.oneOf(SOURCES), choices: SOURCES, preset: 'scheduler' }
    ],
    [
      '--compute <url>',
      'a Compute Unit to audit; may be given more than once, each gets a verdict',
      { read: values.unitUrl, preset: DEFAULT_COMPUTES.join(', '), env: 'CU_URL', repeatable: true }
    ],
    [
      '--gateway <url>',
      'a gateway; may be given more than once, asked in this order until one has a valid item',
      { read: values.unitUrl, preset: DEFAULT_GATEWAYS.join(', '), env: 'GATEWAY_URL', repeatable: true }
    ],
    [
      '--graphql <url>',
      'the GraphQL endpoint of a gateway; may be given more than once, the first for the first gateway and so on',
      { read: values.unitUrl, preset: 'each gateway at /graphql', env: 'GRAPHQL_URL', repeatable: true }
    ],
    ['--patience <seconds>', 'how long to wait for a unit after its last answer', { read: values.secondsInMs, preset: '30' }],
    ['--allow-private', 'allow a Scheduler-Location or a redirect to lead to a private address', { preset: 'no' }]
  ])
  add(command, 'Which nonces:', [
    [
      '--from <nonce>',
      'the first nonce to judge; the replay always starts with the first message',
      { read: values.nonce, preset: '0' }
    ],
    [
      '--to <nonce>',
      'the last nonce to judge; if it does not exist yet, the report says so and is not a match',
      { read: values.nonce, preset: 'the newest when the audit starts' }
    ]
  ])
}

export function addRunning(command: Command): void {
  add(command, 'How it runs:', [
    [
      '--store <dir>',
      'the folder for inputs and progress, and for archives during an audit',
      { read: values.folderName, preset: "ao-audit in the user's cache folder" }
    ],
    ['--config <file>', 'a JSON file with options', { read: values.fileName, preset: 'ao-audit.config.json, see below' }],
    ['--no-config', 'read no config file'],
    ['--quiet', 'only errors on stderr', { conflicts: 'verbose' }],
    ['--verbose', 'each request and all stack traces on stderr']
  ])
}

export function addJudging(command: Command): void {
  add(command, 'How it is judged:', [
    ['--profile <auto|name|file>', 'the execution profile', { read: values.profile, preset: 'auto' }],
    ['--no-search', 'keep the profile and try no other; for research: differences are inconclusive'],
    [
      '--checkpoint-owner <address>',
      'an address whose checkpoints count as those of the audited unit; without effect if several are audited; may be given more than once',
      { read: values.address, repeatable: true }
    ],
    ['--start <checkpoint:id>', "start with a checkpoint's memory, on trust, and judge what follows", { read: values.start }],
    [
      '--trust <role>',
      'accept inputs without a valid signature from the scheduler or the gateways; may be given more than once',
      { read: values.oneOf(TRUST_ROLES), choices: TRUST_ROLES, preset: 'none', repeatable: true }
    ],
    [
      '--min-coverage <percent>',
      'how many of its evaluations a unit must claim for a match',
      { read: values.percent, preset: '100' }
    ],
    [
      '--max-explanations <count>',
      'how many explanations a unit may need for a match',
      { read: values.limitCount, preset: '8' }
    ],
    [
      '--message-time <seconds>',
      'how long one message may take; after that, it and all later ones are inconclusive',
      { read: values.secondsInMs, preset: '60' }
    ],
    [
      '--jobs <count>',
      'sandboxes that run at the same time, each between two checkpoints',
      { read: values.count, preset: 'one for each core, if memory allows' }
    ],
    ['--no-snapshots', 'compute everything again, and keep no results']
  ])
}

export function addOutputs(command: Command): void {
  add(command, 'Outputs (- is stdout, in place of the summary):', [
    ['--json [file]', 'the report as JSON; to stdout if no file is given', { read: values.fileName }],
    ['--markdown <file>', 'the report as Markdown', { read: values.fileName }],
    ['--evaluations <file>', 'one JSON line for each evaluation and unit', { read: values.fileName }],
    ['--state-hash <which>', 'SHA-256 of the memory: last, N,N,… or every:K', { read: values.stateHashes, preset: 'none' }]
  ])
}
