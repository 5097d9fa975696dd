/** The units' claims, and the progress of reading their listings. */
import {
  type Claim,
  type ClaimFault,
  type ClaimUnavailable,
  type EvaluationKey,
  keyText,
  type ListingFault
} from '../model/records.ts'
import type { RecordKey, Store } from '../store/store.ts'
import { createClaimedErrors, saysError } from './claimed-errors.ts'
import { collect, removeBelow, values } from './record-lists.ts'
import type { Run } from './run-record.ts'
import { claimRecord, contentOf } from './stored-claims.ts'
import type { Door } from './stored-records.ts'

/** The progress of reading a unit's listing. */
export interface ListingProgress {
  readonly cursor?: string
  /** The run's last nonce when it was read. */
  readonly to?: number
  readonly done: boolean
  /** The last evaluation that it listed: a listing may end before the range does. */
  readonly last?: EvaluationKey
  /** Evaluations that were read so far. */
  readonly listed?: number
  /** Bytes of the pages that were read so far. */
  readonly bytes?: number
  /** Claims that were not stored: from the third of one evaluation on, and too large ones. */
  readonly dropped?: number
  /** Page contents that no unit writes, and that change no claim; at most 16. */
  readonly odd?: readonly ClaimFault[]
  /** The fault that ended the reading, or the first that makes it doubtful. */
  readonly fault?: ListingFault
}

export type Listing = 'results' | 'cron'

export interface ListingUpdate {
  readonly unit: string
  readonly listing: Listing
  readonly progress: ListingProgress
}

export interface ClaimInputs {
  /** Resolves when all claims of a unit about an ordinate are stored, to the last ordinate for which that is true. */
  completeTo(run: Run, unit: string, ordinate: number): Promise<number>
  /** Claims of one unit about the run's range, in the order of ordinates. */
  of(run: Run, unit: string): AsyncIterable<Claim>
  /** Claims about one ordinate: a scheduled message and the crons after it. */
  at(run: Run, unit: string, ordinate: number): Promise<readonly Claim[]>
  /** Whether a unit has claimed so far that an evaluation failed; it does not wait. A hint on which no verdict depends. */
  claimsAnError(run: Run, unit: string, key: EvaluationKey): Promise<boolean>
  /** Replaces a claim with another text. */
  replace(run: Run, claim: Claim, by: Claim): Promise<void>
  unavailable(run: Run, unit: string): AsyncIterable<ClaimUnavailable>
  put(run: Run, answers: readonly (Claim | ClaimUnavailable)[], listing?: ListingUpdate): Promise<void>
  listing(run: Run, unit: string, listing: Listing): Promise<ListingProgress | undefined>
  /** Removes the claims of an earlier run with the same id. */
  forget(id: string): Promise<void>
}

export function createClaimInputs(store: Store, door: Door): ClaimInputs {
  const claimedErrors = createClaimedErrors()
  return {
    completeTo: async () => Number.POSITIVE_INFINITY,
    of: (run, unit) => values(door, ['claim', run.id, unit], { from: run.from, to: run.to }),
    at: (run, unit, ordinate) => collect(door, ['claim', run.id, unit, ordinate]),
    async claimsAnError(run, unit, key) {
      const noted = claimedErrors.of(run.id, unit, key)
      if (noted !== undefined) return noted
      const claims = await collect<Claim>(door, ['claim', run.id, unit, key.ordinate])
      return claims.some((claim) => keyText(claim.key) === keyText(key) && saysError(claim))
    },
    async replace(run, claim, by) {
      const nameOf = ({ kind, key, raw }: Claim) => JSON.stringify([kind, keyText(key), raw])
      for await (const [key, value] of door.list<Claim>(['claim', run.id, claim.claimant, claim.key.ordinate])) {
        if (nameOf(value) !== nameOf(claim)) continue
        await store.put([
          [key, undefined],
          [[...key.slice(0, -1), contentOf(by.raw)], claimRecord(by)]
        ])
      }
    },
    unavailable: (run, unit) => values(door, ['unavailable', run.id, unit], { from: run.from, to: run.to }),
    async put(run, answers, update) {
      claimedErrors.note(run.id, answers)
      await store.put([
        ...answers.map((answer): readonly [RecordKey, unknown] => {
          const { ordinate, cron = '', timestamp } = answer.key
          if (!('kind' in answer)) return [['unavailable', run.id, answer.claimant, ordinate], answer]
          // The content is part of the key: a unit that lists one evaluation twice with different content makes two claims.
          const content = contentOf(answer.raw)
          const place = [answer.claimant, ordinate, cron, timestamp, update?.listing ?? 'result', content]
          return [['claim', run.id, ...place], claimRecord(answer)]
        }),
        ...(update === undefined ? [] : [[['listing', run.id, update.unit, update.listing], update.progress] as const])
      ])
    },
    listing: (run, unit, listing) => door.get(['listing', run.id, unit, listing]),
    async forget(id) {
      for (const kind of ['claim', 'unavailable', 'listing']) await removeBelow(store, [kind, id])
    }
  }
}
