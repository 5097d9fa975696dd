/** An archive for those who look into it themselves: its process and module, its schedule, its claims, and what a plan needs. */
import type { Finding } from '../model/findings.ts'
import type { Claim, ModuleItem, ProcessItem, ScheduledMessage } from '../model/records.ts'
import type { BlockKnowledge, PlanInputs } from '../replay/plan/planned.ts'
import type { ModuleSetup } from '../replay/sandbox/protocol.ts'
import { openPassingStore } from '../store/default-store.ts'
import type { Store } from '../store/store.ts'
import { defined } from '../util/defined.ts'
import type { CheckedMessage } from '../verify/checked-schedule.ts'
import type { Checked } from '../verify/signed.ts'
import { createTrust } from '../verify/trust.ts'
import { createVerifier } from '../verify/verification-threads.ts'
import { readArchivedRun } from './archived-run.ts'
import { readSubject } from './subject.ts'

export interface OpenArchiveOptions {
  /** The folder below which it is unpacked meanwhile; the user's cache folder where not given. */
  readonly store?: string
}

/** What differs from one plan to another. */
export interface PlanChoices {
  readonly knownBlocks?: BlockKnowledge
  /** Nonces of duplicates that are planned to run all the same. */
  readonly evaluates?: ReadonlySet<number>
}

/** An archive, unpacked until it is closed. Everything in it was verified, or says that it is not. */
export interface OpenArchive {
  readonly process: Checked<ProcessItem>
  readonly module: Checked<ModuleItem>
  /** For `replay`. */
  readonly setup: ModuleSetup
  /** Nonces that are claimed about, both inclusive. The schedule begins with nonce 0. */
  readonly range: { readonly from: number; readonly to: number }
  /** Base URLs of the Compute Units whose claims it holds. */
  readonly units: readonly string[]
  /** What is wrong with how process and module were served. */
  readonly findings: readonly Finding[]
  /**
   * Every message with its findings, in the order of nonces; ends with the last that the archive holds. May be read again.
   *
   * @throws AuditError `STORE_UNUSABLE` if what was unpacked cannot be read; `SANDBOX_FAILED` if the thread that verifies fails
   */
  schedule(): AsyncGenerator<CheckedMessage>
  /** For `planEvaluations`. */
  planInputs(choices?: PlanChoices): PlanInputs
  /**
   * In the order of ordinates.
   *
   * @throws AuditError `STORE_UNUSABLE` if what was unpacked cannot be read
   */
  claims(unit: string): AsyncIterable<Claim>
  /** Removes what was unpacked. Nothing of it can be used any more. */
  close(): Promise<void>
}

/**
 * Opens an archive that `ao-audit pull` wrote. Nothing is read off it that was not verified as if it came from the network.
 *
 * @param file a `.tar.gz`
 * @throws AuditError `ARCHIVE_INVALID`; `INPUT_MISSING` where process or module are not in it; `STORE_UNUSABLE`; `SANDBOX_FAILED` if
 *   the thread that verifies its items fails
 *
 * @example
 * ```ts
 * const archive = await openArchive('ledger.tar.gz')
 * try {
 *   const plan = () => planEvaluations(archive.planInputs())
 *   for await (const { nonce, outcome } of replay({ setup: archive.setup, profile: LEGACYNET, plan })) console.log(nonce, outcome.kind)
 * } finally {
 *   await archive.close()
 * }
 * ```
 */
export async function openArchive(file: string, { store: named }: OpenArchiveOptions = {}): Promise<OpenArchive> {
  const store = await openPassingStore(named)
  try {
    const { opened, end } = await readOpen(file, store)
    const close = async () => {
      await end()
      await store.close()
    }
    return { ...opened, close }
  } catch (error) {
    await store.close()
    throw error
  }
}

async function readOpen(file: string, store: Store) {
  const { inputs, run } = await readArchivedRun(file, store)
  const verifier = createVerifier()
  try {
    const { process, module, setup, verified, findings } = await readSubject(store, inputs, run, verifier, createTrust())
    async function* messages(): AsyncGenerator<Checked<ScheduledMessage>> {
      let next = 0
      for await (const { scheduled } of verified.schedule()) {
        // A plan has no gaps.
        if (scheduled.nonce !== next++) return
        yield scheduled
      }
    }
    const opened: Omit<OpenArchive, 'close'> = {
      process,
      module,
      setup,
      range: { from: run.from, to: run.to },
      units: run.computes.map(({ url }) => url),
      findings,
      schedule: () => verified.schedule(),
      planInputs: ({ knownBlocks, evaluates } = {}) => ({
        process,
        schedule: messages(),
        taken: (first) => verified.taken(first),
        chainItem: (id) => verified.chainItem(id),
        processData: async () => verified.data,
        blocks: (from, to) => inputs.blocks.between(process.id, from, to),
        ...defined({ knownBlocks, evaluates })
      }),
      claims: (unit) => inputs.claims.of(run, unit)
    }
    return { opened, end: () => verifier.close() }
  } catch (error) {
    await verifier.close()
    throw error
  }
}
