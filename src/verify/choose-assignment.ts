/** Chooses between several assignments of one nonce, and finds out whether the scheduler signed more than one (protocol §1.6). */

import type { SignatureStatus } from '../ans104/signature-status.ts'
import type { Finding } from '../model/findings.ts'
import type { ProcessItem, ScheduledMessage, WireItem } from '../model/records.ts'
import { defined } from '../util/defined.ts'
import type { Checked } from './signed.ts'
import type { Verifier } from './verification-threads.ts'
import { isSound } from './verify-schedule.ts'

export interface ChooseAssignmentOptions {
  readonly process: Checked<ProcessItem>
  readonly verifier: Pick<Verifier, 'verify'>
  /** Other assignments of a nonce, from another source or from one source that serves two. */
  conflictingAssignments?(nonce: number): Promise<readonly ScheduledMessage[]>
}

export interface ChosenAssignment {
  readonly scheduled: ScheduledMessage
  readonly assignment: SignatureStatus
  /** undefined if the served assignment is used: the verdict on its message is already known. */
  readonly message?: SignatureStatus
  readonly findings: readonly Finding[]
  /** Further assignments that the scheduler signed for this nonce. */
  readonly conflicting: readonly ScheduledMessage[]
}

/** Further assignments of one nonce are ignored: the second one is proof enough. */
const CONFLICTING_MAX = 8

/**
 * Uses the served assignment if its signature is valid, because that is what the Compute Unit saw; otherwise another valid one for
 * the same nonce.
 *
 * @param assignment the verdict on the served assignment, which may already be corrected from its signed item
 */
export async function chooseAssignment(
  options: ChooseAssignmentOptions,
  shown: ScheduledMessage,
  assignment: SignatureStatus
): Promise<ChosenAssignment> {
  const shownToo = (await options.conflictingAssignments?.(shown.nonce)) ?? []
  const sound = isSound(shown, assignment, { process: options.process, schedulerAddress: options.process.scheduler })
  // Another copy of a proven assignment adds nothing.
  const others = new Map(shownToo.map((other) => [other.assignment.id, other]))
  if (sound) others.delete(shown.assignment.id)
  const signed = await soundOf(options, [...others.values()].slice(0, CONFLICTING_MAX))
  const [best, ...rest] = signed
  if (sound || best === undefined) return { scheduled: shown, assignment, findings: [], conflicting: signed }
  const [signature, message] = await options.verifier.verify([
    best.assignment,
    ...(best.message === null ? [] : [best.message])
  ])
  return {
    scheduled: best,
    assignment: signature ?? assignment,
    ...defined({ message }),
    findings: replacement(shown, assignment, best),
    conflicting: rest
  }
}

/** If the served assignment is unproven only because a part of it is hidden, nobody is at fault. */
function replacement(shown: ScheduledMessage, verdict: SignatureStatus, by: ScheduledMessage): Finding[] {
  const same = shown.assignment.id === by.assignment.id
  const hidden = verdict.status !== 'valid' && verdict.status !== 'invalid'
  if (same && hidden && showsTags(shown, by)) return []
  const reason = verdict.status === 'valid' ? 'it is not valid for this nonce' : verdict.reason
  const detail = `the assignment ${shown.assignment.id}: ${reason}; ${by.assignment.id}, which the scheduler signed, is used`
  const about = { attribution: 'scheduler', nonce: shown.nonce, detail } as const
  if (verdict.status === 'valid') return [{ code: 'ASSIGNMENT_TAGS_DISAGREE', severity: 'error', ...about }]
  // Nobody knows whether an unchecked assignment with another id was signed.
  if (hidden && !same) return [{ code: 'SIGNATURE_NOT_CHECKED', severity: 'warning', ...about }]
  return [{ code: 'ASSIGNMENT_SIGNATURE_INVALID', severity: 'error', ...about }]
}

function showsTags({ assignment }: ScheduledMessage, { assignment: truth }: ScheduledMessage): boolean {
  const named = ({ tags }: WireItem) => JSON.stringify(tags.map(({ name, value }) => [name, value]))
  return named(assignment) === named(truth)
}

/** An intact copy, from another source or from another edge, of a message that the scheduler shows altered. */
export async function wholeCopy(
  options: ChooseAssignmentOptions,
  { nonce, messageId }: ScheduledMessage
): Promise<WireItem | undefined> {
  const shownToo = (await options.conflictingAssignments?.(nonce)) ?? []
  const copies = shownToo.flatMap(({ message }) => (message?.id === messageId ? [message] : [])).slice(0, CONFLICTING_MAX)
  const verdicts = copies.length === 0 ? [] : await options.verifier.verify(copies)
  return copies.find((_, place) => verdicts[place]?.status === 'valid')
}

async function soundOf(
  { process, verifier }: ChooseAssignmentOptions,
  others: readonly ScheduledMessage[]
): Promise<ScheduledMessage[]> {
  if (others.length === 0) return []
  const verdicts = await verifier.verify(others.map(({ assignment }) => assignment))
  return others.filter((other, place) => {
    const verdict = verdicts[place]
    return verdict !== undefined && isSound(other, verdict, { process, schedulerAddress: process.scheduler })
  })
}
