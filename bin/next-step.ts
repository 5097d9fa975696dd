/** The next command for the user to run, ready to copy. */
import path from 'node:path'
import type { Report } from '../src/report/model.ts'
import type { NextStep } from '../src/report/terminal.ts'
import { escapeForTerminal } from '../src/util/escape.ts'
import type { Invocation } from './shell.ts'

/** The options of an audit that decide the next command. */
interface StepFlags {
  readonly archive?: string
  readonly schedule?: string
  readonly json?: string | true
  readonly markdown?: string
}

/**
 * Suggests a command that shows more of a mismatch, reads a second schedule to fill a gap, or continues after a unit did not answer.
 *
 * @returns undefined if no command helps, or if it contains characters that a terminal cannot show
 */
export function nextStep(report: Report, flags: StepFlags, invocation: Invocation): NextStep | undefined {
  const step = stepOf(report, flags, invocation.args)
  if (step === undefined) return undefined
  const command = [...programOf(invocation), ...step.args].map(quoted).join(' ')
  return escapeForTerminal(command, command.length) === command ? { why: step.why, command } : undefined
}

interface FollowUp {
  readonly why: string
  readonly args: readonly string[]
}

function stepOf(report: Report, flags: StepFlags, args: readonly string[]): FollowUp | undefined {
  if (report.verdict === 'match') return undefined
  if (report.verdict === 'mismatch') {
    if (flags.json !== undefined || flags.markdown !== undefined) return undefined
    return { why: 'to see every difference', args: withOptions(args, ['--json']) }
  }
  const isOnline = flags.archive === undefined
  if (isOnline && report.unreachable.some(({ code }) => code === 'UNIT_UNREACHABLE')) return { why: 'to continue later', args }
  const hasGap = report.findings.some(({ code, attribution }) => code === 'NONCE_GAP' && attribution === 'scheduler')
  if (!hasGap || (flags.schedule ?? 'scheduler') !== 'scheduler') return undefined
  if (isOnline)
    return { why: 'to fill the gap from Arweave', args: withOptions(without(args, '--schedule'), ['--schedule', 'both']) }
  const file = `./${report.processId}.tar.gz`
  return {
    why: 'to fill the gap from Arweave, in a new archive',
    args: ['pull', report.processId, '--schedule', 'both', '-o', file]
  }
}

/** Inserts options before `--`, after which everything is an operand. */
function withOptions(args: readonly string[], options: readonly string[]): readonly string[] {
  const end = args.includes('--') ? args.indexOf('--') : args.length
  return [...args.slice(0, end), ...options, ...args.slice(end)]
}

function without(args: readonly string[], option: string): readonly string[] {
  const place = args.indexOf(option)
  return args.filter((arg, at) => !arg.startsWith(`${option}=`) && (place < 0 || at < place || at > place + 1))
}

/** How to start the program again: by name if the shell finds it, through npx, or through Node. */
function programOf({ script, env }: Invocation): readonly string[] {
  const name = path.basename(script)
  if (name !== 'ao-audit') return ['node', script]
  if (env['npm_command'] === 'exec') return ['npx', name]
  const folders = (env['PATH'] ?? '').split(path.delimiter)
  return folders.includes(path.dirname(script)) ? [name] : [script]
}

/** Quotes a word for a POSIX shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
