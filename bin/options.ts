/** The options of the commands, each with what it takes, its default in words and its environment variable. */
import { type Command, Option } from 'commander'
import { DEFAULT_COMPUTES, DEFAULT_GATEWAYS } from '../src/audit/config.ts'
import { TRUST_ROLES } from '../src/verify/trust.ts'
import * as values from './values.ts'

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

/** Options of every command that asks units. */
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
    ['--patience <seconds>', 'how long a unit may stay away since its last answer', { read: values.secondsInMs, preset: '30' }],
    ['--allow-private', 'let a Scheduler-Location or a redirect lead to a private address', { preset: 'no' }]
  ])
  add(command, 'Which nonces:', [
    [
      '--from <nonce>',
      'the first nonce to judge; the replay begins with the first message all the same',
      { read: values.nonce, preset: '0' }
    ],
    [
      '--to <nonce>',
      'the last nonce to judge; where it is not there, what is missing is named and the rest is no match',
      { read: values.nonce, preset: 'the newest when the audit starts' }
    ]
  ])
}

export function addRunning(command: Command): void {
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

export function addJudging(command: Command): void {
  add(command, 'How it is judged:', [
    ['--profile <auto|name|file>', 'the execution profile', { read: values.profile, preset: 'auto' }],
    ['--no-search', 'hold to the profile, for research: no other is tried, and what differs is inconclusive'],
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
    [
      '--max-explanations <count>',
      'how many explanations a unit may need for a match',
      { read: values.limitCount, preset: '8' }
    ],
    [
      '--message-time <seconds>',
      'how long one message may take; it is ended then, and it and all after it are inconclusive',
      { read: values.secondsInMs, preset: '60' }
    ],
    [
      '--jobs <count>',
      'sandboxes at the same time, each for the part between two checkpoints',
      { read: values.count, preset: 'the cores, as far as memory reaches' }
    ],
    ['--no-snapshots', 'compute all of it again, and keep nothing of what is computed']
  ])
}

export function addOutputs(command: Command): void {
  add(command, 'Outputs (- is stdout, where it takes the place of the summary):', [
    ['--json [file]', 'the report as JSON; without a file on stdout', { read: values.fileName }],
    ['--markdown <file>', 'the report as Markdown', { read: values.fileName }],
    ['--evaluations <file>', 'one JSON line for each evaluation and unit', { read: values.fileName }],
    ['--state-hash <which>', 'SHA-256 of the memory: last, N,N,… or every:K', { read: values.stateHash, preset: 'none' }]
  ])
}
