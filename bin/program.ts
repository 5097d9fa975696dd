/** The program: runs a command on a thread of its own, and reports the exit code to the main thread. */
import { CommanderError } from 'commander'
import { withKnownCommand, withOperands } from './arguments.ts'
import { FAULT, INTERRUPTED, MATCH, USAGE } from './codes.ts'
import { createCommands } from './commands.ts'
import { errorText, exitCodeOf } from './exit.ts'
import { variablesOf } from './help.ts'
import { openShell } from './shell.ts'

/** Avoids a top-level await, about which Node would warn if nothing is left to wait for. */
async function main(): Promise<void> {
  const { shell, end } = openShell()
  try {
    const commands = createCommands(shell)
    for (const { name } of variablesOf(commands)) if (process.env[name] === '') delete process.env[name]
    const args = withKnownCommand(commands, process.argv.slice(2))
    await commands.parseAsync(withOperands(commands, args), { from: 'user' })
  } catch (error) {
    // Commander has already printed it.
    if (error instanceof CommanderError) shell.exitCode = error.exitCode === 0 ? MATCH : USAGE
    else {
      shell.exitCode = exitCodeOf(error)
      // The main thread, which received the signal, reports it.
      if (shell.exitCode !== INTERRUPTED) shell.tell(errorText(error, process.argv.includes('--verbose')))
    }
  }
  try {
    await shell.printed()
  } catch (error) {
    shell.exitCode = shell.exitCode === FAULT ? FAULT : exitCodeOf(error)
    shell.tell(errorText(error, process.argv.includes('--verbose')))
  }
  end()
}

void main()
