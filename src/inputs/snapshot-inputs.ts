/** What the auditor itself computed: no archive brings any of it. */
import type { ProcessId } from '../model/ids.ts'
import type { BlobRef, Evaluation, EvaluationKey, EvaluationResult } from '../model/records.ts'
import type { Store } from '../store/store.ts'
import { values } from './record-lists.ts'
import { DERIVED, type Door } from './stored-records.ts'

/** A memory that the auditor came to itself. */
export interface Snapshot {
  /** The scheduled message that it lies behind. */
  readonly nonce: number
  readonly key: EvaluationKey
  /** Evaluations up to it. */
  readonly position: number
  /** Of all that was planned up to it. */
  readonly planDigest: string
  readonly blob: BlobRef
  readonly memoryBytes: number
  /** Where the module's clock stood, ms. */
  readonly clock: number
  /** Memories that were hashed on the way, by place. */
  readonly hashes: Readonly<Record<string, string>>
}

export interface SnapshotInputs {
  /** @param setup a digest of all that results depend on besides what is planned */
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
          // Its text says all of a result.
          const kept = outcome.kind === 'result' ? { ...outcome, result: undefined } : outcome
          return [[DERIVED, 'computed', process, setup, position + place], { ...rest, outcome: kept }] as const
        })
      )
  }
}
