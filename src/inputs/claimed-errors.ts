/** The messages that units claim to have failed, known at once for all claims since this process began. */

import type { Claim, ClaimUnavailable, EvaluationKey } from '../model/records.ts'
import { isJsonObject } from '../util/json-value.ts'
import { createNonceSet, type NonceSet } from '../util/nonce-set.ts'

/** Claimed errors, separately for each run id and unit. */
export interface ClaimedErrors {
  note(run: string, answers: readonly (Claim | ClaimUnavailable)[]): void
  /** Undefined if this process has not seen the claim, and for crons: then the stored claims are read. */
  of(run: string, unit: string, key: EvaluationKey): boolean | undefined
}

/** Keeps two bits for each message, because reading the claims of 400 messages for this took 70 ms of CPU time. */
export function createClaimedErrors(): ClaimedErrors {
  const noted = new Map<string, { readonly claimed: NonceSet; readonly failed: NonceSet }>()
  return {
    note(run, answers) {
      for (const answer of answers) {
        if (!('kind' in answer) || answer.key.cron !== undefined) continue
        const name = JSON.stringify([run, answer.claimant])
        const sets = noted.get(name) ?? { claimed: createNonceSet(), failed: createNonceSet() }
        noted.set(name, sets)
        sets.claimed.add(answer.key.ordinate)
        if (saysError(answer)) sets.failed.add(answer.key.ordinate)
      }
    },
    of(run, unit, { ordinate, cron }) {
      const sets = noted.get(JSON.stringify([run, unit]))
      return cron === undefined && sets?.claimed.has(ordinate) === true ? sets.failed.has(ordinate) : undefined
    }
  }
}

/** Whether a claim has an Error, even an empty one. */
export function saysError({ value }: Claim): boolean {
  return isJsonObject(value) && Object.hasOwn(value, 'Error')
}
