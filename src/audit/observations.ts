/** Gathers facts from evaluations: hashes, limits, reads of values that the host decides. */

import type { Since } from '../attribution/rules.ts'
import type { Finding } from '../model/findings.ts'
import { type Evaluation, type EvaluationKey, memoryAfter, type UnstatedInput } from '../model/records.ts'
import type { PlannedEvaluation } from '../replay/plan/planned.ts'
import { beginsInstance, type ExecutionProfile } from '../replay/profile.ts'
import { defined } from '../util/defined.ts'
import type { Checkpoints } from './checkpoints/judge-checkpoints.ts'
import type { Standing } from './judge-pass.ts'
import type { AuditRunOptions } from './run-options.ts'

/** A duplicate that the plan skips. */
export interface SkippedTwin {
  readonly nonce: number
  /** The nonce of the message that it repeats. */
  readonly of: number
}

/** An evaluation that read a clock that had moved. */
export interface ClockReading {
  readonly key: EvaluationKey
  /** The evaluation right before it. */
  readonly after: EvaluationKey
  /** Whether an instance began right before it. */
  readonly fresh: boolean
}

/** Evaluations that read a clock that had moved, up to the first difference from a claim or from a unit's own checkpoint. */
export interface ClockReadings {
  readonly count: number
  /** The last ones, in order. */
  readonly last: readonly ClockReading[]
}

/** How many duplicates are remembered, for trials that evaluate them. */
const TWINS_MAX = 1000
/** How many readings are remembered. */
const READINGS_MAX = 16

/** The memory hashes that the audited units signed, by place. Checkpoints taken on trust do not guide a search. */
export function ownMemories(found: Checkpoints['found'], isOwn: (signer: string) => boolean): ReadonlyMap<string, string> {
  const own = found.filter(({ signer, standing, onTrust }) => standing === 'signed' && onTrust !== true && isOwn(signer))
  return new Map(own.map(({ key, sha256 }) => [memoryAfter(key), sha256]))
}

/** Gathers from every evaluation, and from every judgement. */
export function createObservations(
  { stateHashes: asksFor, run }: AuditRunOptions,
  { found }: Checkpoints,
  profile: ExecutionProfile,
  isOwn: (signer: string) => boolean
) {
  const atCheckpoint = new Set(found.map(({ key }) => memoryAfter(key)))
  const signed = new Set(
    found.filter(({ standing }) => standing === 'signed').map(({ key, sha256 }) => `${memoryAfter(key)} ${sha256}`)
  )
  const own = ownMemories(found, isOwn)
  const computed = new Map<string, string>()
  const stateHashes: Record<string, string> = {}
  const findings: Finding[] = []
  const twins: SkippedTwin[] = []
  let assumed: Since | undefined
  let unstated: Since | undefined
  let historyFrom: Since | undefined
  let readsTimeZone = false
  let readings = 0
  let last: ClockReading[] = []
  let first: EvaluationKey | undefined
  let before: EvaluationKey | undefined
  let midStream = false
  let differs = false
  let failures = 0
  let notHashed: Finding | undefined
  return {
    computed,
    stateHashes,
    get findings(): readonly Finding[] {
      return notHashed === undefined ? findings : [...findings, notHashed]
    },
    /** The place from which honest memories may differ without a search: a clock that had moved, a cron, a duplicate. */
    historyFrom: () => historyFrom,
    /** Whether the replay went past a cron without evaluating it. */
    isNowhere: (key: EvaluationKey): boolean =>
      key.cron !== undefined &&
      !computed.has(memoryAfter(key)) &&
      first !== undefined &&
      before !== undefined &&
      first.ordinate <= key.ordinate &&
      key.ordinate < before.ordinate,
    /** The first evaluation that depends on a WeaveDrive file that a unit may have seen differently. */
    assumed: () => assumed,
    /** The first evaluation that depends on an answer of the host that the profile does not state. */
    unstated: () => unstated,
    readsTimeZone: () => readsTimeZone,
    twins: (): readonly SkippedTwin[] => twins,
    wanted: ({ key, nonce }: PlannedEvaluation): boolean =>
      atCheckpoint.has(memoryAfter(key)) || (nonce !== undefined && asksFor?.(nonce, run.to) === true),
    /** Whether a checkpoint lies right after an evaluation, whoever signed it and whatever it holds. */
    hasCheckpoint: (key: EvaluationKey): boolean => atCheckpoint.has(memoryAfter(key)),
    /** Whether a signed checkpoint of the computed memory lies right after an evaluation, whoever signed it. */
    reachesCheckpoint: ({ key, stateHash }: Evaluation): boolean =>
      stateHash !== undefined && signed.has(`${memoryAfter(key)} ${stateHash}`),
    readings: (): ClockReadings => ({ count: readings, last }),
    judged(stands: readonly Standing[]): void {
      differs ||= stands.some(({ status }) => status === 'mismatch')
    },
    take({
      key,
      nonce,
      outcome,
      stateHash,
      stateFailure,
      dependsOnInstance,
      assumed: reason,
      unstated: asked = []
    }: Evaluation): void {
      const { ordinate } = key
      if (reason !== undefined) assumed ??= { ordinate, reason }
      const open = asked.find(({ kind }) => kind !== 'time-zone' || profile.timeZone === undefined)
      if (open !== undefined) unstated ??= { ordinate, reason: unstatedWords(open, ordinate) }
      readsTimeZone ||= asked.some(({ kind }) => kind === 'time-zone')
      if (outcome.kind === 'skipped' && nonce !== undefined && twins.length < TWINS_MAX) twins.push({ nonce, of: outcome.of })
      if (outcome.kind === 'inconclusive') {
        const about = { key, ...defined({ nonce }), detail: outcome.reason }
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
        const about = { key, ...defined({ nonce }), detail }
        notHashed = {
          code: 'STATE_NOT_HASHED',
          severity: 'warning',
          attribution: 'auditor',
          ...about,
          ...notHashed,
          count: ++failures
        }
      }
      if (dependsOnInstance === true && !differs) {
        const other = outcome.kind === 'result' && outcome.profile !== undefined
        const fresh = beginsInstance(profile, { nonce, midStream }) !== other
        readings++
        if (before !== undefined) last = [...last, { key, after: before, fresh }].slice(-READINGS_MAX)
      }
      before = key
      first ??= key
      midStream = nonce === undefined
      if (dependsOnInstance === true)
        historyFrom ??= { ordinate, reason: 'an earlier result depends on when an instance began' }
      if (key.cron !== undefined) historyFrom ??= { ordinate, reason: 'a cron was evaluated before it' }
      if (outcome.kind === 'skipped') historyFrom ??= { ordinate, reason: 'a duplicate before it may have been evaluated' }
      if (stateHash === undefined) return
      differs ||= (own.get(memoryAfter(key)) ?? stateHash) !== stateHash
      computed.set(memoryAfter(key), stateHash)
      if (nonce !== undefined && asksFor?.(nonce, run.to) === true) stateHashes[nonce] = stateHash
    }
  }
}

function unstatedWords({ kind, name }: UnstatedInput, ordinate: number): string {
  const what = {
    'time-zone': "its host's time zone",
    'real-time': "its host's real time",
    randomness: "its host's randomness",
    files: "its host's files",
    'unknown-import': 'its host for something unknown'
  }[kind]
  return `the module asked ${what} (${name}) at nonce ${ordinate}, and no profile states the answer`
}
