/** Memories that a replay may begin with, in place of the module's own. */

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

/** A checkpoint that is verified, and its memory. */
export interface UsableCheckpoint extends CheckedCheckpoint {
  readonly memory: StartMemory
}

/**
 * The checkpoint that a replay is to begin with: its memory is taken on trust.
 *
 * @throws AuditError `INPUT_MISSING` where it cannot be had or does not prove itself
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

/** The range behind a start: what is before it is not computed. */
export function rangeBehind(start: CheckedCheckpoint, run: Run): Run {
  const from = start.nonce + 1
  if (from > run.to)
    throw new AuditError('USAGE', `the checkpoint ${start.id} lies behind nonce ${start.nonce}, the range's end`)
  return { ...run, from: Math.max(run.from, from) }
}

/**
 * Where a replay may be cut into parts: behind the start, one memory for each place, of the profile's environment. Whoever signed
 * it, a memory that is not come to is found out.
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

/** What keeps a difference behind a start from being a mismatch. */
export interface StartEffects {
  /** Passes the plan on, and remembers what lies before the start. */
  watch(plan: AsyncIterable<PlannedEvaluation>): AsyncGenerator<PlannedEvaluation>
  /** Why this evaluation, asked about in order, blames nobody. */
  mayReach(evaluation: Evaluation): string | undefined
}

const NOTHING = new Uint32Array()

/**
 * A memory that somebody else signed proves nothing against a unit; nor does it say where the clock stood, or what was answered
 * about a message before.
 *
 * @param own whether the one unit that is judged signed it
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
      if (!own) return `it rests on the checkpoint ${id}, which is not the unit's own`
      if (readClock) return `where the clock stood at the checkpoint ${id} is not known`
      const repeated = messageId !== undefined && before.get(messageId) !== undefined
      return repeated ? `the message was evaluated before the checkpoint ${id} already` : undefined
    }
  }
}
