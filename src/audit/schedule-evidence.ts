/** The evidence from the checks of the schedule, gathered while it is read. */

import type { Evidence, Since } from '../attribution/rules.ts'
import type { Finding } from '../model/findings.ts'
import type { ScheduledMessage } from '../model/records.ts'
import { createFindings } from '../util/bounded-findings.ts'
import { defined } from '../util/defined.ts'
import { createNonceSet } from '../util/nonce-set.ts'
import type { CheckedMessage } from '../verify/checked-schedule.ts'
import { type Checked, unprovenInputsOf } from '../verify/signed.ts'
import type { Trust, UnprovenInput } from '../verify/trust.ts'

export interface Checks {
  /** The messages, one after another, up to the first nonce that is missing. */
  unbroken(checked: AsyncIterable<CheckedMessage>): AsyncGenerator<Checked<ScheduledMessage>>
  /** Adds an input that all evaluations depend on, and that may not be proven. */
  restsOn(input: Checked<object>, finding: (first: UnprovenInput) => Finding): void
  /** What is known about the inputs that results at this ordinate depend on. Inputs taken on trust pass, and are named. */
  standing(ordinate: number): InputStanding
  /** A limited number of each kind, and the count of the rest. */
  findings(): readonly Finding[]
}

export interface InputStanding extends Pick<Evidence, 'unprovenInput' | 'tamperedInput' | 'shortfall'> {
  /** Inputs up to it that were taken on trust, in words. */
  readonly trusted?: string
  /** Whether its own signatures were checked. */
  readonly verified: boolean
}

/** The same checks, with a shortfall: data that an audit needs before it blames anybody could not be asked for. */
export function withShortfall(checks: Checks, shortfall: string | undefined): Checks {
  if (shortfall === undefined) return checks
  return { ...checks, standing: (ordinate) => ({ ...checks.standing(ordinate), shortfall }) }
}

/** @param before process or module, if they are not proven: everything depends on them */
export function createChecks(before: readonly UnprovenInput[], trust: Trust): Checks {
  const found = createFindings()
  const unprovenNonces = createNonceSet()
  const namedInputs = new Set<string>()
  let seenTo = -1
  let unprovenInput: Since | undefined
  let tamperedInput: Since | undefined
  const weigh = (ordinate: number, unproven: readonly UnprovenInput[], tampered?: string): void => {
    const [first] = unproven.filter((one) => !trust.takes(one, ordinate))
    if (first !== undefined) unprovenInput = earlier(unprovenInput, { ordinate, reason: first.reason })
    if (tampered !== undefined) tamperedInput = earlier(tamperedInput, { ordinate, reason: tampered })
  }
  weigh(0, before)

  return {
    async *unbroken(checked) {
      let next = 0
      for await (const { scheduled, findings, unproven, tampered } of checked) {
        const { nonce } = scheduled
        if (nonce !== next) return
        next++
        // The plan may be read more than once.
        if (nonce > seenTo) for (const finding of findings) found.add(finding)
        seenTo = Math.max(seenTo, nonce)
        if (unproven.length > 0) unprovenNonces.add(nonce)
        weigh(nonce, unproven, tampered)
        yield scheduled
      }
    },

    restsOn(input, findingOf) {
      for (const one of unprovenInputsOf(input)) {
        if (!namedInputs.has(one.what)) found.add(findingOf(one))
        namedInputs.add(one.what)
        weigh(0, [one])
      }
    },

    standing(ordinate) {
      const trusted = trust.under(ordinate)
      return {
        ...defined({ unprovenInput, tamperedInput, trusted }),
        verified: before.length === 0 && namedInputs.size === 0 && !unprovenNonces.has(ordinate)
      }
    },

    findings: () => found.all()
  }
}

function earlier(known: Since | undefined, found: Since): Since {
  return known === undefined || found.ordinate < known.ordinate ? found : known
}
