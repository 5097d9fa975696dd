/** Rewrites the typed arguments so that Commander reads them as the user means them. */
import type { Command } from 'commander'

/** Commander prints its general help if an unknown command is asked for help; this makes it an error. */
export function withKnownCommand(program: Command, args: readonly string[]): readonly string[] {
  const [name] = args[0] === 'help' ? args.slice(1) : args
  const known = ['help', ...program.commands.map((command) => command.name())]
  return name === undefined || name.startsWith('-') || known.includes(name) ? args : [name]
}

/** Ids are 43 characters of base64url, of which 1 of 64 begins with a hyphen; no option of these commands looks like that. */
const ID = /^[\w-]{43}$/
const HYPHENED_ID = /^-[\w-]{42}$/

/**
 * Moves operands behind `--`. Commander would read an id that starts with a hyphen as options, and a process's id after `--json` as
 * the name of a file.
 *
 * An argument after an option with an optional value is that value only if it cannot be the process: it does not look like an id, and
 * the command names a process or an archive elsewhere. `--json=FILE` always names a file.
 */
export function withOperands(program: Command, args: readonly string[]): string[] {
  const command = program.commands.find((one) => one.name() === args[0])
  if (command === undefined) return [...args]
  const [name = '', ...typed] = args
  const end = typed.includes('--') ? typed.indexOf('--') : typed.length
  const behind = typed.slice(end + 1)
  const { options, operands, unsure } = sort(command, typed.slice(0, end))
  const named = operands.length + behind.length > 0 || options.some((option) => /^--archive(=|$)/.test(option))
  for (const { place, value } of unsure) {
    if (!ID.test(value) && named) options.splice(place, 1, options[place] ?? '', value)
    else operands.push(value)
  }
  const all = [...operands, ...behind]
  return all.length === 0 ? [name, ...options] : [name, ...options, '--', ...all]
}

interface Sorted {
  /** Options, each followed by its value. */
  readonly options: string[]
  readonly operands: string[]
  /** Possible operands, each with the index of its option in `options`; the last one first. */
  readonly unsure: { readonly place: number; readonly value: string }[]
}

function sort(command: Command, typed: readonly string[]): Sorted {
  const sorted: Sorted = { options: [], operands: [], unsure: [] }
  for (let at = 0; at < typed.length; at++) {
    const arg = typed[at] ?? ''
    const next = typed[at + 1]
    if (HYPHENED_ID.test(arg) || arg === '-' || !arg.startsWith('-')) sorted.operands.push(arg)
    else {
      const option = command.options.find(({ long, short }) => arg === long || arg === short)
      const hasValue = next !== undefined && (option?.required || (option?.optional && (next === '-' || !next.startsWith('-'))))
      sorted.options.push(arg)
      if (!hasValue) continue
      at++
      if (option?.required || next === '-') sorted.options.push(next)
      else sorted.unsure.unshift({ place: sorted.options.length - 1, value: next })
    }
  }
  return sorted
}
