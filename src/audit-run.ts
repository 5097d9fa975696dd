/** One audit over what is in the store: plan, replay, compare, report. It asks nobody. */
import { reportOf } from './audit-report.ts'
import { readCheckpoints } from './checkpoints.ts'
import { chooseProfile, type Material, passUntilFair } from './passes.ts'
import type { Report } from './report/model.ts'
import type { AuditRunOptions } from './run-options.ts'
import { planSubject, readSubject } from './subject.ts'
import { createVerifier } from './verification/verifier.ts'

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
