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
    ...exitSections()
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
    'Outputs differ by the kind of file they name:',
    table(
      ['output', 'regular or new file', 'device or pipe'],
      [
        [
          '`--json FILE`, `--markdown FILE`',
          'written to a new file beside it, which replaces it once the report is complete',
          'written to directly'
        ],
        [
          '`--evaluations FILE`',
          'overwritten with the first line; emptied if the audit starts over for all units that have lines',
          'written to directly; `{"again":true}` says that all lines before it are invalid'
        ],
        ['`pull -o FILE`', 'written to `FILE.<pid>.part`, which replaces it', 'an error'],
        [
          'stdout',
          'an error if it cannot be written',
          'the same; if its reader leaves (`\\| head`), or it is closed (`>&-`), the exit code is that of the verdict'
        ],
        ['stderr', 'text that cannot be written is lost, and no exit code changes', 'the same']
      ]
    ),
    'If the audit starts over for some of several units, `{"again":true,"claimants":[…]}` in the output of `--evaluations` says that all lines before it about these units are invalid.',
    'Links are followed. A folder, a block device, a socket and a link that leads nowhere are errors. All outputs are checked before anything is requested. It is an error if an output is also another output, the archive or the profile under any name, or lies where the store keeps its own files. All these errors end with 2.',
    'Colours are used on a terminal only. `FORCE_COLOR` turns them on elsewhere; `NO_COLOR` turns them off everywhere and wins.'
  ]
}

function exitSections(): readonly string[] {
  return [
    'An error is one line on stderr, with a hint below it if there is one. `pull` and `demo` use the same codes. Both end with 0 if they succeed; the second audit of the demo is supposed to be a mismatch.',
    [
      '- 0 and 1 also mean that all output was written.',
      '- 2 includes a store that is in use or damaged, an output that cannot be written, an archive that is damaged, and a machine without the required Node version, address space, open files or disk space.',
      '- 3 includes `pull` with an archive that ends before `--to`.',
      '- 4 includes a sandbox that failed, a missing file of ao-audit, memory that ran out, and unexpected errors.',
      '- 130 follows Ctrl-C or SIGTERM within a second, and the store stays intact. A second Ctrl-C does not wait.'
    ].join('\n'),
    'The program runs on a thread. The main thread writes its output, receives signals and sets the exit code, so no unexpected error can end with 1. It cannot control what ends Node before the first line of ao-audit, or the whole process at once: `NODE_OPTIONS` that Node rejects, `--experimental-permission` without the right to read the command (1 on Node 20), fewer than 24 open files (1 or 139), a crash of V8 (133 or 134), and SIGKILL (137).'
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
