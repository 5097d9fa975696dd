/** What the audit as a whole found out, besides what is judged of each claimant. */

import type { AuditError } from './errors.ts'
import type { Finding } from './findings.ts'
import type { BlockDifference, GatewayAnomaly } from './inputs.ts'
import type { Evaluation } from './records.ts'
import type { Trust } from './verification/trust.ts'

/** Units that did not answer, or not with what was asked for. */
export function absenceFindings(absences: readonly AuditError[]): Finding[] {
  return absences.map(({ code, unit, message }) => ({
    code: code === 'UNIT_UNREACHABLE' || code === 'MODULE_UNSUPPORTED' ? code : 'INPUT_MISSING',
    severity: 'error',
    attribution: unit?.role ?? (code === 'MODULE_UNSUPPORTED' ? 'module' : 'auditor'),
    ...(unit === undefined ? {} : { claimant: unit.url }),
    detail: message
  }))
}

/** Evaluations that agree only where the CU is thought to have had another host input (execution-profile.md). */
export function hostInputFindings(evaluations: readonly Evaluation[]): Finding[] {
  return evaluations.map(({ key, nonce, hostInputs = [], outcome }) => ({
    code: 'HOST_INPUT_READ',
    severity: 'info',
    attribution: 'process',
    key,
    ...(nonce === undefined ? {} : { nonce }),
    detail:
      `the process reads what the host decides (${hostInputs.join(', ') || 'unknown'}); ` +
      `the claim agrees with ${outcome.kind === 'result' ? (outcome.profile ?? 'another profile') : 'another profile'}`
  }))
}

/** One for each role whose word the user takes: how many inputs needed it. */
export function trustFindings(trust: Trust): Finding[] {
  return [...trust.counts()].map(([role, count]) => {
    const took = count === 1 ? '1 input was taken as it served it' : `${count} inputs were taken as it served them`
    const detail = `the ${role}: ${count === 0 ? 'no input needed it' : took}`
    return { code: 'TRUST_LOWERED', severity: count === 0 ? 'info' : 'warning', attribution: 'auditor', detail }
  })
}

/** Gateways that had something else under an id than what was signed. */
export function gatewayFindings(anomalies: readonly GatewayAnomaly[]): Finding[] {
  return anomalies.map(({ id, gateway, proves }) => ({
    code: 'GATEWAYS_DIFFER',
    severity: 'error',
    attribution: 'gateway',
    claimant: gateway,
    detail: `${gateway} has ${id} otherwise than it was signed; what ${proves} has proves itself, and was taken`
  }))
}

/** Gateways that say another time of a block than the one that was asked before: one finding for two gateways. */
export function blockFindings(differences: readonly BlockDifference[]): Finding[] {
  const found = new Map<string, Finding>()
  for (const { kept, other } of differences) {
    const pair = JSON.stringify([kept.gateway, other.gateway])
    const known = found.get(pair)
    const detail =
      `block ${kept.height} is of ${kept.timestamp} ms for ${kept.gateway ?? 'an earlier audit'} and of ${other.timestamp} ms ` +
      `for ${other.gateway}: no unit is blamed from there on, for crons fire by blocks`
    const first = { code: 'GATEWAYS_DIFFER', severity: 'warning', attribution: 'gateway', detail } as const
    found.set(pair, { ...(known ?? first), count: (known?.count ?? 0) + 1 })
  }
  return [...found.values()]
}
