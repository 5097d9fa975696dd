/** Finds the places at which the memories of checkpoints differ from the computed ones. */

import { rm } from 'node:fs/promises'
import path from 'node:path'
import type { MemoryDifference } from '../../memory/difference.ts'
import { isPlaceOf, type MemoryLayout } from '../../model/records.ts'
import { replay } from '../../replay/replay.ts'
import type { CheckpointReport } from '../../report/model.ts'
import { defined } from '../../util/defined.ts'
import type { CheckedCheckpoint } from '../../verify/checkpoint.ts'
import type { Verifier } from '../../verify/verification-threads.ts'
import type { AuditContext } from '../context.ts'
import { jobOf } from '../evaluate.ts'
import type { PassResult } from '../pass.ts'
import { checkpointsOf, type JudgedUnits } from '../search/judged-unit.ts'

/** How many checkpoints of one report are examined: each takes two whole memories. */
const CHECKPOINTS_MAX = 4
/** Larger memories are not compared. */
const MEMORY_MAX_BYTES = 1024 ** 3

export interface MemoryDifferences {
  /** By the checkpoint's id. */
  readonly found: ReadonlyMap<string, MemoryDifference>
  /** How many checkpoints differ and were not examined. */
  readonly cut: number
}

/**
 * Replays once more up to the last checkpoint that differs, under the final hypothesis of the audit, and compares there. Costs
 * nothing if all are equal.
 */
export async function memoryDifferences(
  context: AuditContext,
  judged: JudgedUnits,
  verifier: Verifier
): Promise<MemoryDifferences> {
  const differing = new Set(
    checkpointsOf(judged)
      .filter(({ report }) => isDifferent(report))
      .map(({ report }) => report.id)
  )
  const checked = (await context.checkpoints.all()).filter(({ id, memory }) => differing.has(id) && memory !== undefined)
  const fitting = checked.filter(({ memory }) => (memory?.bytes ?? 0) <= MEMORY_MAX_BYTES).slice(0, CHECKPOINTS_MAX)
  const found = new Map<string, MemoryDifference>()
  if (fitting.length === 0) return { found, cut: checked.length }
  const folder = await context.options.store.temporary()
  try {
    const { files, layout } = await computedMemories(context, judged.units[0]?.found ?? judged.joint, fitting, folder)
    for (const { id, memory } of fitting) {
      const file = files.get(id)
      if (file === undefined || memory === undefined) continue
      const difference = await verifier.compare(memory.path, file, MEMORY_MAX_BYTES, layout)
      if (!('failed' in difference)) found.set(id, difference)
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  return { found, cut: checked.length - found.size }
}

function isDifferent({ dataSha256, computedSha256 }: CheckpointReport): boolean {
  return dataSha256 !== null && computedSha256 !== null && dataSha256 !== computedSha256
}

/** The memories that replay reaches at the places of checkpoints, as files by the checkpoint's id. */
async function computedMemories(
  context: AuditContext,
  pass: PassResult,
  checkpoints: readonly CheckedCheckpoint[],
  folder: string
) {
  const { profile, instances, evaluates } = pass.hypothesis
  const units = pass.judged.judgements.map(({ claimant }) => claimant)
  const files = new Map<string, string>()
  let layout: MemoryLayout = {}
  const job = jobOf({ ...context, instances, plan: () => context.plan(profile.blocks ?? 'all', evaluates), profile, units })
  const end = checkpoints.at(-1)?.key
  const evaluations = replay({
    ...job,
    ...defined({ end }),
    exportAfter: (planned) => {
      const place = checkpoints.findIndex(({ key }) => isPlaceOf(key, planned))
      return place < 0 ? undefined : path.join(folder, `${place}.gz`)
    },
    onState(planned, _state, file) {
      if (file === undefined) return
      for (const { id, key } of checkpoints) if (isPlaceOf(key, planned)) files.set(id, file)
    },
    onLayout(told) {
      layout = told
    }
  })
  for await (const _ of evaluations) if (files.size === checkpoints.length) break
  return { files, layout }
}
