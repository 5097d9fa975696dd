/** `ao-audit demo`. */

import { auditDemo, DEMO_ALTERED } from '../src/audit/demo.ts'
import { AuditError } from '../src/model/errors.ts'
import { defined } from '../src/util/defined.ts'
import { MATCH } from './codes.ts'
import { writeReport } from './output.ts'
import type { Shell } from './shell.ts'

export interface DemoFlags {
  readonly module?: string
}

/** Audits the example twice. It is a fault unless this gives a match, and a mismatch at the altered nonce. */
export async function runDemo({ module }: DemoFlags, shell: Shell): Promise<void> {
  const options = { ...defined({ module }), signal: shell.signal }
  const honest = await auditDemo('honest', options)
  await shell.print('The example as a real Compute Unit answered it:\n\n')
  await writeReport(honest, {}, shell)
  const altered = await auditDemo('altered', options)
  await shell.print(`\nThe same, with one number of its answer for nonce ${DEMO_ALTERED.nonce} altered:\n\n`)
  await writeReport(altered, {}, shell)
  if (honest.verdict !== 'match' || altered.firstDivergence?.nonce !== DEMO_ALTERED.nonce) {
    throw new AuditError('SANDBOX_FAILED', 'the example did not give the expected verdicts')
  }
  shell.exitCode = MATCH
}
