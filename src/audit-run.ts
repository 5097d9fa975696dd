/** One audit over what is in the store: plan, replay, compare, report. It asks nobody. */
import { reportOf } from './audit-report.ts'
import { readCheckpoints } from './checkpoints.ts'
import type { AuditError } from './errors.ts'
import type { Inputs, Run } from './inputs.ts'
import type { JudgingOptions } from './judging.ts'
import { chooseProfile, type Material, passUntilFair } from './passes.ts'
import type { ExecutionProfile } from './replay/profile.ts'
import type { SandboxLimits } from './replay/sandbox/protocol.ts'
import type { Report } from './report/model.ts'
import type { StateHashes } from './state-hashes.ts'
import type { Store } from './store/store.ts'
import { planSubject, readSubject } from './subject.ts'
import { createVerifier } from './verification/verifier.ts'

export interface AuditRunOptions {
  readonly store: Store
  readonly inputs: Inputs
  readonly run: Run
  /** Units that stayed away while the inputs were read. */
  readonly absences: readonly AuditError[]
  readonly profile: ExecutionProfile | 'auto'
  /** Whether other instances are tried where a result differs. */
  readonly search: boolean
  /** Addresses whose checkpoints speak for the audited units, besides those that the units name. */
  readonly checkpointOwners: readonly string[]
  readonly stateHashes?: StateHashes
  readonly limits?: Partial<SandboxLimits>
  /** How long the inputs took to read, ms. */
  readonly fetchMs: number
  /** A steady clock, ms. */
  readonly clock: () => number
  readonly onEvaluation?: JudgingOptions['onEvaluation']
  /** Told when a replay begins; what was told of an earlier one no longer holds. */
  readonly onPass?: () => void
  readonly signal?: AbortSignal
}

/**
 * Audits one run.
 *
 * @throws AuditError `INPUT_MISSING` where process or module are not in the store, `MODULE_UNSUPPORTED`, `SANDBOX_FAILED`,
 *   `INTERRUPTED`
 */
export async function auditRun(options: AuditRunOptions): Promise<Report> {
  const { inputs, run, store, clock } = options
  const verifier = createVerifier()
  try {
    const begun = clock()
    const subject = await readSubject(store, inputs, run)
    const checkpoints = await readCheckpoints(store, inputs, run, verifier)
    const { plan, checks } = planSubject(inputs, run, subject, verifier)
    const chosen = await chooseProfile(options, subject, plan, checkpoints)
    const verifyMs = clock() - begun
    const all: Material = { options, subject, plan, checks, checkpoints }
    const found = await passUntilFair(all, chosen)
    const replayMs = clock() - begun - verifyMs
    return await reportOf(options, { subject, checks, ...found, verifyMs, replayMs })
  } finally {
    await verifier.close()
  }
}

