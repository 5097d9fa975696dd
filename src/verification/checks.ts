/** What was checked while the schedule was read, and what may be said over it. */
import { createFindings } from '../compare/keep.ts'
import type { Gate } from '../compare/types.ts'
import type { Finding } from '../findings.ts'
import { createNonceSet } from '../nonce-set.ts'
import type { ScheduledMessage } from '../records.ts'
import type { CheckedMessage } from './checked-schedule.ts'

export interface Checks {
  /** The messages, one after another, up to the first nonce that is missing. */
  unbroken(checked: AsyncIterable<CheckedMessage>): AsyncGenerator<ScheduledMessage>
  /**
   * Whether a difference at this ordinate may be called a mismatch: all inputs up to it must be proven, and must have been served
   * as they were signed, for a Compute Unit computes what it was served.
   */
  gate(ordinate: number): Gate
  /** Of one kind so many, and how many more there are. */
  findings(): readonly Finding[]
}

/** @param before why nothing may be said at all: process or module are not proven */
export function createChecks(before: string | undefined): Checks {
  const found = createFindings()
  const doubtful = createNonceSet()
  let seenTo = -1
  let first = before === undefined ? undefined : { nonce: 0, reason: before }

  return {
    async *unbroken(checked) {
      let next = 0
      for await (const { scheduled, findings, doubt, spoilt } of checked) {
        const { nonce } = scheduled
        if (nonce !== next) return
        next++
        // The plan may be read more than once.
        if (nonce > seenTo) for (const finding of findings) found.add(finding)
        seenTo = Math.max(seenTo, nonce)
        if (doubt !== undefined) doubtful.add(nonce)
        const reason = doubt ?? spoilt
        if (reason !== undefined && (first === undefined || nonce < first.nonce)) first = { nonce, reason }
        yield scheduled
      }
    },

    gate(ordinate) {
      const accusable = first === undefined || ordinate < first.nonce
      return {
        accusable,
        ...(accusable ? {} : { reason: first?.reason ?? '' }),
        verified: before === undefined && !doubtful.has(ordinate)
      }
    },

    findings: () => found.all()
  }
}
