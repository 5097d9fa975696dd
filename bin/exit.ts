/** Exit codes (README, "Exit codes"), and what a user sees of an error. */
import { CommanderError } from 'commander'
import { AuditError, type AuditErrorCode } from '../src/errors.ts'
import { escapeForTerminal } from '../src/report/escape.ts'
import type { Report } from '../src/report/model.ts'

const USAGE = 2
const INCONCLUSIVE = 3
const FAULT = 4
const INTERRUPTED = 130

const BY_VERDICT: Record<Report['verdict'], number> = { match: 0, mismatch: 1, inconclusive: INCONCLUSIVE }

const BY_ERROR: Record<AuditErrorCode, number> = {
  USAGE,
  STORE_LOCKED: USAGE,
  STORE_UNUSABLE: USAGE,
  ARCHIVE_INVALID: USAGE,
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

/** The exit code for a report's verdict. */
export function exitCodeOfVerdict(verdict: Report['verdict']): number {
  return BY_VERDICT[verdict]
}

/** The exit code for what was thrown. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE
  return error instanceof AuditError ? BY_ERROR[error.code] : FAULT
}

/** One line and, where there is one, a hint; the stack only where it was asked for or nobody expected the error. */
export function explain(error: unknown, verbose: boolean): string {
  const message = error instanceof Error ? error.message : String(error)
  const hint = error instanceof AuditError && error.hint !== undefined ? `\n  ${shown(error.hint)}` : ''
  const unexpected = error instanceof AuditError ? '' : ' (a fault of ao-audit itself; --verbose shows where)'
  const stack = verbose && error instanceof Error ? `\n${escapeLines(error.stack ?? '')}` : ''
  return `ao-audit: ${shown(message)}${unexpected}${hint}${stack}\n`
}

function shown(text: string): string {
  return escapeForTerminal(text, MESSAGE_MAX_CHARS)
}

function escapeLines(text: string): string {
  return text.split('\n').map(shown).join('\n')
}
