/** What is gathered while evaluations come by: hashes, limits, readings of what the host decides. */
import type { Checkpoints } from './checkpoints.ts'
import type { Finding } from './findings.ts'
import type { Standing } from './judging.ts'
import { type Evaluation, type EvaluationKey, memoryAfter } from './records.ts'
import type { PlannedEvaluation } from './replay/plan/types.ts'
import { beginsInstance, type ExecutionProfile } from './replay/profile.ts'
import type { AuditRunOptions } from './run-options.ts'

/** From this ordinate on results hang on a WeaveDrive file that a unit may have seen otherwise. */
interface Assumed {
  readonly ordinate: number
  readonly reason: string
}

/** An evaluation that read the clock where that had moved. */
export interface Reading {
  readonly key: EvaluationKey
  /** The evaluation right before it. */
  readonly after: EvaluationKey
  /** Whether an instance began right before it. */
  readonly fresh: boolean
}

/** Evaluations that read a clock that had moved, up to the first difference from a claim or from a unit's own checkpoint. */
export interface Readings {
  readonly count: number
  /** The last ones, in order. */
  readonly last: readonly Reading[]
}

/** Readings that are remembered. */
const READINGS_MAX = 16

/** What the audited units themselves say that memories hash to, by place; what is taken on trust guides no search. */
export function ownMemories(found: Checkpoints['found'], isOwn: (signer: string) => boolean): ReadonlyMap<string, string> {
  const own = found.filter(({ signer, standing, onTrust }) => standing === 'signed' && onTrust !== true && isOwn(signer))
  return new Map(own.map(({ key, sha256 }) => [memoryAfter(key), sha256]))
}

/** Gathers from every evaluation, and from every judgement. */
export function createStates(
  { stateHashes: asked, run }: AuditRunOptions,
  { found }: Checkpoints,
  profile: ExecutionProfile,
  isOwn: (signer: string) => boolean
) {
  const atCheckpoint = new Set(found.map(({ key }) => memoryAfter(key)))
  const own = ownMemories(found, isOwn)
  const computed = new Map<string, string>()
  const stateHashes: Record<string, string> = {}
  const findings: Finding[] = []
  let assumed: Assumed | undefined
  let hostInputFrom = Number.POSITIVE_INFINITY
  let readings = 0
  let last: Reading[] = []
  let before: EvaluationKey | undefined
  let differs = false
  let failures = 0
  let notHashed: Finding | undefined
  return {
    computed,
    stateHashes,
    get findings(): readonly Finding[] {
      return notHashed === undefined ? findings : [...findings, notHashed]
    },
    hostInputFrom: () => hostInputFrom,
    assumed: () => assumed,
    wanted: ({ key, nonce }: PlannedEvaluation): boolean =>
      atCheckpoint.has(memoryAfter(key)) || (nonce !== undefined && asked?.(nonce, run.to) === true),
    readings: (): Readings => ({ count: readings, last }),
    judged(stands: readonly Standing[]): void {
      differs ||= stands.some(({ status }) => status === 'mismatch')
    },
    take({ key, nonce, outcome, stateHash, stateFailure, readMovedClock, assumed: reason }: Evaluation): void {
      if (reason !== undefined) assumed ??= { ordinate: key.ordinate, reason }
      if (outcome.kind === 'inconclusive') {
        const about = { key, ...(nonce === undefined ? {} : { nonce }), detail: outcome.reason }
        const attribution = outcome.fault ?? 'process'
        if (outcome.limit === true) findings.push({ code: 'EVALUATION_LIMIT', severity: 'warning', attribution, ...about })
        else if (outcome.fault !== undefined) {
          const code = outcome.fault === 'module' ? 'MODULE_UNUSABLE' : 'NOT_REPEATABLE'
          findings.push({ code, severity: 'warning', attribution, ...about })
        }
        if (outcome.inputMissing === true)
          findings.push({ code: 'INPUT_MISSING', severity: 'error', attribution: 'gateway', ...about })
      }
      if (stateFailure !== undefined) {
        const detail = `the memory after it was not hashed: ${stateFailure}`
        const about = { key, ...(nonce === undefined ? {} : { nonce }), detail }
        notHashed = {
          code: 'STATE_NOT_HASHED',
          severity: 'warning',
          attribution: 'auditor',
          ...about,
          ...notHashed,
          count: ++failures
        }
      }
      if (readMovedClock === true && !differs) {
        const other = outcome.kind === 'result' && outcome.profile !== undefined
        const fresh = beginsInstance(profile, nonce) !== other
        readings++
        if (before !== undefined) last = [...last, { key, after: before, fresh }].slice(-READINGS_MAX)
      }
      before = key
      if (readMovedClock === true || key.cron !== undefined) hostInputFrom = Math.min(hostInputFrom, key.ordinate)
      if (stateHash === undefined) return
      differs ||= (own.get(memoryAfter(key)) ?? stateHash) !== stateHash
      computed.set(memoryAfter(key), stateHash)
      if (nonce !== undefined && asked?.(nonce, run.to) === true) stateHashes[nonce] = stateHash
    }
  }
}
