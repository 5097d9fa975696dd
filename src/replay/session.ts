/** One run through a plan in one sandbox: batches out, results back, in order. */

import { AuditError } from '../model/errors.ts'
import { type Fault, isPlaceOf } from '../model/records.ts'
import { defined } from '../util/defined.ts'
import type { ReplayJob } from './job.ts'
import { messageChars } from './message-chars.ts'
import type { PlannedEvaluation } from './plan/planned.ts'
import { beginsInstance } from './profile.ts'
import type { InstanceState, SandboxMessage, SandboxResult } from './sandbox/protocol.ts'
import { type ModuleRefusal, openSandbox, type RunOutcome, type Sandbox, type Stopped, whyStopped } from './sandbox/sandbox.ts'

/** What became of one planned evaluation. */
export interface Step {
  readonly planned: PlannedEvaluation
  /** Undefined where nothing ran: skipped, missing, or after the end. */
  readonly result?: SandboxResult
  /** Why nothing ran although something was planned. */
  readonly why?: WhyNot
  /** It ran in a fresh instance although the plan had it in the running one, or the other way round. */
  readonly otherInstance?: true
  /** What the instance holds after it, where that was asked for, and the file that it was written to. */
  readonly state?: InstanceState
  readonly exportedTo?: string
  /** Why there is no state although it was asked for. */
  readonly stateFailure?: string
}

export interface WhyNot {
  readonly reason: string
  /** A limit of the auditor ended it. */
  readonly limit?: true
  /** Whose doing it is, where it is known. */
  readonly fault?: Fault
}

/** The child was ended with results still in it. */
export interface LostResults {
  /** How to come to the same point without losing anything. */
  readonly careful: Careful
}

/** Run one message at a time. */
export interface Careful {
  /** The position in the plan that stopped the child, where it is known: it is not run again. */
  readonly until: number
  readonly why: WhyNot
}

export interface SessionOptions {
  readonly careful?: Careful
}

const BATCH_MESSAGES = 10
const BATCH_CHARS = 1024 * 1024
const BATCHES_IN_FLIGHT = 8
/** Fewer where they take long: what comes to be known meanwhile, such as which messages fail, is sent along with later ones. */
const IN_FLIGHT_US = 200_000
/** Weight of the newest batch in a running mean. */
const NEWEST = 0.2

interface Slot {
  readonly planned: PlannedEvaluation
  readonly position: number
  /** Its place among the batch's messages; undefined where nothing runs. */
  readonly index?: number
}

interface Batch {
  readonly slots: readonly Slot[]
  readonly messages: readonly SandboxMessage[]
  /** Whether the memory is hashed after it, and the file that it is written to. */
  readonly hash: boolean
  readonly exportTo?: string
}

/** What the instance holds, or why that is not known. */
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
 * Runs the plan to its end, or to where the child had to be ended.
 *
 * @throws AuditError `SANDBOX_FAILED`, `MODULE_UNSUPPORTED`; `INTERRUPTED` where the job's signal fired
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
    // The first of all runs in a new instance, whatever is claimed.
    const pause = job.agrees !== undefined && (batch.slots[0]?.position !== 0 || job.start !== undefined)
    const outcome = sandbox.run(messages, { pause })
    const state = batch.hash ? stateOf(job, batch, sandbox) : Promise.resolve({})
    // Awaited later, in order: until then a failure is not unhandled.
    outcome.catch(() => {})
    return { outcome, state }
  }

  async function* settle(): AsyncGenerator<Step | LostResults> {
    const batch = sent[0]
    if (batch === undefined) return
    job.onBusy?.()
    const results: SandboxResult[] = []
    /** Whether an instance began right before a message, where that was not as sent. */
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
      // The child answered all that was under way with nothing.
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

/** Whether a message ran in another instance than the profile says. */
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

/** Nothing runs of a module that cannot be begun. */
async function* refusedSteps(
  refused: ModuleRefusal,
  first: IteratorResult<Batch, void>,
  batches: AsyncGenerator<Batch, void, void>
): AsyncGenerator<Step> {
  const why: WhyNot = { ...refused, fault: 'module' }
  for (let next = first; next.done !== true; next = await batches.next())
    for (const { planned, index } of next.value.slots) yield { planned, ...(index === undefined ? {} : { why }) }
}

/** Cuts the plan into batches. After what stops the CU's stream nothing runs. */
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

/** The plan behind the job's start, up to its end. */
async function* part({ plan, start, end }: ReplayJob): AsyncGenerator<PlannedEvaluation> {
  let begun = start === undefined
  for await (const planned of plan()) {
    if (begun) yield planned
    else if (start !== undefined) begun = isPlaceOf(start.after, planned)
    if (end !== undefined && isPlaceOf(end, planned)) return
  }
  if (begun) return
  throw new AuditError('INPUT_MISSING', `nothing is evaluated at nonce ${start?.after.ordinate} where a memory is to begin`)
}

/** What the instance holds after a batch; where that is asked for, it is written to a file while it is hashed. */
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
 * At an evaluation that read the clock and does not agree with what is claimed: whether the CU had begun an instance right
 * before it (profiles §1.3).
 *
 * @returns the result in the other instance, where that one agrees; the sandbox then holds its state
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

/** Where a child was ended by a message whose predecessors' results did not all arrive. */
function lostIn(batch: Batch, results: readonly SandboxResult[], stopped: Stopped | undefined): LostResults | undefined {
  if (stopped === undefined) return undefined
  const why: WhyNot = { reason: whyStopped(stopped), limit: true }
  const slot = stopped.limit === 'died' ? undefined : batch.slots.find(({ index }) => index === stopped.index)
  if (slot === undefined) return { careful: { until: Number.POSITIVE_INFINITY, why } }
  return stopped.index > results.length ? { careful: { until: slot.position, why } } : undefined
}

/** A memory that was being hashed when a message behind it ended the child: it is come to again. */
function lostStateIn({ stopped }: RunOutcome, { failure }: StateRead, sandbox: Sandbox): LostResults | undefined {
  if (failure === undefined || stopped !== undefined || !sandbox.ended) return undefined
  return { careful: { until: Number.POSITIVE_INFINITY, why: { reason: whyStopped({ limit: 'died', index: 0 }), limit: true } } }
}

function whyNot(stopped: Stopped | undefined, careful: Careful | undefined): WhyNot {
  if (stopped !== undefined) return { reason: whyStopped(stopped), limit: true }
  return careful?.why ?? { reason: 'nothing ran after what stopped the stream' }
}
