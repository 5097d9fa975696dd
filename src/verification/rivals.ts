/** Several assignments of one nonce: which one is gone by, and whether the scheduler signed more than one (ao-protocol §1.6). */
import type { Finding } from '../findings.ts'
import type { ScheduledMessage } from '../records.ts'
import { isSound } from '../verify/schedule.ts'
import type { Verdict } from '../verify/verdict.ts'
import type { CheckOptions } from './checked-schedule.ts'

export interface Weighed {
  readonly scheduled: ScheduledMessage
  readonly assignment: Verdict
  /** undefined: not another one than was shown, and its message's verdict holds. */
  readonly message?: Verdict
  readonly findings: readonly Finding[]
  /** Further ones that the scheduler signed for this nonce. */
  readonly rivals: readonly ScheduledMessage[]
}

/** More of one nonce are not looked at: the second is proof enough. */
const RIVALS_MAX = 8

/**
 * The one shown is gone by where it proves itself, for a Compute Unit was shown it; else another that does.
 *
 * @param assignment the verdict on the one shown, put right where its true item was found
 */
export async function weigh(options: CheckOptions, shown: ScheduledMessage, assignment: Verdict): Promise<Weighed> {
  const told = (await options.rivals?.(shown.nonce)) ?? []
  const others = new Map(told.map((other) => [other.assignment.id, other]))
  others.delete(shown.assignment.id)
  const rivals = await soundOf(options, [...others.values()].slice(0, RIVALS_MAX))
  const as = { process: options.process, schedulerAddress: options.process.scheduler }
  const [best, ...rest] = rivals
  if (best === undefined || isSound(shown, assignment, as)) return { scheduled: shown, assignment, findings: [], rivals }
  const reason = assignment.status === 'valid' ? 'is not for this place' : assignment.reason
  const detail = `the assignment ${shown.assignment.id}: ${reason}; ${best.assignment.id}, which the scheduler signed, is used`
  const [signature, message] = await options.verifier.verify([
    best.assignment,
    ...(best.message === null ? [] : [best.message])
  ])
  const code = assignment.status === 'valid' ? 'ASSIGNMENT_TAGS_DISAGREE' : 'ASSIGNMENT_SIGNATURE_INVALID'
  return {
    scheduled: best,
    assignment: signature ?? assignment,
    ...(message === undefined ? {} : { message }),
    findings: [{ code, severity: 'error', attribution: 'scheduler', nonce: shown.nonce, detail }],
    rivals: rest
  }
}

async function soundOf({ process, verifier }: CheckOptions, others: readonly ScheduledMessage[]): Promise<ScheduledMessage[]> {
  if (others.length === 0) return []
  const verdicts = await verifier.verify(others.map(({ assignment }) => assignment))
  return others.filter((other, place) => {
    const verdict = verdicts[place]
    return verdict !== undefined && isSound(other, verdict, { process, schedulerAddress: process.scheduler })
  })
}
