/** Plans evaluations in the CU's order: which messages run, which are skipped, and which end the CU's stream. */
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
 * On a cold start the CU makes a process message itself and evaluates it first, unless the schedule begins with the process's own
 * (§2.4; CU domain/lib/loadMessages.js, maybePrependProcessMessage). It does so if there is no message at all, if the process is
 * older than the boot loader, and if a cron fires before the process's own message.
 *
 * @throws whatever the inputs throw as they are read; those of `openArchive` an AuditError `STORE_UNUSABLE` or `SANDBOX_FAILED`
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

/** Returns the time at which the scheduler took the process, given the first message of its schedule. */
type TimesBy = (first: Checked<ScheduledMessage> | undefined) => Promise<Checked<Times>>

interface Merged {
  readonly planned: PlannedEvaluation
  /** Whether it is the process's own message in the schedule. */
  readonly isProcess: boolean
  /** The first message of the schedule. */
  readonly first: Checked<ScheduledMessage> | undefined
}

/** Yields scheduled messages with the crons that fire between them. */
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

/** Plans a process of which the CU evaluates no message. */
async function* stopped({ schedule }: PlanInputs, reason: string): AsyncGenerator<PlannedEvaluation> {
  for await (const scheduled of schedule) yield planScheduled(scheduled, { kind: 'stop', reason })
}

/** Since the boot loader (aop6) a process's schedule begins with the process itself. Two `Type` tags count as none. */
function isProcessMessage({ message }: Checked<ScheduledMessage>): boolean {
  const types = (message?.tags ?? []).filter(({ name }) => name === 'Type')
  return types.length === 1 && types[0]?.value === 'Process'
}

async function boot(inputs: PlanInputs, taken: Checked<Times>): Promise<PlannedEvaluation> {
  const { process } = inputs
  const data = await inputs.processData()
  const work: Work =
    data === undefined
      ? { kind: 'missing', reason: "no gateway has the process's own data" }
      : { kind: 'run', message: bootMessage(process, taken, data) }
  return { key: { ordinate: 0, timestamp: taken.timestamp }, saved: false, work }
}

function planScheduled({ nonce, messageId, timestamp, assignment }: Checked<ScheduledMessage>, work: Work): PlannedEvaluation {
  return { key: { ordinate: nonce, timestamp }, nonce, messageId, assignmentId: assignment.id, saved: true, work }
}

/** Skips duplicates before any evaluation, as the CU does (§2.6; CU domain/lib/evaluate.js, doesMessageExist). */
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
 * Plans an assigned item on the chain (§1.8). It is a duplicate if its id was evaluated before, except as a push. The CU reads the
 * item first and dies without it; this plan can skip a duplicate without the item.
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
  if (item === undefined) return { kind: 'missing', reason: `no gateway has the item ${messageId}` }
  if (!excluded.has('Data') && item.dataText === undefined) {
    return { kind: 'missing', reason: `no gateway has the data of ${messageId}` }
  }
  evaluated.add(messageId, scheduled)
  return { kind: 'run', message: onChainMessage(scheduled, item, excluded) }
}

function isEvaluated({ evaluates }: PlanInputs, { nonce }: ScheduledMessage): boolean {
  return evaluates?.has(nonce) === true
}

/**
 * Returns the names in `Exclude` tags; undefined for a single tag, which the CU reads as text although it expects a list (§2.4).
 */
function excludedOf(tags: readonly Tag[]): ReadonlySet<string> | undefined {
  const names = tags.filter(({ name }) => name === 'Exclude').map(({ value }) => value)
  return names.length === 1 ? undefined : new Set(names)
}
