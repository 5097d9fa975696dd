/** The auditor's own computations, which no archive can bring. */
import type { ProcessId } from '../model/ids.ts'
import type { BlobRef, Evaluation, EvaluationKey, EvaluationResult } from '../model/records.ts'
import type { Store } from '../store/store.ts'
import { values } from './record-lists.ts'
import { DERIVED, type Door } from './stored-records.ts'

/** A memory that the auditor itself computed. */
export interface Snapshot {
  /** The scheduled message after which the memory was taken. */
  readonly nonce: number
  readonly key: EvaluationKey
  /** The number of evaluations up to it. */
  readonly position: number
  /** The digest of the plan up to it. */
  readonly planDigest: string
  readonly blob: BlobRef
  readonly memoryBytes: number
  /** The module's clock, ms. */
  readonly clock: number
  /** Hashes of earlier memories, by place. */
  readonly hashes: Readonly<Record<string, string>>
}

export interface SnapshotInputs {
  /** @param setup a digest of everything besides the plan on which results depend */
  get(process: ProcessId, setup: string): Promise<Snapshot | undefined>
  put(process: ProcessId, setup: string, snapshot: Snapshot | undefined): Promise<void>
  /** The first `count` evaluations that led to a snapshot, in the order of the plan. */
  computed(process: ProcessId, setup: string, count: number): AsyncGenerator<Evaluation>
  /** Keeps evaluations from a position of the plan on. */
  putComputed(process: ProcessId, setup: string, position: number, evaluations: readonly Evaluation[]): Promise<void>
}

export function createSnapshotInputs(store: Store, door: Door): SnapshotInputs {
  return {
    get: (process, setup) => door.get([DERIVED, 'snapshot', process, setup]),
    put: (process, setup, snapshot) => store.put([[[DERIVED, 'snapshot', process, setup], snapshot]]),
    async *computed(process, setup, count) {
      for await (const kept of values<Evaluation>(door, [DERIVED, 'computed', process, setup], { from: 0, to: count - 1 })) {
        const { outcome } = kept
        if (outcome.kind !== 'result') yield kept
        else yield { ...kept, outcome: { ...outcome, result: JSON.parse(outcome.text) as EvaluationResult } }
      }
    },
    putComputed: (process, setup, position, evaluations) =>
      store.put(
        evaluations.map(({ outcome, ...rest }, place) => {
          // The text alone restores the result.
          const kept = outcome.kind === 'result' ? { ...outcome, result: undefined } : outcome
          return [[DERIVED, 'computed', process, setup, position + place], { ...rest, outcome: kept }] as const
        })
      )
  }
}
