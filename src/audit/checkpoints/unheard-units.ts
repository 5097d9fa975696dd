/** Judges checkpoints with care while a unit is away. */
import type { JudgedCheckpoint } from './judge-checkpoints.ts'

/** A unit of the audit. */
export interface AskedUnit {
  readonly url: string
  /** The address that the unit names, if it answered that question. */
  readonly address?: string
  /** Whether the unit answered, and at least one of its claims was compared. */
  readonly heard: boolean
}

/**
 * Clears every signer who may be a unit that was not heard: only that unit's claims could have shown an honest reason for the memory.
 * The judgement of a signer who is a heard unit stays.
 */
export function withoutSuspicion(checkpoints: readonly JudgedCheckpoint[], units: readonly AskedUnit[]): JudgedCheckpoint[] {
  const unheard = units.filter(({ heard }) => !heard)
  if (units.length > 0 && unheard.length === 0) return [...checkpoints]
  const cleared = new Set(units.flatMap(({ heard, address }) => (heard ? (address ?? []) : [])))
  const who =
    unheard.length === 0
      ? 'no Compute Unit was asked'
      : `no claim of ${unheard.map(({ url }) => url).join(', ')} could be compared`
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
