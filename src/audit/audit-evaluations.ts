/** An audit with every evaluation behind its report. */
import { AuditError } from '../model/errors.ts'
import type { Report } from '../report/model.ts'
import { openPassingStore } from '../store/default-store.ts'
import { audit } from './audit.ts'
import type { AuditOptions } from './audit-options.ts'
import { checkAuditOptions } from './checked-options.ts'
import { createFinalEvaluations, type FinalEvaluation } from './final-evaluations.ts'

/** A finished audit, whose evaluations can be read until it is closed. */
export interface AuditedEvaluations {
  readonly report: Report
  /**
   * Every evaluation of the range, in order. A unit that was replayed again, alone, has its evaluations after those of the joint
   * replay. They are read as they are asked for, from the first one at each `for await`, which may end early.
   *
   * @throws AuditError `STORE_UNUSABLE` if they cannot be read; `USAGE` after `close`
   */
  readonly evaluations: AsyncIterable<FinalEvaluation>
  /** Removes the evaluations. */
  close(): Promise<void>
}

/**
 * Audits as `audit` does, and gives the evaluations over which the report was made.
 *
 * Which replay is the last is known only at its end: until then a search may find that a unit ran under another profile. So the
 * evaluations are kept on disk, beside the store, and read after the report is made; the caller closes them. `onEvaluation` serves
 * whoever wants them during the audit and can take them back (`onPass`).
 *
 * @throws AuditError as `audit`: `USAGE`, `STORE_LOCKED`, `STORE_UNUSABLE`, `ARCHIVE_INVALID`, `ENVIRONMENT_UNFIT`, `SANDBOX_FAILED`,
 *   `INTERRUPTED`
 *
 * @example
 * ```ts
 * const audited = await auditEvaluations({ archive: 'ledger.tar.gz' })
 * try {
 *   console.log(audited.report.verdict)
 *   for await (const { evaluation, stands } of audited.evaluations) console.log(evaluation.nonce, stands[0]?.status)
 * } finally {
 *   await audited.close()
 * }
 * ```
 */
export async function auditEvaluations(options: AuditOptions): Promise<AuditedEvaluations> {
  checkAuditOptions(options)
  const store = await openPassingStore(options.store)
  try {
    const kept = createFinalEvaluations(store)
    const report = await audit({
      ...options,
      onPass(units) {
        kept.begin(units)
        options.onPass?.(units)
      },
      async onEvaluation(evaluation, stands) {
        await kept.add(evaluation, stands)
        await options.onEvaluation?.(evaluation, stands)
      }
    })
    await kept.end()
    let closed = false
    async function* evaluations(): AsyncGenerator<FinalEvaluation> {
      if (closed) throw closedError()
      // An audit that lost an input while it replayed has a report over no replay.
      if (report.range === null) return
      for await (const one of kept.read()) {
        yield one
        if (closed) throw closedError()
      }
    }
    return {
      report,
      evaluations: { [Symbol.asyncIterator]: evaluations },
      async close() {
        closed = true
        await store.close()
      }
    }
  } catch (error) {
    await store.close()
    throw error
  }
}

function closedError(): AuditError {
  return new AuditError('USAGE', 'the evaluations of this audit are closed')
}
