/** The defaults, exit codes and examples in the help and the README are correct. */
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { expect, it } from 'vitest'
import { withOperands } from '../../bin/arguments.ts'
import { createCommands } from '../../bin/commands.ts'
import { EXIT_CODES, examplesOf } from '../../bin/help.ts'
import type { Shell } from '../../bin/shell.ts'
import { DEFAULT_COMPUTES, DEFAULT_GATEWAYS } from '../../src/audit/config.ts'
import { STRICT_TALLY } from '../../src/compare/tally.ts'
import { DEFAULT_FETCH_LIMITS } from '../../src/fetch/limits.ts'
import { DEFAULT_SANDBOX_LIMITS } from '../../src/replay/sandbox/sandbox.ts'

/** The commands are parsed, but not run. */
const newProgram = () => createCommands({} as Shell)
const commandOf = (program: Command, name: string): Command => {
  const found = program.commands.find((command) => command.name() === name)
  if (found === undefined) throw new Error(`no command is called ${name}`)
  return found
}

const README = readFileSync('README.md', 'utf8')

it.each([
  ['--compute', DEFAULT_COMPUTES.join(', ')],
  ['--gateway', DEFAULT_GATEWAYS.join(', ')],
  ['--patience', String(DEFAULT_FETCH_LIMITS.patienceMs / 1000)],
  ['--message-time', String(DEFAULT_SANDBOX_LIMITS.messageMs / 1000)],
  ['--min-coverage', String(STRICT_TALLY.minCoveragePercent)],
  ['--max-explanations', String(STRICT_TALLY.maxExplanations)]
])('the help gives the default of %s that the library uses', (name, value) => {
  expect(commandOf(newProgram(), 'audit').options.find(({ long }) => long === name)?.defaultValueDescription).toBe(value)
})

it('the README lists exactly the existing exit codes', () => {
  expect([...README.matchAll(/^\| (\d+) /gm)].map(([, code]) => Number(code))).toEqual(EXIT_CODES.map(({ code }) => code))
})

const all = newProgram()
const inHelp = [all, ...all.commands].flatMap((command) => examplesOf(command).map(({ command: line }) => line))
const blocks = [...README.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text = '']) => text.replaceAll(/ \\\n +/g, ' '))
const inReadme = blocks.join('').match(/^ao-audit .*/gm) ?? []
it.each([...inHelp, ...inReadme])('the example %j is valid', (line) => {
  const program = newProgram()
  const typed = /ao-audit ([^>)]*)/.exec(line)?.[1]?.trim().split(' ') ?? []
  const [name = '', ...args] = withOperands(program, typed)
  const command = commandOf(program, name)
  const { operands, unknown } = command.parseOptions(args)
  expect(unknown).toEqual([])
  const required = command.registeredArguments.filter((argument) => argument.required).length
  expect(operands.length).toBeGreaterThanOrEqual(required)
  expect(operands.length).toBeLessThanOrEqual(command.registeredArguments.length)
  for (const [place, operand] of operands.entries()) command.registeredArguments[place]?.parseArg?.(operand, undefined)
})
