/** The auditor's own snapshots: the state of a replay is kept, so that a later audit of the same process continues from there. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import type { Inputs } from '../../inputs/inputs.ts'
import type { Snapshot } from '../../inputs/snapshot-inputs.ts'
import type { ProcessId } from '../../model/ids.ts'
import { type Evaluation, memoryAfter } from '../../model/records.ts'
import { toolVersions } from '../../model/version.ts'
import type { ReplayJob, ReplayStart } from '../../replay/job.ts'
import type { PlannedEvaluation } from '../../replay/plan/planned.ts'
import type { ExecutionProfile } from '../../replay/profile.ts'
import type { InstanceState } from '../../replay/sandbox/protocol.ts'
import type { Store } from '../../store/store.ts'
import type { Subject } from '../subject.ts'

/** The interval of snapshots in a long replay, which may be killed: some minutes of work. */
const EVERY_MESSAGES = 50_000
/** How many evaluations are written at once. */
const KEEP_BATCH = 100

export interface SnapshotOptions {
  readonly store: Store
  readonly inputs: Inputs
  readonly subject: Subject
  readonly profile: ExecutionProfile
  /** The last nonce of the range. */
  readonly to: number
  readonly plan: () => AsyncIterable<PlannedEvaluation>
  /** Whether the memory after it must be hashed. */
  readonly wanted: (planned: PlannedEvaluation) => boolean
}

interface SnapshotOwner {
  readonly process: ProcessId
  /** Module, its inputs, profile and tool version: everything that a result depends on besides the plan. */
  readonly setup: string
}

/** The stored evaluations, and the place from which the replay continues. */
export interface Resumed {
  readonly nonce: number
  readonly start: ReplayStart
  evaluations(): AsyncGenerator<Evaluation>
}

export interface Snapshots {
  readonly resumed: Resumed | undefined
  /** Callbacks for the replay that continues after the stored evaluations. */
  readonly job: Required<Pick<ReplayJob, 'plan' | 'exportAfter' | 'onState'>>
  /** Passes evaluations on, and keeps them. */
  keep(evaluations: AsyncIterable<Evaluation>): AsyncGenerator<Evaluation>
  close(): Promise<void>
}

/**
 * Opens the snapshots of one process under one profile. A stored snapshot counts only if the plan up to it equals, to the last byte,
 * the plan from which it was made.
 *
 * @returns undefined if a snapshot lies after the range: it is left alone
 */
export async function openSnapshots(options: SnapshotOptions): Promise<Snapshots | undefined> {
  const { store, inputs, subject, profile, to } = options
  const owner: SnapshotOwner = { process: subject.process.id, setup: setupDigest(subject, profile) }
  const found = await inputs.snapshots.get(owner.process, owner.setup)
  if (found !== undefined && found.nonce > to) return undefined
  const resumed = found === undefined ? undefined : await resume(options, owner, found)
  // New evaluations overwrite those that led to the old snapshot.
  if (found !== undefined && resumed === undefined) await inputs.snapshots.put(owner.process, owner.setup, undefined)
  const folder = await store.temporary()
  /** By nonce: the digest of the plan up to it, and the exported memory. */
  const digests = new Map<number, string>()
  const exported = new Map<number, { readonly file: string; readonly state: InstanceState }>()
  let files = 0

  const isKept = (nonce: number | undefined): nonce is number =>
    nonce !== undefined && (nonce === to || (nonce > 0 && nonce % EVERY_MESSAGES === 0))

  async function put(evaluation: Evaluation, position: number, hashes: Snapshot['hashes']): Promise<void> {
    const { nonce = -1, key } = evaluation
    const memory = exported.get(nonce)
    const planDigest = digests.get(nonce)
    exported.delete(nonce)
    if (memory === undefined || planDigest === undefined || !memory.state.movable) return
    const { memoryBytes, clock } = memory.state
    const blob = await store.putBlob(createReadStream(memory.file))
    await rm(memory.file, { force: true })
    const before = await inputs.snapshots.get(owner.process, owner.setup)
    await inputs.snapshots.put(owner.process, owner.setup, {
      nonce,
      key,
      position,
      planDigest,
      blob,
      memoryBytes,
      clock,
      hashes
    })
    if (before !== undefined && before.blob.sha256 !== blob.sha256) await store.removeBlob(before.blob)
  }

  return {
    resumed,
    job: {
      async *plan() {
        const digest = createPlanDigest()
        for await (const planned of options.plan()) {
          const upToHere = digest(planned)
          if (isKept(planned.nonce)) digests.set(planned.nonce, upToHere())
          yield planned
        }
      },
      exportAfter: ({ nonce }) => (isKept(nonce) ? path.join(folder, `${files++}.gz`) : undefined),
      onState({ nonce = -1 }, state, file) {
        if (file !== undefined) exported.set(nonce, { file, state })
      }
    },
    async *keep(evaluations) {
      const hashes: Record<string, string> = { ...(resumed === undefined ? {} : found?.hashes) }
      let position = resumed === undefined ? 0 : (found?.position ?? 0)
      let batch: Evaluation[] = []
      const flush = async () => {
        await inputs.snapshots.putComputed(owner.process, owner.setup, position - batch.length, batch)
        batch = []
      }
      for await (const evaluation of evaluations) {
        position++
        batch.push(evaluation)
        if (evaluation.stateHash !== undefined) hashes[memoryAfter(evaluation.key)] = evaluation.stateHash
        if (batch.length >= KEEP_BATCH || isKept(evaluation.nonce)) await flush()
        if (isKept(evaluation.nonce)) await put(evaluation, position, { ...hashes })
        yield evaluation
      }
    },
    async close() {
      await rm(folder, { recursive: true, force: true })
    }
  }
}

async function resume(
  { store, inputs, plan, wanted }: SnapshotOptions,
  owner: SnapshotOwner,
  { nonce, key, position, planDigest, blob, memoryBytes, clock, hashes }: Snapshot
): Promise<Resumed | undefined> {
  if ((await store.getBlob(blob)) === undefined) return undefined
  const digest = createPlanDigest()
  let place = 0
  for await (const planned of plan()) {
    place++
    const upToHere = digest(planned)
    if (wanted(planned) && !Object.hasOwn(hashes, memoryAfter(planned.key))) return undefined
    if (place < position) continue
    if (upToHere() !== planDigest) return undefined
    return {
      nonce,
      start: { after: key, memory: { path: store.blobPath(blob), bytes: memoryBytes, clock } },
      evaluations: () => inputs.snapshots.computed(owner.process, owner.setup, position)
    }
  }
  return undefined
}

/** A hash over the whole plan, which can be read at any place. */
function createPlanDigest(): (planned: PlannedEvaluation) => () => string {
  const hash = createHash('sha256')
  return ({ key, nonce = null, work }) => {
    hash.update(JSON.stringify([key, nonce, work]))
    return () => hash.copy().digest('hex')
  }
}

function setupDigest({ setup, module }: Subject, profile: ExecutionProfile): string {
  const { format, env, options } = setup
  const parts = [module.data.sha256, format, env, options, profile, toolVersions()]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}
