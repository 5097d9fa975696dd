/**
 * Scripts that complete commands and options in a shell. They are static: pressing Tab starts no program and evaluates no typed text.
 */
import type { Command, Option } from 'commander'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type ShellName = (typeof SHELLS)[number]

/** @param program with all commands */
export function completionScript(program: Command, shell: ShellName): string {
  const lines = { bash, zsh, fish }[shell](program)
  return `${lines.join('\n')}\n`
}

type Value = 'none' | 'file' | 'folder' | 'text' | readonly string[]

/** The kind of value that an option takes, judged by its placeholder. */
function valueOfOption({ required, optional, argChoices, flags }: Option): Value {
  if (!required && !optional) return 'none'
  if (argChoices !== undefined) return argChoices
  if (/<dir>/.test(flags)) return 'folder'
  return /[<[|]file[\]>]/.test(flags) ? 'file' : 'text'
}

function choicesOfArgument(command: Command): readonly string[] {
  return command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices)
}

/** All options in the help, including `--help` itself. */
function optionsOf(command: Command): readonly Option[] {
  return command.createHelp().visibleOptions(command)
}

const namesOf = ({ short, long }: Option) => [short, long].filter((name) => name !== undefined)

function bash(program: Command): readonly string[] {
  const reply = (words: readonly string[]) => `COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$cur"))`
  const commands = program.commands.map((command) => command.name())
  const values = program.commands.flatMap((command) =>
    optionsOf(command).flatMap((option) => {
      const value = valueOfOption(option)
      // After an optional value, the next argument may be another option.
      if (value === 'none' || option.optional) return []
      const places = namesOf(option).map((name) => `${command.name()}:${name}`)
      // If there is no reply, readline completes file names.
      return `    ${places.join('|')}) ${typeof value === 'string' ? '' : `${reply(value)}; `}return ;;`
    })
  )
  const options = program.commands.map((command) => {
    const names = optionsOf(command).flatMap(({ long }) => long ?? [])
    return `    ${command.name()}) ${reply([...names, ...choicesOfArgument(command)])} ;;`
  })
  return [
    '# bash completion for ao-audit',
    '_ao_audit() {',
    `  local cur=\${COMP_WORDS[COMP_CWORD]} command=\${COMP_WORDS[1]}`,
    '  COMPREPLY=()',
    `  if (( COMP_CWORD == 1 )); then ${reply([...commands, 'help', '--help', '--version'])}; return; fi`,
    `  case $command:\${COMP_WORDS[COMP_CWORD-1]} in`,
    ...values,
    '  esac',
    '  case $command in',
    ...options,
    '  esac',
    '}',
    'complete -o default -F _ao_audit ao-audit'
  ]
}

function zsh(program: Command): readonly string[] {
  const commands = program.commands.map((command) => `    ${quoted(`${command.name()}:${command.description()}`)}`)
  const cases = program.commands.flatMap((command) => [
    `    (${command.name()})`,
    '      _arguments -s \\',
    ...optionsOf(command).flatMap((option) => zshOptions(option).map((line) => `        ${line} \\`)),
    `        ${zshArgument(command)} ;;`
  ])
  return [
    '#compdef ao-audit',
    '# zsh completion for ao-audit',
    '_ao_audit() {',
    '  local curcontext=$curcontext state line',
    '  local -a commands=(',
    ...commands,
    '  )',
    "  _arguments -C '(- *)'{-h,--help}'[display help]' '(- *)'{-V,--version}'[output the version]' '1:command:->command' '*::argument:->argument'",
    '  case $state in',
    '    (command) _describe command commands; return ;;',
    '    (argument) ;;',
    '    (*) return ;;',
    '  esac',
    '  case $line[1] in',
    ...cases,
    '  esac',
    '}',
    'if [[ $funcstack[1] == _ao-audit ]]; then _ao_audit "$@"; else compdef _ao_audit ao-audit; fi'
  ]
}

/** The specifications for `_arguments`, one for each name of the option. */
function zshOptions(option: Option): readonly string[] {
  const value = valueOfOption(option)
  const action = { none: '', file: '_files', folder: '_files -/', text: ' ' }
  const takes = typeof value === 'string' ? action[value] : `(${value.join(' ')})`
  const argument = value === 'none' ? '' : `${option.optional ? '::' : ':'}${option.attributeName()}:${takes}`
  const description = option.description.replaceAll(/[[\]:\\]/g, '\\$&')
  return namesOf(option).map((name) => quoted(`*${name}[${description}]${argument}`))
}

function zshArgument(command: Command): string {
  const [argument] = command.registeredArguments
  const choices = choicesOfArgument(command)
  return argument === undefined
    ? "'*: :'"
    : quoted(`1:${argument.name()}:${choices.length === 0 ? ' ' : `(${choices.join(' ')})`}`)
}

/** Quotes a word for bash, zsh and fish. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'"'"'`)}'`
}

function fish(program: Command): readonly string[] {
  const commands = program.commands.map(
    (command) => `complete -c ao-audit -n __fish_use_subcommand -a ${command.name()} -d ${quoted(command.description())}`
  )
  const options = program.commands.flatMap((command) => {
    const begin = `complete -c ao-audit -n ${quoted(`__fish_seen_subcommand_from ${command.name()}`)}`
    const choices = choicesOfArgument(command)
    return [
      ...(choices.length === 0 ? [] : [`${begin} -a ${quoted(choices.join(' '))}`]),
      ...optionsOf(command).map((option) => `${begin} ${fishOption(option)} -d ${quoted(option.description)}`)
    ]
  })
  return [
    '# fish completion for ao-audit',
    'complete -c ao-audit -f',
    "complete -c ao-audit -n __fish_use_subcommand -s h -l help -d 'display help'",
    "complete -c ao-audit -n __fish_use_subcommand -s V -l version -d 'output the version'",
    ...commands,
    ...options
  ]
}

function fishOption(option: Option): string {
  const { short, long } = option
  const names = [
    ...(short === undefined ? [] : [`-s ${short.slice(1)}`]),
    ...(long === undefined ? [] : [`-l ${long.slice(2)}`])
  ]
  const value = valueOfOption(option)
  const takes = { none: '', file: '-r -F', folder: `-x -a '(__fish_complete_directories)'`, text: '-x' }
  const argument = typeof value === 'string' ? takes[value] : `-x -a ${quoted(value.join(' '))}`
  // An optional value must not be required.
  return [...names, option.optional ? '-F' : argument].filter((part) => part !== '').join(' ')
}
