/** One run through a plan in one sandbox: it sends batches and receives results in order. */

import { AuditError } from '../model/errors.ts'
import { type Fault, isPlaceOf } from '../model/records.ts'
import { defined } from '../util/defined.ts'
import type { ReplayJob } from './job.ts'
import { messageChars } from './message-chars.ts'
import type { PlannedEvaluation } from './plan/planned.ts'
import { beginsInstance } from './profile.ts'
import type { InstanceState, SandboxMessage, SandboxResult } from './sandbox/protocol.ts'
import { type ModuleRefusal, openSandbox, type RunOutcome, type Sandbox, type Stopped, whyStopped } from './sandbox/sandbox.ts'

/** The outcome of one planned evaluation. */
export interface Step {
  readonly planned: PlannedEvaluation
  /** Undefined if nothing ran: skipped, missing, or after the end. */
  readonly result?: SandboxResult
  /** Why nothing ran although something was planned. */
  readonly why?: WhyNot
  /** It ran in a new instance although the plan said the running one, or the other way round. */
  readonly otherInstance?: true
  /** The state of the instance after it, if requested, and the file that the memory was written to. */
  readonly state?: InstanceState
  readonly exportedTo?: string
  /** Why there is no state although it was requested. */
  readonly stateFailure?: string
}

export interface WhyNot {
  readonly reason: string
  /** A limit of the auditor stopped it. */
  readonly limit?: true
  /** Who caused it, if known. */
  readonly fault?: Fault
}

/** The child ended before it delivered all its results. */
export interface LostResults {
  /** How to reach the same point without losing anything. */
  readonly careful: Careful
}

/** A run of one message at a time. */
export interface Careful {
  /** The position in the plan that stopped the child, if known: the careful run stops before it. */
  readonly until: number
  readonly why: WhyNot
}

export interface SessionOptions {
  readonly careful?: Careful
}

const BATCH_MESSAGES = 10
const BATCH_CHARS = 1024 * 1024
const BATCHES_IN_FLIGHT = 8
/** Fewer batches if they take long: later batches can then carry newer hints, for example about messages that fail. */
const IN_FLIGHT_US = 200_000
/** Weight of the newest batch in a running mean. */
const NEWEST = 0.2

interface Slot {
  readonly planned: PlannedEvaluation
  readonly position: number
  /** Its place among the batch's messages; undefined if nothing runs. */
  readonly index?: number
}

interface Batch {
  readonly slots: readonly Slot[]
  readonly messages: readonly SandboxMessage[]
  /** Whether to hash the memory after the batch, and the file to write it to. */
  readonly hash: boolean
  readonly exportTo?: string
}

/** The state of the instance, or why it is unknown. */
interface StateRead {
  readonly state?: InstanceState
  readonly exportedTo?: string
  readonly failure?: string
}

interface Sent extends Batch {
  outcome: Promise<RunOutcome>
  state: Promise<StateRead>
}

/**
 * Runs the plan to its end, or until the child has to be stopped.
 *
 * @throws AuditError `SANDBOX_FAILED`, `MODULE_UNSUPPORTED`; `INTERRUPTED` if the job's signal fired
 */
export async function* runSession(job: ReplayJob, options: SessionOptions): AsyncGenerator<Step | LostResults> {
  const limits = defined({ limits: job.limits })
  const start = job.start === undefined ? {} : { start: job.start.memory }
  const drive = defined({ drive: job.drive })
  const spare = defined({ spare: job.spare })
  const batches = cut(job, options)
  const [opened, begun] = await Promise.allSettled([
    openSandbox(job.setup, job.profile, { ...limits, ...start, ...drive, ...spare }),
    batches.next()
  ])
  if (opened.status === 'rejected') throw opened.reason
  const { refused } = opened.value
  if (begun.status === 'rejected') {
    if (refused === undefined) await opened.value.sandbox.close()
    throw begun.reason
  }
  const first = begun.value
  if (refused !== undefined) return yield* refusedSteps(refused, first, batches)
  const { sandbox } = opened.value
  job.onLayout?.(sandbox.layout)
  const abort = () => void sandbox.close(true)
  job.signal?.addEventListener('abort', abort, { once: true })
  const sent: Sent[] = []
  let batchUs = 0
  const inFlight = () => (options.careful === undefined ? Math.max(2, Math.min(BATCHES_IN_FLIGHT, IN_FLIGHT_US / batchUs)) : 0)

  const send = (batch: Batch, messages = batch.messages) => {
    // The first message of a replay always runs in a new instance, so no claim can decide about its instance.
    const pause = job.agrees !== undefined && (batch.slots[0]?.position !== 0 || job.start !== undefined)
    const outcome = sandbox.run(messages, { pause })
    const state = batch.hash ? stateOf(job, batch, sandbox) : Promise.resolve({})
    // `settle` awaits it later, in order: a failure must not count as unhandled until then.
    outcome.catch(() => {})
    return { outcome, state }
  }

  async function* settle(): AsyncGenerator<Step | LostResults> {
    const batch = sent[0]
    if (batch === undefined) return
    job.onBusy?.()
    const results: SandboxResult[] = []
    /** Places of messages whose instance was chosen here, not as sent. */
    const chosenHere = new Set<number>()
    let outcome = await batch.outcome
    results.push(...outcome.results)
    while (outcome.paused === true) {
      const at = results.length - 1
      const chosen = await chooseInstance(job, sandbox, batch, results[at], at)
      if (chosen !== undefined) {
        results[at] = chosen
        chosenHere.add(at)
      }
      await sandbox.resume()
      // The child answered everything under way with no results.
      Object.assign(batch, send(batch, batch.messages.slice(results.length)))
      for (const later of sent.slice(1)) Object.assign(later, send(later))
      outcome = await batch.outcome
      results.push(...outcome.results)
    }
    if (job.signal?.aborted) throw new AuditError('INTERRUPTED', 'interrupted')
    const state = await batch.state
    sent.shift()
    batchUs += (results.reduce((sum, { handleUs }) => sum + handleUs, 0) - batchUs) * NEWEST
    if (options.careful === undefined) {
      const lost = lostIn(batch, results, outcome.stopped) ?? lostStateIn(outcome, state, sandbox)
      if (lost !== undefined) return void (yield lost)
    }
    for (const [place, { planned, index }] of batch.slots.entries()) {
      const result = index === undefined ? undefined : results[index]
      const why = index === undefined || result !== undefined ? undefined : whyNot(outcome.stopped, options.careful)
      yield {
        planned,
        ...defined({ result, why }),
        ...(index !== undefined && isOther(job, batch, index, chosenHere.has(index)) ? { otherInstance: true } : {}),
        ...(place === batch.slots.length - 1 ? stateStep(state) : {})
      }
    }
  }

  try {
    for (let next: IteratorResult<Batch, void> = first; next.done !== true; next = await batches.next()) {
      sent.push({ ...next.value, ...send(next.value) })
      while (sent.length > inFlight()) yield* settle()
    }
    while (sent.length > 0) yield* settle()
  } finally {
    await batches.return()
    job.signal?.removeEventListener('abort', abort)
    await sandbox.close()
  }
}

/** Whether the instance of a message was not the one that the profile states. */
function isOther({ profile }: ReplayJob, { slots, messages }: Batch, index: number, turned: boolean): boolean {
  const planned = slots.find((slot) => slot.index === index)?.planned
  const fresh = messages[index]?.fresh
  return fresh !== undefined && (fresh !== turned) !== beginsInstance(profile, planned ?? {})
}

function stateStep({ state, exportedTo, failure }: StateRead): Pick<Step, 'state' | 'exportedTo' | 'stateFailure'> {
  return {
    ...defined({ state, exportedTo, stateFailure: failure })
  }
}

/** The steps of a module that cannot be started: nothing runs. */
async function* refusedSteps(
  refused: ModuleRefusal,
  first: IteratorResult<Batch, void>,
  batches: AsyncGenerator<Batch, void, void>
): AsyncGenerator<Step> {
  const why: WhyNot = { ...refused, fault: 'module' }
  for (let next = first; next.done !== true; next = await batches.next())
    for (const { planned, index } of next.value.slots) yield { planned, ...(index === undefined ? {} : { why }) }
}

/** Cuts the plan into batches. Nothing runs after an evaluation that stops the CU's stream. */
async function* cut(job: ReplayJob, { careful }: SessionOptions): AsyncGenerator<Batch, void, void> {
  const batchMessages = careful === undefined ? BATCH_MESSAGES : 1
  let slots: Slot[] = []
  let messages: SandboxMessage[] = []
  let chars = 0
  let position = 0
  let halted = false
  for await (const planned of part(job)) {
    const { work } = planned
    if (work.kind === 'stop' || work.kind === 'missing' || position === careful?.until) halted = true
    if (work.kind === 'run') {
      slots.push({ planned, position, index: messages.length })
      if (!halted) {
        const fresh = job.begins?.(planned) ?? beginsInstance(job.profile, planned)
        const claimedError = (await job.claimedError?.(planned)) === true
        messages.push({ message: work.message, fresh, ...(claimedError ? { claimedError } : {}) })
        chars += messageChars(work.message)
      }
    } else slots.push({ planned, position })
    position++
    const exportTo = halted ? undefined : job.exportAfter?.(planned)
    const hash = exportTo !== undefined || (!halted && job.hashAfter?.(planned) === true)
    const alone = position === 1
    if (!hash && !alone && slots.length < batchMessages && chars < BATCH_CHARS) continue
    yield { slots, messages, hash, ...defined({ exportTo }) }
    slots = []
    messages = []
    chars = 0
  }
  if (slots.length > 0) yield { slots, messages, hash: false }
}

/** The plan after the job's start, up to its end. */
async function* part({ plan, start, end }: ReplayJob): AsyncGenerator<PlannedEvaluation> {
  let begun = start === undefined
  for await (const planned of plan()) {
    if (begun) yield planned
    else if (start !== undefined) begun = isPlaceOf(start.after, planned)
    if (end !== undefined && isPlaceOf(end, planned)) return
  }
  if (begun) return
  throw new AuditError(
    'INPUT_MISSING',
    `the plan has no evaluation at nonce ${start?.after.ordinate}, after which the replay should start`
  )
}

/** Reads the state of the instance after a batch, and if requested writes the memory to a file at the same time. */
async function stateOf({ likely }: ReplayJob, { slots, exportTo }: Batch, sandbox: Sandbox): Promise<StateRead> {
  const last = slots.at(-1)?.planned
  const [state, exported] = await Promise.allSettled([
    sandbox.state(last === undefined ? [] : likely?.(last)),
    exportTo === undefined ? undefined : sandbox.exportTo(exportTo)
  ])
  if (state.status === 'rejected')
    return { failure: state.reason instanceof Error ? state.reason.message : String(state.reason) }
  const written = exportTo !== undefined && exported.status === 'fulfilled'
  return { state: state.value, ...(written ? { exportedTo: exportTo } : {}) }
}

/**
 * If an evaluation read the clock and disagrees with the claim, tries whether the CU had started an instance right before it
 * (profiles §1.3), or had kept one.
 *
 * @returns the result in the other instance if it agrees; the sandbox then holds its state
 */
async function chooseInstance(
  job: ReplayJob,
  sandbox: Sandbox,
  batch: Batch,
  result: SandboxResult | undefined,
  index: number
): Promise<SandboxResult | undefined> {
  const { planned } = batch.slots.find((slot) => slot.index === index) ?? {}
  const entry = batch.messages[index]
  if (planned === undefined || entry === undefined || result === undefined) return undefined
  if ((await job.agrees?.(planned, result.text)) !== false) return undefined
  const runAlone = async (fresh: boolean) => {
    await sandbox.undo()
    return (await sandbox.run([{ message: entry.message, fresh }], { pause: true })).results[0]
  }
  const other = await runAlone(!entry.fresh)
  if (other !== undefined && (await job.agrees?.(planned, other.text)) === true) return other
  await runAlone(entry.fresh)
  return undefined
}

/** Finds results that did not arrive before a message stopped the child. */
function lostIn(batch: Batch, results: readonly SandboxResult[], stopped: Stopped | undefined): LostResults | undefined {
  if (stopped === undefined) return undefined
  const why: WhyNot = { reason: whyStopped(stopped), limit: true }
  const slot = stopped.limit === 'died' ? undefined : batch.slots.find(({ index }) => index === stopped.index)
  if (slot === undefined) return { careful: { until: Number.POSITIVE_INFINITY, why } }
  return stopped.index > results.length ? { careful: { until: slot.position, why } } : undefined
}

/** Finds a memory that was being hashed when a later message stopped the child: a careful run reaches it again. */
function lostStateIn({ stopped }: RunOutcome, { failure }: StateRead, sandbox: Sandbox): LostResults | undefined {
  if (failure === undefined || stopped !== undefined || !sandbox.ended) return undefined
  return { careful: { until: Number.POSITIVE_INFINITY, why: { reason: whyStopped({ limit: 'died', index: 0 }), limit: true } } }
}

function whyNot(stopped: Stopped | undefined, careful: Careful | undefined): WhyNot {
  if (stopped !== undefined) return { reason: whyStopped(stopped), limit: true }
  return careful?.why ?? { reason: 'an earlier evaluation stopped the stream' }
}
