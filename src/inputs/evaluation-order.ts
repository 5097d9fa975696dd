/** The order in which a unit evaluates, as far as keys show it. */
import type { EvaluationKey } from '../model/records.ts'

/**
 * Whether one evaluation comes before another. Crons have the ordinate of the message before them, and a time no earlier than its
 * time; those of ordinate 0 may come before the process's own message. Keys do not show the order of two crons with the same time.
 */
export function precedes(one: EvaluationKey, other: EvaluationKey): boolean {
  if (one.ordinate !== other.ordinate) return one.ordinate < other.ordinate
  if (one.timestamp !== other.timestamp) return one.timestamp < other.timestamp
  return one.cron === undefined && other.cron !== undefined
}
