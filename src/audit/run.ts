/** One audit over the store: plan, replay, compare, report. It asks nobody except a gateway for WeaveDrive files. */

import { ARWEAVE } from '../fetch/arweave-schedule/schedule.ts'
import type { Inputs } from '../inputs/inputs.ts'
import type { Run } from '../inputs/run-record.ts'
import { createDriveFiles } from '../pull/drive-files.ts'
import type { Report } from '../report/model.ts'
import { defined } from '../util/defined.ts'
import { createTrust, TRUST_ROLES } from '../verify/trust.ts'
import { createVerifier } from '../verify/verification-threads.ts'
import { memoryDifferences } from './checkpoints/checkpoint-differences.ts'
import { readCheckpoints } from './checkpoints/judge-checkpoints.ts'
import { findStart, rangeBehind } from './checkpoints/trusted-start.ts'
import { reportOf } from './outcome/audit-report.ts'
import type { AuditRunOptions } from './run-options.ts'
import { withShortfall } from './schedule-evidence.ts'
import { judgeUnits } from './search/judge-units.ts'
import { chooseProfile, speaksForUnits } from './search/profile-choice.ts'
import { planSubject, readSubject } from './subject.ts'

/** Why nobody may be blamed in a run: no gateway answered for data that may explain an honest unit. */
async function shortfallOf(inputs: Inputs, run: Run): Promise<string | undefined> {
  const [first] = await inputs.runs.shortfalls(run)
  return first === undefined ? undefined : `the ${first[0]} could not be asked for: ${first[1]}`
}

/**
 * Audits one run.
 *
 * @throws AuditError `INPUT_MISSING` if the process or the module is not in the store, `MODULE_UNSUPPORTED`, `SANDBOX_FAILED`,
 *   `INTERRUPTED`
 */
export async function auditRun(given: AuditRunOptions): Promise<Report> {
  const { inputs, store, clock } = given
  const verifier = createVerifier()
  const trust = createTrust(given.trustedRoles, given.run.scheduler === ARWEAVE ? ['gateway'] : TRUST_ROLES)
  try {
    const begun = clock()
    const subject = await readSubject(store, inputs, given.run, verifier, trust)
    const checkpoints = await readCheckpoints(store, inputs, given.run, verifier, trust, speaksForUnits(given))
    const start = given.start === undefined ? undefined : await findStart(given.start, checkpoints)
    const options = start === undefined ? given : { ...given, run: rangeBehind(start, given.run) }
    const signal = defined({ signal: given.signal })
    const planned = planSubject({ inputs, run: options.run, subject, trust, ...signal })
    const { plan, mayFire } = planned
    const checks = withShortfall(planned.checks, await shortfallOf(inputs, given.run))
    const gateway = defined({ gateway: given.gateway })
    const drive = createDriveFiles({ store, inputs, process: subject.process, module: subject.module, ...gateway })
    const context = { options, subject, plan, mayFire, checks, checkpoints, drive, ...defined({ start }) }
    const verifyMs = clock() - begun
    const judged = await judgeUnits(context, chooseProfile(context))
    const memories = await memoryDifferences(context, judged, verifier)
    const replayMs = clock() - begun - verifyMs
    return await reportOf(options, { ...context, judged, memories, trust, verifyMs, replayMs })
  } finally {
    await verifier.close()
  }
}
