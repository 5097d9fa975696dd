/** `ao-audit demo`. */

import { auditDemo, DEMO_ALTERED } from '../src/demo.ts'
import { AuditError } from '../src/errors.ts'
import { writeReport } from './output.ts'

export interface DemoFlags {
  readonly module?: string
}

/** Audits the example twice; anything but match and mismatch, each where it must be, is a fault. */
export async function runDemo({ module }: DemoFlags, signal: AbortSignal): Promise<void> {
  const options = { ...(module === undefined ? {} : { module }), signal }
  const honest = await auditDemo('honest', options)
  process.stdout.write('The example as a real Compute Unit answered it:\n\n')
  await writeReport(honest, {})
  const altered = await auditDemo('altered', options)
  process.stdout.write(`\nThe same, with one number of its answer for nonce ${DEMO_ALTERED.nonce} altered:\n\n`)
  await writeReport(altered, {})
  if (honest.verdict !== 'match' || altered.firstDivergence?.nonce !== DEMO_ALTERED.nonce) {
    throw new AuditError('SANDBOX_FAILED', 'the example did not come out as it must')
  }
}
