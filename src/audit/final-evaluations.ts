/** Keeps the evaluations of an audit in a store, and reads those over which its report was made. */
import type { Evaluation } from '../model/records.ts'
import type { RecordKey, Store } from '../store/store.ts'
import type { Standing } from './judge-pass.ts'

/** An evaluation over which the report was made. */
export interface FinalEvaluation {
  readonly evaluation: Evaluation
  /** The status of each unit that was judged by it. */
  readonly stands: readonly Standing[]
}

export interface FinalEvaluations {
  /** A replay begins for these units: what was kept of them is obsolete. */
  begin(units: readonly string[]): void
  /** Resolves when the next evaluation may come. */
  add(evaluation: Evaluation, stands: readonly Standing[]): Promise<void>
  /** Writes what is left. Call it once, after the audit. */
  end(): Promise<void>
  /** Reads what stands, in the order of evaluations, one replay after the other. */
  read(): AsyncGenerator<FinalEvaluation>
}

/** Stands for the units of an audit without any: its replay judges nobody. */
const NOBODY = ''
/** Each write is synced, so that many small ones would take longer than the replay. */
const BATCH_EVALUATIONS = 500
const BATCH_CHARS = 1024 * 1024

/** A unit that differs is replayed again, alone: the report judges each unit by the last replay that was made for it. */
export function createFinalEvaluations(store: Pick<Store, 'put' | 'list'>): FinalEvaluations {
  const lastReplays = new Map<string, number>()
  let replay = 0
  let place = 0
  let batch: (readonly [RecordKey, FinalEvaluation])[] = []
  let chars = 0

  async function end(): Promise<void> {
    const written = batch
    batch = []
    chars = 0
    await store.put(written)
  }

  return {
    begin(units) {
      replay++
      for (const unit of units.length === 0 ? [NOBODY] : units) lastReplays.set(unit, replay)
    },
    async add(evaluation, stands) {
      const { outcome } = evaluation
      batch.push([['evaluation', replay, place++], { evaluation, stands }])
      chars += outcome.kind === 'result' ? outcome.text.length : 0
      if (batch.length >= BATCH_EVALUATIONS || chars >= BATCH_CHARS) await end()
    },
    end,
    async *read() {
      for (const last of new Set([...lastReplays.values()].sort((left, right) => left - right))) {
        for await (const [, { evaluation, stands }] of store.list<FinalEvaluation>(['evaluation', last])) {
          yield { evaluation, stands: stands.filter(({ claimant }) => lastReplays.get(claimant) === last) }
        }
      }
    }
  }
}
