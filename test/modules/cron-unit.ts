/** The claims of an honest unit of a small process with crons, depending on the blocks that it knew. */

import { schedulerProcessSchema } from '../../src/fetch/unit-schemas.ts'
import type { Address, ModuleId } from '../../src/model/ids.ts'
import { type EvaluationKey, keyText, type Tag } from '../../src/model/records.ts'
import { planEvaluations } from '../../src/replay/plan/plan.ts'
import type { BlockKnowledge } from '../../src/replay/plan/planned.ts'
import { scheduledMessageSchema } from '../../src/verify/scheduled-edge.ts'
import { sealSigned } from '../../src/verify/seal.ts'
import { cursorOf, type FakeClaim, type FakeListed } from '../fakes/data.ts'
import type { SmallProcess } from './small-process.ts'

export interface CronEvaluation {
  readonly key: EvaluationKey
  readonly messageId?: string
  readonly result: { readonly Output: string; readonly Error?: string }
}

/** A unit's answers in a fake network. */
export interface CronUnit {
  readonly claims: readonly FakeClaim[]
  readonly results: readonly FakeListed[]
  readonly cron: readonly FakeListed[]
}

/** Evaluates like the small module for its words `count`, `error`, `errorat` and `height`; any other has an empty Output. */
export async function evaluateWithCrons(small: SmallProcess, knownBlocks: BlockKnowledge): Promise<CronEvaluation[]> {
  const schedule = small.schedule.map(({ node }) => sealSigned(scheduledMessageSchema.parse(node)))
  const { timestamp, blockHeight, ...shown } = schedulerProcessSchema.parse(small.process)
  async function* messages() {
    yield* schedule
  }
  const plan = planEvaluations({
    process: sealSigned({ ...shown, moduleId: small.moduleId as ModuleId, scheduler: small.scheduler as Address }),
    schedule: messages(),
    taken: async () => sealSigned({ timestamp, blockHeight }),
    chainItem: async () => undefined,
    processData: async () => undefined,
    blocks: async (from, to) => small.blocks.filter(({ height }) => height >= from && height <= to),
    knownBlocks
  })
  const evaluated: CronEvaluation[] = []
  let counter = 0
  for await (const { key, messageId, work } of plan) {
    if (work.kind !== 'run') throw new Error(`${keyText(key)}: ${work.kind}`)
    const { Data, Tags, 'Block-Height': height } = work.message
    const data = typeof Data === 'string' ? Data : (Tags as readonly Tag[]).find(({ name }) => name === 'Word')?.value
    const [word, argument] = (data ?? '').split(' ')
    const failed = word === 'error' || (word === 'errorat' && counter + 1 === Number(argument))
    const known = ['count', 'error', 'errorat', 'height'].includes(word ?? '')
    if (known && !failed) counter++
    const output = word === 'height' ? String(height) : String(counter)
    const result = failed ? { Output: 'failed', Error: 'boom' } : { Output: known ? output : '' }
    evaluated.push({ key, ...(messageId === undefined ? {} : { messageId }), result })
  }
  return evaluated
}

/** The unit's answers to `/result` and its listings, which leave out failed evaluations (protocol §2.1). */
export function answersOf(evaluated: readonly CronEvaluation[]): CronUnit {
  const whole = (result: CronEvaluation['result']) => ({ Messages: [], Assignments: [], Spawns: [], ...result })
  const listed = evaluated.filter(({ result }) => result.Error === undefined)
  const edge = ({ key: { ordinate, timestamp, cron }, result }: CronEvaluation): FakeListed => ({
    node: whole(result),
    cursor: cursorOf(ordinate, timestamp, cron)
  })
  return {
    claims: evaluated.flatMap(({ messageId: id, result }) =>
      id === undefined ? [] : [{ id, status: 200, result: { ...whole(result), GasUsed: 0 } }]
    ),
    results: listed.map(edge),
    cron: listed.filter(({ key }) => key.cron !== undefined).map(edge)
  }
}
