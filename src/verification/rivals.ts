/** Several assignments of one nonce: which one is gone by, and whether the scheduler signed more than one (ao-protocol §1.6). */
import type { Finding } from '../findings.ts'
import type { ProcessRecord, ScheduledMessage, WireItem } from '../records.ts'
import { isSound } from '../verify/schedule.ts'
import type { Verdict } from '../verify/verdict.ts'
import type { Verifier } from './verifier.ts'

export interface WeighOptions {
  readonly process: ProcessRecord
  readonly verifier: Verifier
  /** What else is told of a nonce, by another source or twice by one. */
  rivals?(nonce: number): Promise<readonly ScheduledMessage[]>
}

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
export async function weigh(options: WeighOptions, shown: ScheduledMessage, assignment: Verdict): Promise<Weighed> {
  const told = (await options.rivals?.(shown.nonce)) ?? []
  const sound = isSound(shown, assignment, { process: options.process, schedulerAddress: options.process.scheduler })
  // Of one that proves itself another copy says no more.
  const others = new Map(told.map((other) => [other.assignment.id, other]))
  if (sound) others.delete(shown.assignment.id)
  const rivals = await soundOf(options, [...others.values()].slice(0, RIVALS_MAX))
  const [best, ...rest] = rivals
  if (sound || best === undefined) return { scheduled: shown, assignment, findings: [], rivals }
  const reason = assignment.status === 'valid' ? 'it is not for this place' : assignment.reason
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

/** The message that is shown spoilt, as another source or another copy has it whole. */
export async function wholeCopy(options: WeighOptions, { nonce, messageId }: ScheduledMessage): Promise<WireItem | undefined> {
  const told = (await options.rivals?.(nonce)) ?? []
  const copies = told.flatMap(({ message }) => (message?.id === messageId ? [message] : [])).slice(0, RIVALS_MAX)
  const verdicts = copies.length === 0 ? [] : await options.verifier.verify(copies)
  return copies.find((_, place) => verdicts[place]?.status === 'valid')
}

async function soundOf({ process, verifier }: WeighOptions, others: readonly ScheduledMessage[]): Promise<ScheduledMessage[]> {
  if (others.length === 0) return []
  const verdicts = await verifier.verify(others.map(({ assignment }) => assignment))
  return others.filter((other, place) => {
    const verdict = verdicts[place]
    return verdict !== undefined && isSound(other, verdict, { process, schedulerAddress: process.scheduler })
  })
}
