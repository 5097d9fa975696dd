/** The order of evaluation, as the CU makes it: what runs, what is skipped, what ends its stream. */
import { type ScheduledMessage, type Tag, type Times, tagValue } from '../../model/records.ts'
import type { Checked } from '../../verify/signed.ts'
import { type CronPlan, createCronPlan } from './cron-plan.ts'
import { type Cron, parseCrons } from './cron-tags.ts'
import { createEvaluated, type Evaluated } from './duplicates.ts'
import { bootMessage, onChainMessage, ordinaryMessage } from './message.ts'
import type { PlanInputs, PlannedEvaluation, Work } from './planned.ts'
import { pushedHash } from './pushed-hash.ts'

/**
 * Plans a process from its first message on.
 *
 * On a cold start the process message that the CU makes itself comes first, unless the schedule begins with the process's own
 * (§2.4; CU domain/lib/loadMessages.js, maybePrependProcessMessage): where there is no message at all, where the process is
 * from before the boot loader, and where a cron fires before it.
 *
 * @throws AuditError where the inputs cannot be read
 *
 * @example
 * ```ts
 * for await (const { key, work } of planEvaluations(inputs)) console.log(key.ordinate, work.kind)
 * ```
 */
export async function* planEvaluations(inputs: PlanInputs): AsyncGenerator<PlannedEvaluation> {
  let midStream = false
  for await (const planned of inOrder(inputs)) {
    yield midStream ? { ...planned, midStream } : planned
    midStream = planned.nonce === undefined
  }
}

async function* inOrder(inputs: PlanInputs): AsyncGenerator<PlannedEvaluation> {
  const crons = parseCrons(inputs.process.tags)
  if ('fault' in crons) return yield* stopped(inputs, crons.fault)
  let taken: Promise<Checked<Times>> | undefined
  const timesBy: TimesBy = (first) => {
    taken ??= inputs.taken(first)
    return taken
  }
  let cold = true
  for await (const { planned, isProcess, first } of mergeCrons(inputs, timesBy, crons)) {
    if (cold && !isProcess) yield await boot(inputs, await timesBy(first))
    cold = false
    yield planned
  }
  if (cold) yield await boot(inputs, await timesBy(undefined))
}

/** When the process was taken, by the first message of its schedule. */
type TimesBy = (first: Checked<ScheduledMessage> | undefined) => Promise<Checked<Times>>

interface Merged {
  readonly planned: PlannedEvaluation
  /** The schedule's own message of the process. */
  readonly isProcess: boolean
  /** The first message of the schedule. */
  readonly first: Checked<ScheduledMessage> | undefined
}

/** Scheduled messages with the crons that fire between them. */
async function* mergeCrons(inputs: PlanInputs, timesBy: TimesBy, crons: readonly Cron[]): AsyncGenerator<Merged> {
  const evaluated = createEvaluated()
  let cronPlan: CronPlan | undefined
  let first: Checked<ScheduledMessage> | undefined
  const asMerged = async function* (planned: AsyncIterable<PlannedEvaluation>): AsyncGenerator<Merged> {
    for await (const one of planned) yield { planned: one, isProcess: false, first }
  }

  for await (const scheduled of inputs.schedule) {
    first ??= scheduled
    if (crons.length > 0) cronPlan ??= createCronPlan(inputs, await timesBy(first), crons)
    if (cronPlan !== undefined) yield* asMerged(cronPlan.before(scheduled))
    const planned = planScheduled(scheduled, await workOf(inputs, evaluated, scheduled))
    cronPlan?.passed(scheduled, planned.work.kind !== 'skip')
    yield { planned, isProcess: isProcessMessage(scheduled), first }
  }
  if (crons.length > 0) cronPlan ??= createCronPlan(inputs, await timesBy(undefined), crons)
  if (cronPlan !== undefined) yield* asMerged(cronPlan.atEnd())
}

/** The CU evaluates nothing of this process. */
async function* stopped({ schedule }: PlanInputs, reason: string): AsyncGenerator<PlannedEvaluation> {
  for await (const scheduled of schedule) yield planScheduled(scheduled, { kind: 'stop', reason })
}

/** Since the boot loader (aop6) a process's schedule begins with the process itself; two `Type` tags are none. */
function isProcessMessage({ message }: Checked<ScheduledMessage>): boolean {
  const types = (message?.tags ?? []).filter(({ name }) => name === 'Type')
  return types.length === 1 && types[0]?.value === 'Process'
}

async function boot(inputs: PlanInputs, taken: Checked<Times>): Promise<PlannedEvaluation> {
  const { process } = inputs
  const data = await inputs.processData()
  const work: Work =
    data === undefined
      ? { kind: 'missing', reason: "the process's own data is on no gateway" }
      : { kind: 'run', message: bootMessage(process, taken, data) }
  return { key: { ordinate: 0, timestamp: taken.timestamp }, saved: false, work }
}

function planScheduled({ nonce, messageId, timestamp, assignment }: Checked<ScheduledMessage>, work: Work): PlannedEvaluation {
  return { key: { ordinate: nonce, timestamp }, nonce, messageId, assignmentId: assignment.id, saved: true, work }
}

/** Duplicates are left out before anything is evaluated (§2.6; CU domain/lib/evaluate.js, doesMessageExist). */
async function workOf(inputs: PlanInputs, evaluated: Evaluated, scheduled: Checked<ScheduledMessage>): Promise<Work> {
  const { message, messageId, assignment } = scheduled
  const excluded = excludedOf(assignment.tags)
  if (excluded === undefined)
    return { kind: 'stop', reason: 'its assignment has exactly one Exclude tag, which ends the CU’s stream' }
  if (message === null) return onChainWork(inputs, evaluated, scheduled, excluded)

  const target = tagValue(assignment.tags, 'Process') ?? inputs.process.id
  const planned = ordinaryMessage(scheduled, message, target)
  if (planned['Forwarded-By'] === undefined) {
    evaluated.add(messageId, scheduled)
    return { kind: 'run', message: planned }
  }
  const pushed = pushedHash({ target, anchor: message.anchor, tags: message.tags, data: message.data ?? '' })
  if ('fault' in pushed) return { kind: 'stop', reason: `${pushed.fault}, which ends the CU’s stream` }
  const of = evaluated.findBefore(pushed.hash, scheduled)
  if (of !== undefined && !isEvaluated(inputs, scheduled)) return { kind: 'skip', reason: 'duplicate-push', of }
  evaluated.add(pushed.hash, scheduled)
  return { kind: 'run', message: planned }
}

/**
 * An item on the chain, assigned (§1.8): a duplicate by its id, where that was evaluated as anything but a push. The CU reads
 * the item first and dies without it; that a duplicate is skipped can be told without.
 */
async function onChainWork(
  inputs: PlanInputs,
  evaluated: Evaluated,
  scheduled: Checked<ScheduledMessage>,
  excluded: ReadonlySet<string>
): Promise<Work> {
  const { messageId } = scheduled
  const of = evaluated.findBefore(messageId, scheduled)
  if (of !== undefined && !isEvaluated(inputs, scheduled)) return { kind: 'skip', reason: 'duplicate-assignment', of }
  const item = await inputs.chainItem(messageId)
  if (item === undefined) return { kind: 'missing', reason: `the item ${messageId} is on no gateway` }
  if (!excluded.has('Data') && item.dataText === undefined) {
    return { kind: 'missing', reason: `the data of ${messageId} is on no gateway` }
  }
  evaluated.add(messageId, scheduled)
  return { kind: 'run', message: onChainMessage(scheduled, item, excluded) }
}

function isEvaluated({ evaluates }: PlanInputs, { nonce }: ScheduledMessage): boolean {
  return evaluates?.has(nonce) === true
}

/** The names in `Exclude` tags; undefined where the CU reads one tag as text where it expects a list (§2.4). */
function excludedOf(tags: readonly Tag[]): ReadonlySet<string> | undefined {
  const names = tags.filter(({ name }) => name === 'Exclude').map(({ value }) => value)
  return names.length === 1 ? undefined : new Set(names)
}
