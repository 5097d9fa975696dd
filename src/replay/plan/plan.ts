/** The order of evaluation, as the CU makes it: what runs, what is skipped, what ends its stream. */
import { type ScheduledMessage, type Tag, tagValue } from '../../records.ts'
import { cronsOf, type CronFiring, firingsBetween } from './cron.ts'
import { createEvaluated, type Evaluated, pushedHash } from './duplicates.ts'
import { bootMessage, cronMessage, onChainMessage, ordinaryMessage } from './message.ts'
import type { PlanInputs, PlannedEvaluation, Work } from './types.ts'

/**
 * Plans a process from its first message on.
 *
 * Between two messages lie the crons that fired (§2.5); before the first one, for processes from before the boot loader, the
 * process message that the CU makes itself (§2.4; CU domain/lib/loadMessages.js, maybePrependProcessMessage).
 *
 * @throws AuditError where the inputs cannot be read
 */
export async function* planEvaluations(inputs: PlanInputs): AsyncGenerator<PlannedEvaluation> {
  const { process } = inputs
  const crons = cronsOf(process.tags)
  const evaluated = createEvaluated()
  const fired = new Set<string>()
  let left: ScheduledMessage | undefined

  for await (const scheduled of inputs.schedule) {
    if (left === undefined && !isProcessMessage(scheduled)) yield await boot(inputs)
    if (crons.length > 0) {
      const from = left ?? { timestamp: process.timestamp, blockHeight: process.blockHeight, nonce: 0 }
      const blocks = await inputs.blocks(from.blockHeight, scheduled.blockHeight)
      for (const firing of firingsBetween(crons, process, from, scheduled, blocks)) {
        // The CU knows a cron by time and name: at the seam of two ranges it comes up twice (evaluate.js, evaledCrons).
        const name = `${firing.timestamp},${firing.cron}`
        if (fired.has(name)) continue
        fired.add(name)
        yield planCron(inputs, from.nonce, firing)
      }
    }
    yield await planScheduled(inputs, evaluated, scheduled)
    left = scheduled
  }
  if (left === undefined) yield await boot(inputs)
}

/** Since the boot loader (aop6) a process's schedule begins with the process itself. */
function isProcessMessage({ message }: ScheduledMessage): boolean {
  const types = (message?.tags ?? []).filter(({ name }) => name === 'Type')
  return types.length === 1 && types[0]?.value === 'Process'
}

async function boot({ process, processData }: PlanInputs): Promise<PlannedEvaluation> {
  const data = await processData()
  const work: Work =
    data === undefined
      ? { kind: 'missing', reason: "the process's own data is on no gateway" }
      : { kind: 'run', message: bootMessage(process, data) }
  return { key: { ordinate: 0, timestamp: process.timestamp }, saved: false, work }
}

function planCron({ process }: PlanInputs, ordinate: number, firing: CronFiring): PlannedEvaluation {
  const { cron, timestamp } = firing
  return { key: { ordinate, cron, timestamp }, saved: true, work: { kind: 'run', message: cronMessage(process, firing) } }
}

async function planScheduled(inputs: PlanInputs, evaluated: Evaluated, scheduled: ScheduledMessage): Promise<PlannedEvaluation> {
  const { nonce, messageId, timestamp, assignment } = scheduled
  return {
    key: { ordinate: nonce, timestamp },
    nonce,
    messageId,
    assignmentId: assignment.id,
    saved: true,
    work: await workOf(inputs, evaluated, scheduled)
  }
}

/** Duplicates are left out before anything is evaluated (§2.6; CU domain/lib/evaluate.js). */
async function workOf(inputs: PlanInputs, evaluated: Evaluated, scheduled: ScheduledMessage): Promise<Work> {
  const { nonce, message, messageId, assignment } = scheduled
  const excluded = excludedOf(assignment.tags)
  if (typeof excluded === 'string') return { kind: 'stop', reason: excluded }
  if (message === null) {
    const item = await inputs.transaction(messageId)
    if (item === undefined) return { kind: 'missing', reason: `the item ${messageId} is on no gateway` }
    if (excluded.has('Tags')) return { kind: 'stop', reason: 'its assignment excludes Tags, which ends the CU’s stream' }
    if (!excluded.has('Data') && item.dataText === undefined) {
      return { kind: 'missing', reason: `the data of ${messageId} is on no gateway` }
    }
    const of = evaluated.find(messageId, nonce)
    if (of !== undefined) return { kind: 'skip', reason: 'duplicate-assignment', of }
    evaluated.add(messageId, nonce)
    return { kind: 'run', message: onChainMessage(scheduled, item, excluded) }
  }
  const target = tagValue(assignment.tags, 'Process') ?? inputs.process.id
  const planned = ordinaryMessage(scheduled, message, target)
  if (planned['Forwarded-By'] !== undefined) {
    const { tags, anchor, data } = message
    const hash = pushedHash({ target, anchor: anchor ?? '', tags, data: data ?? '' })
    if (hash === undefined) {
      return { kind: 'stop', reason: 'the target or anchor of a push has a length that ends the CU’s stream' }
    }
    const of = evaluated.find(hash, nonce)
    if (of !== undefined) return { kind: 'skip', reason: 'duplicate-push', of }
    evaluated.add(hash, nonce)
  } else evaluated.add(messageId, nonce)
  return { kind: 'run', message: planned }
}

/** The CU reads one `Exclude` tag as text where it expects a list, and its stream ends (§2.4). */
function excludedOf(tags: readonly Tag[]): ReadonlySet<string> | string {
  const names = tags.filter(({ name }) => name === 'Exclude').map(({ value }) => value)
  if (names.length === 1) return 'its assignment has exactly one Exclude tag, which ends the CU’s stream'
  return new Set(names)
}
