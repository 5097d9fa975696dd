/** What was checked while the schedule was read, and what may be said over it. */
import { createFindings } from '../compare/keep.ts'
import type { Gate } from '../compare/types.ts'
import type { Finding } from '../findings.ts'
import { createNonceSet } from '../nonce-set.ts'
import type { ScheduledMessage } from '../records.ts'
import type { CheckedMessage } from './checked-schedule.ts'
import type { Doubt, Trust } from './trust.ts'

export interface Checks {
  /** The messages, one after another, up to the first nonce that is missing. */
  unbroken(checked: AsyncIterable<CheckedMessage>): AsyncGenerator<ScheduledMessage>
  /**
   * Whether a difference at this ordinate may be called a mismatch: all inputs up to it must be proven, and must have been served
   * as they were signed, for a Compute Unit computes what it was served. What is taken on trust passes, and is named.
   */
  gate(ordinate: number): Gate
  /** Of one kind so many, and how many more there are. */
  findings(): readonly Finding[]
}

/** The same checks, under which nothing is called a mismatch where there is a reason for that. */
export function withoutAccusation(checks: Checks, reason: string | undefined): Checks {
  if (reason === undefined) return checks
  return {
    ...checks,
    gate(ordinate) {
      const gate = checks.gate(ordinate)
      return gate.accusable ? { ...gate, accusable: false, reason } : gate
    }
  }
}

/** @param before process or module, where they are not proven: everything rests on them */
export function createChecks(before: readonly Doubt[], trust: Trust): Checks {
  const found = createFindings()
  const doubtful = createNonceSet()
  let seenTo = -1
  let first: { readonly nonce: number; readonly reason: string } | undefined
  /** Why nothing may be said from a nonce on: what is not proven and not taken on trust either. */
  const weigh = (nonce: number, doubts: readonly Doubt[], spoilt?: string): void => {
    const [doubt] = doubts.filter((one) => !trust.takes(one, nonce))
    const reason = doubt?.reason ?? spoilt
    if (reason !== undefined && (first === undefined || nonce < first.nonce)) first = { nonce, reason }
  }
  weigh(0, before)

  return {
    async *unbroken(checked) {
      let next = 0
      for await (const { scheduled, findings, doubts, spoilt } of checked) {
        const { nonce } = scheduled
        if (nonce !== next) return
        next++
        // The plan may be read more than once.
        if (nonce > seenTo) for (const finding of findings) found.add(finding)
        seenTo = Math.max(seenTo, nonce)
        if (doubts.length > 0) doubtful.add(nonce)
        weigh(nonce, doubts, spoilt)
        yield scheduled
      }
    },

    gate(ordinate) {
      const accusable = first === undefined || ordinate < first.nonce
      const trusted = trust.under(ordinate)
      return {
        accusable,
        ...(accusable ? {} : { reason: first?.reason ?? '' }),
        ...(trusted === undefined ? {} : { trusted }),
        verified: before.length === 0 && !doubtful.has(ordinate)
      }
    },

    findings: () => found.all()
  }
}
