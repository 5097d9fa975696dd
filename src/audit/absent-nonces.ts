/** Requested nonces that are missing: the others are audited, but they are not everything that was requested. */
import type { Run } from '../inputs/run-record.ts'
import type { SourceOptions } from './audit-options.ts'
import { isNonces, type StateHashChoice } from './state-hashes.ts'

/**
 * In words, one sentence for each end of the range; empty if nothing is missing.
 *
 * @param run with the range that it has
 * @param asked with the requested range; an end that was not requested is the run's
 * @param archived whether the run comes from an archive
 */
export function absentNonces(
  run: Pick<Run, 'from' | 'to'>,
  { from = run.from, to = run.to }: Pick<SourceOptions, 'from' | 'to'>,
  archived: boolean
): readonly string[] {
  const before = `${noncesOf(from, run.from - 1)} missing: the archive begins at nonce ${run.from}`
  const behind = archived
    ? `${noncesOf(run.to + 1, to)} missing: the archive ends at nonce ${run.to}`
    : `${noncesOf(run.to + 1, to)} not in the schedule: when the audit began, its newest nonce was ${run.to}`
  return [...(from < run.from ? [before] : []), ...(to > run.to ? [behind] : [])]
}

const SHOWN_MAX = 10

/**
 * Memories that were requested by nonce and lie after the range, in words.
 *
 * @param to the last nonce of the range
 */
export function absentMemories(to: number, choice: StateHashChoice = []): readonly string[] {
  const behind = isNonces(choice) ? choice.filter((nonce) => nonce > to) : []
  if (behind.length === 0) return []
  const more = behind.length > SHOWN_MAX ? `, and ${behind.length - SHOWN_MAX} more` : ''
  const named = `${behind.slice(0, SHOWN_MAX).join(', ')}${more}`
  return [`the memory after nonce ${named} was asked for, and the range ends at nonce ${to}`]
}

function noncesOf(from: number, to: number): string {
  return to > from ? `nonces ${from} to ${to} are` : `nonce ${from} is`
}
