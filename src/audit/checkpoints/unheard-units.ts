/** Checkpoints where a unit was not heard. */
import type { JudgedCheckpoint } from './judge-checkpoints.ts'

/** A unit of the audit. */
export interface AskedUnit {
  readonly url: string
  /** As it names itself, where it was heard that far. */
  readonly address?: string
  /** Whether something that it claims was compared, and it did not stay away. */
  readonly heard: boolean
}

/**
 * Accuses no signer who may be a unit that was not heard: an honest reason for a memory is looked for by its unit's claims. Whoever
 * signs as a unit that was heard stays as it was judged.
 */
export function withoutSuspicion(checkpoints: readonly JudgedCheckpoint[], units: readonly AskedUnit[]): JudgedCheckpoint[] {
  const unheard = units.filter(({ heard }) => !heard)
  if (units.length > 0 && unheard.length === 0) return [...checkpoints]
  const cleared = new Set(units.flatMap(({ heard, address }) => (heard ? (address ?? []) : [])))
  const who =
    unheard.length === 0 ? 'no Compute Unit was asked' : `nothing of ${unheard.map(({ url }) => url).join(', ')} was compared`
  return checkpoints.map((one) => {
    const { report, findings } = one
    if (report.status !== 'mismatch' || cleared.has(report.signer)) return one
    return {
      report: { ...report, status: 'unverified' },
      findings: findings.map((finding) => {
        if (finding.code !== 'CHECKPOINT_STATE_MISMATCH') return finding
        return { ...finding, severity: 'warning', detail: `${finding.detail}; that may have an honest reason: ${who}` }
      })
    }
  })
}
