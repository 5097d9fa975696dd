/** The subject of an audit: a process, its module, and its schedule as it was signed, from the store. */

import { ARWEAVE } from '../fetch/arweave-schedule/schedule.ts'
import type { Inputs } from '../inputs/inputs.ts'
import type { Run } from '../inputs/run-record.ts'
import type { Finding } from '../model/findings.ts'
import { type EvaluationKey, type ModuleItem, type ProcessItem, tagValue } from '../model/records.ts'
import { hasDrive } from '../replay/drive/admission.ts'
import { mayFire } from '../replay/plan/cron-firings.ts'
import { type Cron, parseCrons } from '../replay/plan/cron-tags.ts'
import { moduleEnvironment, moduleOptions } from '../replay/plan/module.ts'
import { planEvaluations } from '../replay/plan/plan.ts'
import type { BlockKnowledge, PlannedEvaluation } from '../replay/plan/planned.ts'
import type { KnownBlockSets } from '../replay/profile.ts'
import type { ModuleSetup } from '../replay/sandbox/protocol.ts'
import type { Store } from '../store/store.ts'
import { defined } from '../util/defined.ts'
import { createTurns } from '../util/turns.ts'
import { type Checked, unprovenInputsOf } from '../verify/signed.ts'
import type { Trust, UnprovenInput } from '../verify/trust.ts'
import type { Verifier } from '../verify/verification-threads.ts'
import { type Checks, createChecks } from './schedule-evidence.ts'
import { type VerifiedInputs, verifyInputs } from './verified-inputs.ts'

export interface Subject {
  readonly process: Checked<ProcessItem>
  readonly module: Checked<ModuleItem>
  readonly setup: ModuleSetup
  readonly verified: VerifiedInputs
  readonly findings: readonly Finding[]
  /** Why nothing can be run at all. */
  readonly tampered?: string
  /** Process and module, if they are not proven: then nobody may be blamed. */
  readonly unproven: readonly UnprovenInput[]
}

/**
 * Reads process and module, and checks the signatures of both.
 *
 * @param trust lets a module with an invalid signature run if the gateway is trusted
 * @throws AuditError `INPUT_MISSING` if one is not in the store
 */
export async function readSubject(
  store: Store,
  inputs: Inputs,
  run: Run,
  verifier: Pick<Verifier, 'verify'>,
  trust: Trust
): Promise<Subject> {
  const verified = await verifyInputs(inputs, run, verifier)
  const { process, module: checked } = verified
  const { module, tampered } = checked
  return {
    process,
    module,
    setup: {
      // Read once through the store, which checks the content hash; the sandbox then opens the file itself.
      wasmPath: store.blobPath(module.data),
      format: tagValue(module.tags, 'Module-Format') ?? '',
      env: moduleEnvironment(process, module),
      options: moduleOptions(process, module),
      drive: hasDrive({ module })
    },
    verified,
    findings: [...verified.findings, ...checked.findings],
    ...(tampered === undefined || trust.takes(tampered, 0) ? {} : { tampered: tampered.reason }),
    unproven: unprovenInputsOf(process, module)
  }
}

export function hasCrons({ process }: Pick<Subject, 'process'>): boolean {
  return process.tags.some(({ name }) => name === 'Cron-Interval')
}

/** The names of its crons, as in keys; none if the CU evaluates nothing of the process. */
export function cronNames({ process }: Pick<Subject, 'process'>): ReadonlySet<string> {
  return new Set(cronsOf(process).map(({ name }) => name))
}

function cronsOf({ tags }: Subject['process']): readonly Cron[] {
  const crons = parseCrons(tags)
  return 'fault' in crons ? [] : crons
}

export interface SubjectPlan {
  /**
   * @param blocks the blocks that the unit knew when crons fired
   * @param evaluates nonces of duplicates that it is assumed to have evaluated
   */
  plan(blocks: KnownBlockSets, evaluates?: ReadonlySet<number>): AsyncIterable<PlannedEvaluation>
  readonly checks: Checks
  /** Whether the process has this cron, and it may fire at this time: then an honest unit may list it, planned or not. */
  mayFire(key: EvaluationKey): boolean
}

export interface PlanOptions {
  readonly inputs: Inputs
  readonly run: Run
  readonly subject: Subject
  readonly trust: Trust
  readonly signal?: AbortSignal
}

/** The plan over the stored schedule, which is checked as it is read; a nonce that nobody served ends it. */
export function planSubject({ inputs, run, subject, trust, signal }: PlanOptions): SubjectPlan {
  const { process, verified } = subject
  const checks = createChecks(subject.unproven, trust)
  const crons = cronsOf(process)
  let originMs = Number.NEGATIVE_INFINITY
  async function* whole(blocks: KnownBlockSets, evaluates?: ReadonlySet<number>): AsyncGenerator<PlannedEvaluation> {
    if (subject.tampered !== undefined) return yield* unplanned(inputs, run, 0, subject.tampered)
    let next = 0
    async function* counted() {
      for await (const message of checks.unbroken(verified.schedule())) {
        next = message.nonce + 1
        yield message
      }
    }
    yield* planEvaluations({
      process,
      schedule: counted(),
      async taken(first) {
        const times = await verified.taken(first)
        checks.restsOn(times, timesFinding)
        originMs = times.timestamp
        return times
      },
      chainItem: verified.chainItem,
      processData: async () => verified.data,
      blocks: (from, to) => inputs.blocks.between(process.id, from, to),
      knownBlocks: await knownBlocks(inputs, run, blocks),
      ...defined({ evaluates })
    })
    const who = run.scheduler === ARWEAVE ? 'no gateway has' : 'the scheduler did not serve'
    yield* unplanned(inputs, run, next, `${who} nonce ${next}`)
  }
  async function* plan(blocks: KnownBlockSets, evaluates?: ReadonlySet<number>): AsyncGenerator<PlannedEvaluation> {
    const turn = createTurns(signal)
    for await (const planned of whole(blocks, evaluates)) {
      await turn()
      yield planned
    }
  }
  return {
    plan,
    checks,
    mayFire: ({ cron, timestamp }) => cron !== undefined && mayFire(crons, cron, originMs, timestamp)
  }
}

function timesFinding({ reason }: UnprovenInput): Finding {
  return { code: 'SIGNATURE_NOT_CHECKED', severity: 'warning', attribution: 'scheduler', detail: reason }
}

/** A single stream ends at the last requested message. */
async function knownBlocks(inputs: Inputs, run: Run, blocks: KnownBlockSets): Promise<BlockKnowledge> {
  if (typeof blocks === 'object') {
    if ('known' in blocks) return { ...blocks, known: new Set(blocks.known) }
    return 'unknown' in blocks ? { ...blocks, unknown: new Set(blocks.unknown) } : { asked: blocks }
  }
  if (blocks !== 'one-stream') return blocks
  for await (const { timestamp } of inputs.schedule.messages(run, run.to, run.to)) return { asked: [timestamp] }
  return 'all'
}

/**
 * Nothing can be evaluated from here on, but existing messages are still named. Consecutive missing nonces become one entry, because
 * their number is unproven.
 */
async function* unplanned(inputs: Inputs, run: Run, from: number, reason: string): AsyncGenerator<PlannedEvaluation> {
  const work = { kind: 'missing', reason } as const
  function* missing(first: number, last: number): Generator<PlannedEvaluation> {
    // Nonces before the range are counted apart from the judged ones.
    const ends = first < run.from && run.from <= last ? [run.from - 1, last] : [last]
    let nonce = first
    for (const through of ends) {
      const more = through > nonce ? { through } : {}
      yield { key: { ordinate: nonce, timestamp: 0 }, nonce, ...more, saved: true, work }
      nonce = through + 1
    }
  }
  let next = from
  for await (const { nonce, timestamp, messageId } of inputs.schedule.messages(run, from, run.to)) {
    if (next < nonce) yield* missing(next, nonce - 1)
    yield { key: { ordinate: nonce, timestamp }, nonce, messageId, saved: true, work }
    next = nonce + 1
  }
  if (next <= run.to) yield* missing(next, run.to)
}
