/** Findings of the audit as a whole, besides the judgement of each claimant. */

import type { Judgement } from '../../compare/comparison.ts'
import type { BlockDifference } from '../../inputs/block-inputs.ts'
import type { UnreadCheckpoints } from '../../inputs/checkpoint-inputs.ts'
import type { Inputs } from '../../inputs/inputs.ts'
import type { GatewayAnomaly } from '../../inputs/item-inputs.ts'
import type { Run } from '../../inputs/run-record.ts'
import type { AuditError } from '../../model/errors.ts'
import type { Finding } from '../../model/findings.ts'
import type { Evaluation } from '../../model/records.ts'
import { defined } from '../../util/defined.ts'
import type { Trust } from '../../verify/trust.ts'

const NOBODY_HAS = 'no gateway has'
const NO_ROOM = 'only a limited number of each signer is read, and few of strangers'

/** Units that did not answer, or did not give the requested data. */
export function absenceFindings(absences: readonly AuditError[]): Finding[] {
  return absences.map(({ code, unit, message }) => ({
    code: code === 'UNIT_UNREACHABLE' || code === 'MODULE_UNSUPPORTED' ? code : 'INPUT_MISSING',
    severity: 'error',
    attribution: unit?.role ?? (code === 'MODULE_UNSUPPORTED' ? 'module' : 'auditor'),
    ...defined({ claimant: unit?.url }),
    detail: message
  }))
}

/** Gateways that did not answer while others did: a warning, which blames nobody. */
export function unheardFindings(unheard: readonly AuditError[]): Finding[] {
  return absenceFindings(unheard).map((finding) => ({ ...finding, severity: 'warning' }))
}

/**
 * If a gateway did not answer, nobody can say that data exists nowhere, and no gateway is blamed for missing data.
 *
 * @param unheard the gateways' URLs
 */
export function withoutBlame(findings: readonly Finding[], unheard: readonly string[]): Finding[] {
  if (unheard.length === 0) return [...findings]
  return findings.map((finding) => {
    const { code, attribution } = finding
    const detail = asHeard(finding.detail, unheard)
    if (attribution !== 'gateway' || (code !== 'INPUT_MISSING' && code !== 'NONCE_GAP')) return { ...finding, detail }
    return { ...finding, severity: 'warning', attribution: 'auditor', detail }
  })
}

/** Applies the same to the words of a judgement. */
export function judgedAsHeard<T extends Judgement>(judgement: T, unheard: readonly string[]): T {
  if (unheard.length === 0) return judgement
  return {
    ...judgement,
    reasons: judgement.reasons.map((reason) => asHeard(reason, unheard)),
    remarks: judgement.remarks.map((remark) => asHeard(remark, unheard)),
    evaluations: judgement.evaluations.map(({ reason, ...rest }) =>
      reason === undefined ? rest : { ...rest, reason: asHeard(reason, unheard) }
    ),
    findings: withoutBlame(judgement.findings, unheard)
  }
}

function asHeard(words: string, unheard: readonly string[]): string {
  const [before, ...behind] = words.split(NOBODY_HAS)
  if (behind.length === 0) return words
  return `${before}no gateway that was heard has${behind.join(NOBODY_HAS)} (not heard: ${unheard.join(', ')})`
}

/** Checkpoints that gateways list and that were left out: the gateway that lists most counts. */
export function unreadFindings(lists: readonly UnreadCheckpoints[]): Finding[] {
  const counts = new Map<string, number>()
  for (const { faults, cut } of lists) {
    for (const { reason, count } of faults) counts.set(reason, Math.max(count, counts.get(reason) ?? 0))
    if (cut > 0) counts.set(NO_ROOM, Math.max(cut, counts.get(NO_ROOM) ?? 0))
  }
  return [...counts].map(([reason, count]) => {
    const detail = `${count === 1 ? '1 checkpoint was' : `${count} checkpoints were`} not read: ${reason}`
    return { code: 'CHECKPOINT_NOT_READ', severity: 'info', attribution: 'auditor', count, detail }
  })
}

/** Listings that are faulty as a whole, or lost some of their claims. */
export async function listingFindings(inputs: Inputs, run: Run): Promise<Finding[]> {
  const found: Finding[] = []
  for (const { url } of run.computes) {
    const about = { severity: 'warning', attribution: 'compute-unit', claimant: url } as const
    for (const listing of ['results', 'cron'] as const) {
      const { fault, odd = [], dropped = 0 } = (await inputs.claims.listing(run, url, listing)) ?? {}
      const name = `its listing /${listing}`
      if (fault !== undefined) {
        const code = fault.kind === 'unread' ? 'ANSWER_NOT_READ' : 'LISTING_FAULTY'
        const ends = fault.kind === 'ambiguous' ? 'can be read in more than one way' : 'could not be read to its end'
        found.push({ code, ...about, detail: `${name} ${ends}: ${fault.detail}` })
      }
      if (dropped > 0)
        found.push({ code: 'LISTING_FAULTY', ...about, count: dropped, detail: `${name} has claims that were not kept` })
      for (const { kind, path, detail } of odd) {
        const place = path === '' ? '' : ` at ${path}`
        found.push({
          code: 'CLAIM_FAULTY',
          ...about,
          detail: `${name} has a form that no unit writes (${kind}${place}): ${detail}`
        })
      }
    }
  }
  return found
}

/** Evaluations that agree only if the CU is assumed to have had another host input (profiles §3.3). */
export function hostInputFindings(evaluations: readonly Evaluation[]): Finding[] {
  return evaluations.map(({ key, nonce, hostInputs = [], outcome }) => ({
    code: 'HOST_INPUT_READ',
    severity: 'info',
    attribution: 'process',
    key,
    ...defined({ nonce }),
    detail:
      `the process reads values that the host decides (${hostInputs.join(', ') || 'unknown'}); ` +
      `the claim agrees with ${outcome.kind === 'result' ? (outcome.profile ?? 'another profile') : 'another profile'}`
  }))
}

/** One finding for each role that the user trusts: how many inputs needed it. */
export function trustFindings(trust: Trust): Finding[] {
  return [...trust.counts()].map(([role, count]) => {
    const took = count === 1 ? '1 input was accepted as it served it' : `${count} inputs were accepted as it served them`
    const detail = `the ${role}: ${count === 0 ? 'no input needed it' : took}`
    return { code: 'TRUST_LOWERED', severity: count === 0 ? 'info' : 'warning', attribution: 'auditor', detail }
  })
}

/** Gateways that served something else under an id than the signed item. */
export function gatewayFindings(anomalies: readonly GatewayAnomaly[]): Finding[] {
  return anomalies.map(({ id, gateway, proves }) => ({
    code: 'GATEWAYS_DIFFER',
    severity: 'error',
    attribution: 'gateway',
    claimant: gateway,
    detail: `${gateway} serves ${id} differently from how it was signed; the version of ${proves} is proven, and was used`
  }))
}

/** Gateways that name another time for a block than an earlier gateway: one finding for two gateways. */
export function blockFindings(differences: readonly BlockDifference[]): Finding[] {
  const found = new Map<string, Finding>()
  for (const { kept, other } of differences) {
    const pair = JSON.stringify([kept.gateway, other.gateway])
    const known = found.get(pair)
    const detail =
      `block ${kept.height} has the time ${kept.timestamp} ms at ${kept.gateway ?? 'an earlier audit'} and ${other.timestamp} ms ` +
      `at ${other.gateway}: no unit is blamed from there on, because crons fire by blocks`
    const first = { code: 'GATEWAYS_DIFFER', severity: 'warning', attribution: 'gateway', detail } as const
    found.set(pair, { ...(known ?? first), count: (known?.count ?? 0) + 1 })
  }
  return [...found.values()]
}
