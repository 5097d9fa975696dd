/** The order in which a unit evaluates, as far as keys tell it. */
import type { EvaluationKey } from '../model/records.ts'

/**
 * Whether one evaluation comes before another. Crons have the ordinate of the message before them, and no earlier time than it;
 * those of ordinate 0 may come before the process's own message. Two crons of one time are in no order that keys tell.
 */
export function precedes(one: EvaluationKey, other: EvaluationKey): boolean {
  if (one.ordinate !== other.ordinate) return one.ordinate < other.ordinate
  if (one.timestamp !== other.timestamp) return one.timestamp < other.timestamp
  return one.cron === undefined && other.cron !== undefined
}
