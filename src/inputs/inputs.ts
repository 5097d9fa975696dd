/** The typed records that an audit reads and stores. Only this folder knows their keys. */
import type { RecordKey, Store } from '../store/store.ts'
import { type BlockInputs, createBlockInputs } from './block-inputs.ts'
import { type CheckpointInputs, createCheckpointInputs } from './checkpoint-inputs.ts'
import { type ClaimInputs, createClaimInputs } from './claim-inputs.ts'
import { createDriveInputs, type DriveInputs } from './drive-inputs.ts'
import { createItemInputs, type ItemInputs, processKey } from './item-inputs.ts'
import { createRunInputs, type RunInputs } from './run-inputs.ts'
import { type Run, sourcesOf } from './run-record.ts'
import { createScheduleInputs, type ScheduleInputs } from './schedule-inputs.ts'
import { createSnapshotInputs, type SnapshotInputs } from './snapshot-inputs.ts'
import { openDoor } from './stored-records.ts'

/** Typed access to a store, a port for each kind of record. */
export interface Inputs {
  readonly runs: RunInputs
  readonly schedule: ScheduleInputs
  readonly items: ItemInputs
  readonly checkpoints: CheckpointInputs
  readonly blocks: BlockInputs
  readonly drive: DriveInputs
  readonly claims: ClaimInputs
  readonly snapshots: SnapshotInputs
}

/** @param store holds all records */
export function createInputs(store: Store): Inputs {
  const door = openDoor(store)
  return {
    runs: createRunInputs(store, door),
    schedule: createScheduleInputs(store, door),
    items: createItemInputs(store, door),
    checkpoints: createCheckpointInputs(store, door),
    blocks: createBlockInputs(store, door),
    drive: createDriveInputs(store, door),
    claims: createClaimInputs(store, door),
    snapshots: createSnapshotInputs(store, door)
  }
}

/** The prefixes of all records of one run, which an archive holds. */
export function runPrefixes(run: Run): RecordKey[] {
  return [
    ...sourcesOf(run).map((source) => ['anomaly', source, run.process]),
    ['block', run.process],
    ['block-difference', run.process],
    ['checkpoint', run.process],
    ['checkpoints-unread', run.process],
    ['shortfall', run.id],
    ['claim', run.id],
    ['drive', run.process],
    ['gateway-anomaly', run.process],
    ['listing', run.id],
    processKey(run.process, run.scheduler),
    ['run', run.process, run.id],
    ...sourcesOf(run).map((source) => ['schedule', source, run.process]),
    ['unavailable', run.id]
  ]
}
