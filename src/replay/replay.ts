/** From planned evaluations to evaluations: batches into the sandbox, results out, in order. */
import { AuditError } from '../errors.ts'
import type { Evaluation, EvaluationResult, Outcome } from '../records.ts'
import type { PlannedEvaluation } from './plan/types.ts'
import type { ExecutionProfile } from './profile.ts'
import type { ModuleSetup, SandboxLimits, SandboxResult, StartMemory } from './sandbox/protocol.ts'
import { openSandbox, type RunOutcome, type Sandbox, type Stopped } from './sandbox/sandbox.ts'

export interface ReplayJob {
  readonly setup: ModuleSetup
  readonly profile: ExecutionProfile
  /** The evaluations in order; asked for again where results were lost with a child that had to be ended. */
  plan(): AsyncIterable<PlannedEvaluation>
  readonly limits?: Partial<SandboxLimits>
  /** A memory to begin with, in place of the module's own. */
  readonly start?: StartMemory
  /** Whether the memory after this nonce shall be hashed. */
  readonly hashAfter?: (nonce: number) => boolean
  /** Told about every evaluation that ran, with the time inside the module, µs. */
  readonly onRun?: (handleUs: number) => void
  readonly signal?: AbortSignal
}

const BATCH_MESSAGES = 10
const BATCH_CHARS = 1024 * 1024
const BATCHES_IN_FLIGHT = 2

/** One planned evaluation on its way, and where its result will be. */
interface Slot {
  readonly planned: PlannedEvaluation
  /** Its place in the batch; undefined where nothing runs. */
  readonly index?: number
}

interface Batch {
  readonly slots: readonly Slot[]
  readonly outcome: Promise<RunOutcome>
  readonly stateHash: Promise<string | undefined>
}

/**
 * Evaluates a plan in order.
 *
 * What cannot be evaluated ends as `inconclusive` with the reason, and so does all after it: the state is unknown then.
 *
 * @throws AuditError `SANDBOX_FAILED`, `MODULE_UNSUPPORTED`; `INTERRUPTED` where the signal fired
 */
export async function* replay(job: ReplayJob): AsyncGenerator<Evaluation> {
  let delivered = 0
  for await (const step of attempt(job)) {
    if ('careful' in step) {
      // The child had to be ended with results still in it: run to the same point again, one message at a time.
      let position = 0
      for await (const again of attempt(job, step.careful)) if (!('careful' in again) && position++ >= delivered) yield again
      return
    }
    delivered++
    yield step
  }
}

/** How to run again after a child was ended. */
interface Careful {
  /** The planned evaluation that stopped it, where that is known: it is not run again. */
  readonly until: number
  readonly why: string
}

/** One run through the plan in one sandbox. */
async function* attempt(job: ReplayJob, careful?: Careful): AsyncGenerator<Evaluation | { readonly careful: Careful }> {
  const limits = job.limits === undefined ? {} : { limits: job.limits }
  const start = job.start === undefined ? {} : { start: job.start }
  const sandbox = await openSandbox(job.setup, job.profile, { ...limits, ...start })
  const abort = () => void sandbox.close()
  job.signal?.addEventListener('abort', abort, { once: true })
  try {
    let halted: string | undefined
    let position = 0
    for await (const batch of ahead(batches(job, sandbox, careful), BATCHES_IN_FLIGHT)) {
      const { results, stopped } = await batch.outcome
      const stateHash = await batch.stateHash
      if (job.signal?.aborted) throw new AuditError('INTERRUPTED', 'the replay was interrupted')
      if (careful === undefined && halted === undefined && stopped !== undefined) {
        const at = batch.slots.findIndex((slot) => slot.index === stopped.index)
        const known = stopped.limit !== 'died' && at >= 0
        // Where the child named the message and every result before it arrived, there is nothing to run again.
        if (!known || stopped.index > results.length) {
          yield { careful: { until: known ? position + at : Number.POSITIVE_INFINITY, why: whyStopped(stopped) } }
          return
        }
      }
      for (const [place, { planned, index }] of batch.slots.entries()) {
        const result = index === undefined ? undefined : results[index]
        const missing = index !== undefined && result === undefined
        const why = missing ? (stopped === undefined ? careful?.why : whyStopped(stopped)) : undefined
        const last = place === batch.slots.length - 1
        const evaluation = evaluationOf(planned, result, halted ?? why, last ? stateHash : undefined)
        if (result !== undefined) job.onRun?.(result.handleUs)
        if (evaluation.outcome.kind === 'inconclusive') {
          halted ??= `an evaluation before it could not be made: ${evaluation.outcome.reason}`
        }
        position++
        yield evaluation
      }
    }
  } finally {
    job.signal?.removeEventListener('abort', abort)
    await sandbox.close()
  }
}

/** Cuts the plan into batches and sends each as it is complete. */
async function* batches(job: ReplayJob, sandbox: Sandbox, careful: Careful | undefined): AsyncGenerator<Batch> {
  const batchMessages = careful === undefined ? BATCH_MESSAGES : 1
  let slots: Slot[] = []
  let messages: Readonly<Record<string, unknown>>[] = []
  let chars = 0
  let position = 0
  let halted = false
  const send = (hash: boolean): Batch => {
    const fresh = job.profile.instances === 'per-message'
    const outcome = sandbox.run(messages.map((message) => ({ message, fresh })))
    const stateHash = hash ? sandbox.hash().then(({ sha256 }) => sha256) : Promise.resolve(undefined)
    // Awaited in order, later: until then a failure is not unhandled.
    outcome.catch(() => {})
    const batch = { slots, outcome, stateHash: stateHash.catch(() => undefined) }
    slots = []
    messages = []
    chars = 0
    return batch
  }
  for await (const planned of job.plan()) {
    const { work } = planned
    if (work.kind === 'stop' || work.kind === 'missing' || position === careful?.until) halted = true
    slots.push(work.kind === 'run' ? { planned, index: messages.length } : { planned })
    if (work.kind === 'run' && !halted) {
      messages.push(work.message)
      const data = work.message['Data']
      chars += typeof data === 'string' ? data.length : 0
    }
    position++
    const hash = !halted && planned.nonce !== undefined && (job.hashAfter?.(planned.nonce) ?? false)
    if (hash || slots.length >= batchMessages || chars >= BATCH_CHARS) yield send(hash)
  }
  if (slots.length > 0) yield send(false)
}

/** Keeps `count` items of `source` under way. */
async function* ahead<T>(source: AsyncGenerator<T>, count: number): AsyncGenerator<T> {
  const waiting: T[] = []
  for await (const item of source) {
    waiting.push(item)
    if (waiting.length <= count) continue
    const first = waiting.shift()
    if (first !== undefined) yield first
  }
  yield* waiting
}

function evaluationOf(
  planned: PlannedEvaluation,
  result: SandboxResult | undefined,
  halted: string | undefined,
  stateHash: string | undefined
): Evaluation {
  const { key, nonce, messageId, work } = planned
  return {
    key,
    ...(nonce === undefined ? {} : { nonce }),
    ...(messageId === undefined ? {} : { messageId }),
    outcome: halted === undefined ? outcomeOf(work, result) : { kind: 'inconclusive', reason: halted },
    ...(result === undefined || result.hostInputs.length === 0 ? {} : { hostInputs: result.hostInputs }),
    ...(stateHash === undefined ? {} : { stateHash })
  }
}

function outcomeOf(work: PlannedEvaluation['work'], result: SandboxResult | undefined): Outcome {
  if (work.kind === 'skip') return { kind: 'skipped', reason: work.reason, of: work.of }
  if (work.kind !== 'run') return { kind: 'inconclusive', reason: work.reason }
  if (result === undefined) return { kind: 'inconclusive', reason: 'the sandbox did not answer' }
  if (result.hostTrouble !== undefined) return { kind: 'inconclusive', reason: result.hostTrouble }
  return { kind: 'result', result: JSON.parse(result.text) as EvaluationResult, text: result.text }
}

function whyStopped({ limit }: Stopped): string {
  if (limit === 'time') return 'it took longer than the limit, and was ended'
  if (limit === 'memory') return 'it took more memory than the limit, and was ended'
  return 'the sandbox died while it ran'
}
