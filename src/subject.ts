/** What is audited: a process, its module, and its schedule as it was signed, out of the store. */
import { AuditError } from './errors.ts'
import { ARWEAVE } from './fetch/arweave-schedule.ts'
import type { Finding } from './findings.ts'
import type { Inputs, Run } from './inputs.ts'
import { type ProcessRecord, type TransactionRecord, tagValue } from './records.ts'
import { hasDrive } from './replay/drive/admission.ts'
import { moduleEnvironment, moduleOptions } from './replay/plan/module.ts'
import { planEvaluations } from './replay/plan/plan.ts'
import type { BlockKnowledge, PlannedEvaluation } from './replay/plan/types.ts'
import type { KnownBlockSets } from './replay/profile.ts'
import type { ModuleSetup } from './replay/sandbox/protocol.ts'
import { createRivals } from './rivals.ts'
import type { Store } from './store/store.ts'
import { checkSchedule } from './verification/checked-schedule.ts'
import { type Checks, createChecks } from './verification/checks.ts'
import type { RawItem } from './verification/raw-item.ts'
import { checkModule, checkProcess } from './verification/subject.ts'
import type { Doubt, Trust } from './verification/trust.ts'
import type { Verifier } from './verification/verifier.ts'

export interface Subject {
  /** As signed, where that is known. */
  readonly process: ProcessRecord
  readonly module: TransactionRecord
  readonly setup: ModuleSetup
  readonly findings: readonly Finding[]
  /** Why nothing is run at all. */
  readonly spoilt?: string
  /** Process and module, where they are not proven: nobody may be blamed over them. */
  readonly doubts: readonly Doubt[]
}

/**
 * Reads process and module, and holds both against their signatures.
 *
 * @param trust lets a module run whose signature is invalid, where the gateway is trusted
 * @throws AuditError `INPUT_MISSING` where one is not in the store
 */
export async function readSubject(store: Store, inputs: Inputs, run: Run, trust: Trust): Promise<Subject> {
  const shown = await inputs.process(run.process, run.scheduler)
  if (shown === undefined) throw new AuditError('INPUT_MISSING', `the process ${run.process} is not in the store`)
  const { process, ...checked } = checkProcess(shown, await rawItemOf(inputs, run.process))
  const module = await rawItemOf(inputs, process.moduleId)
  // Read once through the store, which checks the content hash; the sandbox then opens the file itself.
  if (module?.record.data === undefined)
    throw new AuditError('INPUT_MISSING', `the module ${process.moduleId} is not in the store`)
  const standing = checkModule(module)
  const moduleFindings = standing.kind === 'proven' ? [] : [standing.finding]
  const spoilt = standing.kind === 'spoilt' && !trust.takes(standing.doubt, 0)
  return {
    process,
    module: module.record,
    setup: {
      wasmPath: store.blobPath(module.record.data),
      format: tagValue(module.record.tags, 'Module-Format') ?? '',
      env: moduleEnvironment(process, module.record),
      options: moduleOptions(process, module.record),
      drive: hasDrive({ module: module.record })
    },
    findings: [...checked.findings, ...moduleFindings],
    ...(spoilt ? { spoilt: standing.finding.detail } : {}),
    doubts: [...(checked.doubt === undefined ? [] : [checked.doubt]), ...(standing.kind === 'proven' ? [] : [standing.doubt])]
  }
}

export function hasCrons({ process }: Pick<Subject, 'process'>): boolean {
  return process.tags.some(({ name }) => name === 'Cron-Interval')
}

export interface SubjectPlan {
  /** @param blocks which blocks the unit knew when crons fired */
  plan(blocks: KnownBlockSets): AsyncIterable<PlannedEvaluation>
  readonly checks: Checks
}

/** The plan over what is stored, checked as it is read; a nonce that nobody served ends it. */
export function planSubject(inputs: Inputs, run: Run, subject: Subject, verifier: Verifier, trust: Trust): SubjectPlan {
  const { process } = subject
  const checks = createChecks(subject.doubts, trust)
  async function* plan(blocks: KnownBlockSets): AsyncGenerator<PlannedEvaluation> {
    if (subject.spoilt !== undefined) return yield* unplanned(inputs, run, 0, subject.spoilt)
    let next = 0
    async function* counted() {
      const checked = checkSchedule({
        process,
        schedule: inputs.schedule(run, 0, run.to),
        verifier,
        rivals: createRivals(inputs, run),
        known: (from, to) => inputs.verdicts(run, from, to),
        rawItem: (id) => rawItemOf(inputs, id)
      })
      for await (const message of checks.unbroken(checked)) {
        next = message.nonce + 1
        yield message
      }
    }
    yield* planEvaluations({
      process,
      schedule: counted(),
      async transaction(id) {
        const record = await inputs.transaction(id)
        const data = record === undefined ? undefined : await inputs.data(record)
        if (record === undefined) return undefined
        return { record, ...(data === undefined ? {} : { dataText: new TextDecoder().decode(data) }) }
      },
      async processData() {
        const raw = await rawItemOf(inputs, process.id)
        return raw === undefined ? undefined : new TextDecoder().decode(raw.data)
      },
      blocks: (from, to) => inputs.blocks(process.id, from, to),
      knownBlocks: await knownBlocks(inputs, run, blocks)
    })
    const who = run.scheduler === ARWEAVE ? 'no gateway has' : 'the scheduler did not serve'
    yield* unplanned(inputs, run, next, `${who} nonce ${next}`)
  }
  return { plan, checks }
}

/** One stream ends at the last message asked for. */
async function knownBlocks(inputs: Inputs, run: Run, blocks: KnownBlockSets): Promise<BlockKnowledge> {
  if (typeof blocks === 'object') {
    if ('known' in blocks) return { known: new Set(blocks.known) }
    return 'unknown' in blocks ? { unknown: new Set(blocks.unknown) } : { asked: blocks }
  }
  if (blocks !== 'one-stream') return blocks
  for await (const { timestamp } of inputs.schedule(run, run.to, run.to)) return { asked: [timestamp] }
  return 'all'
}

/** Nothing can be evaluated from here on, but what is there is still named. */
async function* unplanned(inputs: Inputs, run: Run, from: number, reason: string): AsyncGenerator<PlannedEvaluation> {
  const work = { kind: 'missing', reason } as const
  let next = from
  for await (const { nonce, timestamp, messageId } of inputs.schedule(run, from, run.to)) {
    for (; next < nonce; next++) yield { key: { ordinate: next, timestamp: 0 }, nonce: next, saved: true, work }
    yield { key: { ordinate: nonce, timestamp }, nonce, messageId, saved: true, work }
    next = nonce + 1
  }
  for (; next <= run.to; next++) yield { key: { ordinate: next, timestamp: 0 }, nonce: next, saved: true, work }
}

async function rawItemOf(inputs: Inputs, id: TransactionRecord['id']): Promise<RawItem | undefined> {
  const record = await inputs.transaction(id)
  const data = record === undefined ? undefined : await inputs.data(record)
  return record === undefined || data === undefined ? undefined : { record, data }
}
