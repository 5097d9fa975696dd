#!/usr/bin/env node
/** The command line: options, wiring, exit codes. */
import { CommanderError } from 'commander'
import { exitCodeOf, explain } from './exit.ts'
import { createProgram } from './program.ts'

const interrupt = new AbortController()
process.on('SIGINT', () => {
  // A second one does not wait for the store to be closed.
  if (interrupt.signal.aborted) process.exit(130)
  interrupt.abort()
})
process.on('SIGTERM', () => interrupt.abort())
// Node ends with 13 where nothing is left to wait for.
process.on('exit', (code) => {
  if (code === 13 && interrupt.signal.aborted) process.exitCode = 130
})
// A reader that closes its end (`| head`) is no fault of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0)
  throw error
})

try {
  await createProgram(interrupt.signal).parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) process.stderr.write(explain(error, process.argv.includes('--verbose')))
  process.exitCode = exitCodeOf(error)
}
