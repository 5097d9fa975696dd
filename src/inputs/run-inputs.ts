/** Runs, and the inputs for which no gateway could be asked. */
import type { ProcessId } from '../model/ids.ts'
import type { Store } from '../store/store.ts'
import { collect } from './record-lists.ts'
import type { Run } from './run-record.ts'
import type { Door } from './stored-records.ts'

/** Inputs for which no gateway could be asked; without them nobody may be blamed. */
export type Shortfall = 'blocks' | 'checkpoints'

export interface RunInputs {
  get(process: ProcessId, id: string): Promise<Run | undefined>
  all(process: ProcessId): Promise<readonly Run[]>
  put(run: Run): Promise<void>
  /** The inputs of this run for which no gateway could be asked, each with the reason in words. */
  shortfalls(run: Run): Promise<ReadonlyMap<Shortfall, string>>
  /** @param reason undefined if a gateway could be asked after all */
  putShortfall(run: Run, what: Shortfall, reason: string | undefined): Promise<void>
}

export function createRunInputs(store: Store, door: Door): RunInputs {
  return {
    get: (process, id) => door.get(['run', process, id]),
    all: (process) => collect(door, ['run', process]),
    put: (run) => store.put([[['run', run.process, run.id], run]]),
    async shortfalls(run) {
      const found = new Map<Shortfall, string>()
      for (const { what, reason } of await collect<{ what: Shortfall; reason: string }>(door, ['shortfall', run.id]))
        found.set(what, reason)
      return found
    },
    putShortfall: (run, what, reason) =>
      store.put([[['shortfall', run.id, what], reason === undefined ? undefined : { what, reason }]])
  }
}
