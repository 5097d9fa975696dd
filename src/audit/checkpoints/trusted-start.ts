/** Memories that a replay may begin with instead of the module's own. */

import type { Run } from '../../inputs/run-record.ts'
import type { StartMemory } from '../../memory/start-memory.ts'
import { AuditError } from '../../model/errors.ts'
import { type Evaluation, isPlaceOf } from '../../model/records.ts'
import type { PlannedEvaluation } from '../../replay/plan/planned.ts'
import type { ExecutionProfile } from '../../replay/profile.ts'
import type { Boundary } from '../../replay/segments.ts'
import { createDigestTable } from '../../util/digest-table.ts'
import type { CheckedCheckpoint } from '../../verify/checkpoint.ts'
import { type Checkpoints, fits } from './judge-checkpoints.ts'

/** A verified checkpoint with its memory. */
export interface UsableCheckpoint extends CheckedCheckpoint {
  readonly memory: StartMemory
}

/**
 * Finds the checkpoint that a replay shall begin with: its memory is taken on trust.
 *
 * @throws AuditError `INPUT_MISSING` if it is unavailable or not proven
 */
export async function findStart(id: string, { found, checked }: Checkpoints): Promise<UsableCheckpoint> {
  const named = found.find((checkpoint) => checkpoint.id === id)
  const start = named === undefined ? undefined : await checked(named)
  if (start !== undefined && isUsable(start)) return start
  const why = start?.findings[0]?.detail ?? 'it was not found in range'
  throw new AuditError('INPUT_MISSING', `the checkpoint ${id} cannot be the start of a replay: ${why}`, {
    hint: 'the report of an audit without --start lists the checkpoints'
  })
}

/** The range after a start: nothing before it is computed. */
export function rangeBehind(start: CheckedCheckpoint, run: Run): Run {
  const from = start.nonce + 1
  if (from > run.to)
    throw new AuditError(
      'USAGE',
      `the checkpoint ${start.id} is of nonce ${start.nonce}, and the range ends at nonce ${run.to}`
    )
  return { ...run, from: Math.max(run.from, from) }
}

/**
 * The places at which a replay may be cut into parts: after the start, one memory for each place, with the profile's environment. It
 * does not matter who signed it, because a memory that the part before does not reach is noticed.
 *
 * @param behind the last nonce that is not replayed; -1 for none
 * @param partMessages the least number of messages in a part
 */
export async function boundariesOf(
  { found, checked }: Checkpoints,
  profile: ExecutionProfile,
  behind: number,
  partMessages: number
): Promise<Boundary[]> {
  const boundaries: Boundary[] = []
  let last = behind
  for (const one of found) {
    if (one.standing !== 'signed' || one.nonce - last < partMessages) continue
    const checkpoint = await checked(one)
    const { id, nonce, key, sha256, environments = [] } = checkpoint
    if (!isUsable(checkpoint) || !fits(profile, environments)) continue
    boundaries.push({ name: id, after: key, sha256, memory: checkpoint.memory })
    last = nonce
  }
  return boundaries
}

function isUsable(checkpoint: CheckedCheckpoint): checkpoint is UsableCheckpoint {
  return checkpoint.standing === 'verified' && checkpoint.memory !== undefined
}

/** Reasons why a difference after a start is no mismatch. */
export interface StartEffects {
  /** Passes the plan on, and remembers the messages before the start. */
  watch(plan: AsyncIterable<PlannedEvaluation>): AsyncGenerator<PlannedEvaluation>
  /** Why this evaluation blames nobody. Call it in order. */
  mayReach(evaluation: Evaluation): string | undefined
}

const NOTHING = new Uint32Array()

/**
 * A memory that somebody else signed proves nothing against a unit. Nor does it show the state of the clock, or earlier answers about
 * a message.
 *
 * @param own whether the one judged unit signed it
 */
export function createStartEffects({ id, key: place }: CheckedCheckpoint, own: boolean): StartEffects {
  const before = createDigestTable(0)
  let readClock = false
  return {
    async *watch(plan) {
      let begun = false
      for await (const planned of plan) {
        if (!begun && planned.messageId !== undefined) before.add(planned.messageId, NOTHING)
        begun ||= isPlaceOf(place, planned)
        yield planned
      }
    },
    mayReach({ hostInputs, messageId }) {
      readClock ||= hostInputs !== undefined
      if (!own) return `it depends on the checkpoint ${id}, which is not the unit's own`
      if (readClock) return `the state of the clock at the checkpoint ${id} is not known`
      const repeated = messageId !== undefined && before.get(messageId) !== undefined
      return repeated ? `the message was already evaluated before the checkpoint ${id}` : undefined
    }
  }
}
