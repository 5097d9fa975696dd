/** docs/cli.md, made from the commands themselves. */
import type { Command, Option } from 'commander'
import { createCommands } from '../bin/commands.ts'
import { CONFIG_KEYS } from '../bin/config-file.ts'
import { EXIT_CODES, examplesOf, variablesOf } from '../bin/help.ts'
import type { Shell } from '../bin/shell.ts'

/** Of a shell the commands ask nothing before they run. */
const NO_SHELL = {} as Shell

/** The whole page. */
export function cliPage(): string {
  const program = createCommands(NO_SHELL)
  const sections = [
    '# The command line',
    'This page is made from the commands: `npm run docs` writes it, and `npm run check` fails where it is not up to date. Each command says the same with `--help`.',
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

/** Columns in which nothing stands are left out. */
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
    'The command line wins, then the environment, then the config file. Values are checked in the same way wherever they come from, before anything is opened or asked, and an error names the place.',
    'An option that takes one value is refused a second time, and so is one on the command line that would have no effect: beside `--archive` whatever names units or the network, `--scheduler` beside `--schedule arweave`, `--quiet` with `--verbose`. The environment and the config file are there for every command, so what an audit has no use for is passed over there.',
    '### Environment',
    table(
      ['variable', 'meaning'],
      variablesOf(program).map(({ name, does }) => [code(name), does.replace(/--[\w-]+/, code)])
    ),
    'A variable that is empty counts as not set.',
    '### Config file',
    'In the current folder, or the nearest one above that has either: `ao-audit.config.json`, or the key `ao-audit` in `package.json`. It is JSON, and nothing in it is ever run. `--config FILE` names another, `--no-config` reads none. A file that belongs to another user is refused unless it is named. A line on stderr says which file is used.',
    `It may have ${CONFIG_KEYS.map(code).join(', ')}: whom to ask, and how the machine works. What a verdict rests on, the range and the outputs are said on the command line. \`compute\`, \`gateway\` and \`graphql\` take a text or a list; \`patience\` and \`messageTime\` are in seconds; paths begin at the file's folder.`,
    fenced(['{', '  "compute": ["https://cu.example"],', '  "patience": 60,', '  "store": ".ao-audit"', '}'], 'json')
  ]
}

function outputSections(): readonly string[] {
  return [
    '## Outputs',
    'Results go to stdout, all else to stderr. `-` is stdout for every output: there it takes the place of the summary, and only one output can have it. `pull -o -` writes the archive there, unless stdout is a terminal.',
    '`--json` may stand without a file. What follows it is its file only where that cannot be the process: it does not look like an id, and a process or an archive is named elsewhere. `--json=FILE` always names a file.',
    'While a command runs, stderr has a live line on a terminal, and elsewhere one line every ten seconds with the time, the phase, the nonce and the rate. Rate and time left are those of the replay alone. `--quiet` leaves all of it out.',
    'A summary that is no match ends with the command that leads further, where there is one: all of a mismatch, the second schedule for a gap, the same command for a unit that stayed away.',
    'Colours are written on a terminal only, unless `FORCE_COLOR` asks for them elsewhere; `NO_COLOR` wins.'
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

/** With columns as wide as their widest cell. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, at) => Math.max(cell.length, ...rows.map((row) => row[at]?.length ?? 0)))
  const line = (cells: readonly string[]) => `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}
