/** Generates docs/cli.md from the commands. */
import type { Command, Option } from 'commander'
import { createCommands } from '../bin/commands.ts'
import { CONFIG_KEYS } from '../bin/config-file.ts'
import { EXIT_CODES, examplesOf, variablesOf } from '../bin/help.ts'
import type { Shell } from '../bin/shell.ts'

/** The commands use no part of the shell before they run. */
const NO_SHELL = {} as Shell

/** The whole page. */
export function cliPage(): string {
  const program = createCommands(NO_SHELL)
  const sections = [
    '# The command line',
    'This page is generated from the commands: `npm run docs` writes it, and `npm run check` fails if it is out of date. `--help` shows the same for each command.',
    '`ao-audit` is the command of an installed package; in a clone it is `node dist/bin/ao-audit.js`.',
    ...program.commands.flatMap(commandSections),
    ...sourceSections(program),
    ...outputSections(),
    '## Exit codes',
    table(
      ['code', 'meaning'],
      EXIT_CODES.map(({ code, means }) => [String(code), means])
    ),
    'An error is one line on stderr, with a hint below it where there is one.'
  ]
  return `${sections.join('\n\n')}\n`
}

function commandSections(command: Command): readonly string[] {
  const headings = [...new Set(command.options.map(({ helpGroupHeading }) => helpGroupHeading))]
  const name = `ao-audit ${command.name()}`
  return [
    `## ${name}`,
    `${sentence(command.description())}`,
    fenced([`${name} ${command.usage()}`]),
    ...command.registeredArguments.map((argument) => {
      const choices = argument.argChoices === undefined ? '' : `: ${argument.argChoices.join(', ')}`
      return `\`${argument.name()}\` is ${argument.description}${choices}.${argument.required ? '' : ' It may be left out.'}`
    }),
    ...headings.flatMap((heading = '') => [
      `### ${command.name()}: ${lowered(heading.replace(/:$| \(.*/g, ''))}`,
      optionTable(command.options.filter(({ helpGroupHeading }) => helpGroupHeading === heading))
    ]),
    `### ${command.name()}: examples`,
    ...examplesOf(command).map(({ command: line, does }) => `${sentence(does)}\n\n${fenced([line])}`)
  ]
}

/** Leaves out empty columns. */
function optionTable(options: readonly Option[]): string {
  const rows = options.map(optionRow)
  const used = ['option', 'meaning', 'default', 'environment'].map((head, at) => ({ head, at }))
  const shown = used.filter(({ at }) => rows.some((row) => row[at] !== ''))
  return table(
    shown.map(({ head }) => head),
    rows.map((row) => shown.map(({ at }) => row[at] ?? ''))
  )
}

function optionRow({ flags, description, argChoices, defaultValueDescription = '', envVar }: Option): readonly string[] {
  const choices = argChoices === undefined ? '' : ` (one of ${argChoices.map(code).join(', ')})`
  return [code(flags), `${description}${choices}`, defaultValueDescription, envVar === undefined ? '' : code(envVar)]
}

function sourceSections(program: Command): readonly string[] {
  return [
    '## Where options come from',
    'The command line wins over the environment, and the environment over the config file. Every value is checked in the same way, before anything is opened or requested. An error says whether the value came from the environment or from a file.',
    'An option that takes one value cannot be given twice. An option on the command line that would have no effect is an error: with `--archive`, every option that names units or the network; `--scheduler` with `--schedule arweave`; `--quiet` with `--verbose`. The environment and the config file serve every command, so unused values there are ignored.',
    '### Environment',
    table(
      ['variable', 'meaning'],
      variablesOf(program).map(({ name, does }) => [code(name), does.replace(/--[\w-]+/, code)])
    ),
    'An empty variable counts as not set.',
    '### Config file',
    'The config file is `ao-audit.config.json`, or the key `ao-audit` in `package.json`, in the current folder or the nearest one above that has either. It is JSON and is never executed. `--config FILE` names another file, `--no-config` reads none. A file that belongs to another user is an error unless `--config` names it. A line on stderr says which file is used.',
    `It may have ${CONFIG_KEYS.map(code).join(', ')}: the units, and how the audit runs. Options that change what a verdict means, the range and the outputs can only be given on the command line. \`compute\`, \`gateway\` and \`graphql\` take a string or a list; \`patience\` and \`messageTime\` are in seconds; paths are relative to the file.`,
    fenced(['{', '  "compute": ["https://cu.example"],', '  "patience": 60,', '  "store": ".ao-audit"', '}'], 'json')
  ]
}

function outputSections(): readonly string[] {
  return [
    '## Outputs',
    'Results go to stdout, everything else to stderr. `-` is stdout for every output. An output there replaces the summary, and only one output can use it. `pull -o -` writes the archive to stdout, unless that is a terminal.',
    'The file of `--json` is optional. The next argument is that file only if it cannot be the process: it does not look like an id, and the command names a process or an archive elsewhere. `--json=FILE` always names a file.',
    'While a command runs, stderr shows a live line on a terminal. Without a terminal it shows one line every ten seconds with the time, the phase, the nonce and the rate. The rate and the time left are those of the replay alone. `--quiet` turns both off.',
    'If there is no match, the summary ends with the next command to run, if there is one: for a mismatch one that shows every difference, for a gap one that reads both schedules, for a unit that did not answer the same command again.',
    'Colours are used on a terminal only. `FORCE_COLOR` turns them on elsewhere; `NO_COLOR` turns them off everywhere and wins.'
  ]
}

function lowered(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``
}

function fenced(lines: readonly string[], language = 'sh'): string {
  return [`\`\`\`${language}`, ...lines, '```'].join('\n')
}

/** Pads every column to its widest cell. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, at) => Math.max(cell.length, ...rows.map((row) => row[at]?.length ?? 0)))
  const line = (cells: readonly string[]) => `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}
