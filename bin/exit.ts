/** Exit codes (docs/cli.md), and the text of an error for the user. */
import { AuditError, type AuditErrorCode } from '../src/model/errors.ts'
import type { Report } from '../src/report/model.ts'
import { escapeForTerminal } from '../src/util/escape.ts'
import { FAULT, INCONCLUSIVE, INTERRUPTED, isOfMachine, MATCH, MISMATCH, USAGE } from './codes.ts'

const BY_VERDICT: Record<Report['verdict'], number> = { match: MATCH, mismatch: MISMATCH, inconclusive: INCONCLUSIVE }

const BY_ERROR: Record<AuditErrorCode, number> = {
  USAGE,
  STORE_LOCKED: USAGE,
  STORE_UNUSABLE: USAGE,
  OUTPUT_UNUSABLE: USAGE,
  ENVIRONMENT_UNFIT: USAGE,
  ARCHIVE_INVALID: USAGE,
  REPORT_INVALID: USAGE,
  UNIT_UNREACHABLE: INCONCLUSIVE,
  WIRE_INVALID: INCONCLUSIVE,
  UNIT_REFUSED: INCONCLUSIVE,
  ANSWER_TOO_LARGE: INCONCLUSIVE,
  ADDRESS_FORBIDDEN: INCONCLUSIVE,
  INPUT_MISSING: INCONCLUSIVE,
  MODULE_UNSUPPORTED: INCONCLUSIVE,
  SANDBOX_FAILED: FAULT,
  INTERRUPTED
}

const MESSAGE_MAX_CHARS = 600
const OF_ITSELF = ' (a fault of ao-audit itself; --verbose shows where)'
const OF_MACHINE = ' (the machine refuses files, processes or space)'

/** The exit code for a report's verdict. */
export function exitCodeOfVerdict(verdict: Report['verdict']): number {
  return BY_VERDICT[verdict]
}

/** The exit code for a thrown error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof AuditError) return BY_ERROR[error.code]
  return isOfMachine(error) ? USAGE : FAULT
}

/** One line, and a hint if the error has one. `verbose` adds the stack. */
export function errorText(error: unknown, verbose: boolean): string {
  const message = error instanceof Error ? error.message : String(error)
  const hint = error instanceof AuditError && error.hint !== undefined ? `\n  ${shown(error.hint)}` : ''
  const unexpected = error instanceof AuditError ? '' : isOfMachine(error) ? OF_MACHINE : OF_ITSELF
  const stack = verbose && error instanceof Error ? `\n${escapeLines(error.stack ?? '')}` : ''
  return `ao-audit: ${shown(message)}${unexpected}${hint}${stack}\n`
}

function shown(text: string): string {
  return escapeForTerminal(text, MESSAGE_MAX_CHARS)
}

/** Escapes an error of Commander, which contains values from outside: one line, and possibly a suggestion in a second. */
export function escapeError(text: string): string {
  return text
    .split(/\n(?=\(Did you mean|$)/)
    .map(shown)
    .join('\n')
}

function escapeLines(text: string): string {
  return text.split('\n').map(shown).join('\n')
}
