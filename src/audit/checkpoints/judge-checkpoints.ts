/** Reads and verifies the checkpoints of a run, and compares them with the memory that replay reached. */

import type { Accusal } from '../../attribution/rules.ts'
import type { Inputs } from '../../inputs/inputs.ts'
import type { Run } from '../../inputs/run-record.ts'
import type { KnownMemory } from '../../memory/fingerprint.ts'
import type { Finding } from '../../model/findings.ts'
import { type EvaluationKey, memoryAfter } from '../../model/records.ts'
import { type ExecutionProfile, profileOfEnvironment, sameStrings } from '../../replay/profile.ts'
import type { ClaimantParts } from '../../report/build.ts'
import type { CheckpointReport } from '../../report/model.ts'
import type { Store } from '../../store/store.ts'
import {
  type CheckedCheckpoint,
  type FoundCheckpoint,
  findCheckpoint,
  MEMORY_MAX_BYTES,
  unpackCheckpoint
} from '../../verify/checkpoint.ts'
import type { Trust, UnprovenInput } from '../../verify/trust.ts'
import type { Verifier } from '../../verify/verification-threads.ts'
import { isPlausible } from '../search/environments.ts'

/** The checkpoints of a run: their signatures are checked at once, their data is unpacked on request. */
export interface Checkpoints {
  /** Ordered by nonce. */
  readonly found: readonly FoundCheckpoint[]
  /** Unpacks it on a thread of its own, and only once. */
  checked(one: FoundCheckpoint): Promise<CheckedCheckpoint>
  all(): Promise<readonly CheckedCheckpoint[]>
  /** The memories of the checkpoints after an evaluation that are unpacked by now. */
  unpacked(after: EvaluationKey): readonly KnownMemory[]
}

/**
 * All checkpoints that the store has in the run's range, by nonce; one without proof counts as signed if it is trusted.
 *
 * @param isOwn whether a signer's checkpoints count as those of an audited unit: each of these signers has a budget of its own,
 *   strangers share one
 */
export async function readCheckpoints(
  store: Store,
  inputs: Inputs,
  run: Run,
  verifier: Verifier,
  trust: Trust,
  isOwn: (signer: string) => boolean = () => false
): Promise<Checkpoints> {
  const budgets = createBudgets(isOwn)
  const found: FoundCheckpoint[] = []
  const paths = new Map<string, string>()
  /** Packed sizes, in bytes. */
  const sizes = new Map<string, number>()
  const memories = new Map<string, readonly KnownMemory[]>()
  const checked = new Map<FoundCheckpoint, Promise<CheckedCheckpoint>>()
  for (const id of await inputs.checkpoints.ids(run.process)) {
    const record = await inputs.items.transaction(id)
    if (record === undefined) continue
    const one = findCheckpoint(run.process, { record, data: await inputs.items.data(record) })
    if (one === undefined || one.nonce > run.to) continue
    found.push(
      one.standing === 'unverified' && trust.takes(unprovenInputOf(one)) ? { ...one, standing: 'signed', onTrust: true } : one
    )
    if (record.data === undefined) continue
    paths.set(id, store.blobPath(record.data))
    sizes.set(id, record.data.bytes)
  }
  found.sort((left, right) => left.nonce - right.nonce)
  async function unpack(one: FoundCheckpoint): Promise<CheckedCheckpoint> {
    const unpacked = await budgets.within(one, sizes.get(one.id) ?? 0, (left) =>
      unpackCheckpoint(one, paths.get(one.id) ?? '', verifier, left)
    )
    const { key, fingerprint, dataSha256 } = unpacked
    const place = memoryAfter(key)
    if (fingerprint !== undefined && dataSha256 !== undefined)
      memories.set(place, [...(memories.get(place) ?? []), { fingerprint, sha256: dataSha256 }])
    return unpacked
  }
  function check(one: FoundCheckpoint): Promise<CheckedCheckpoint> {
    const known = checked.get(one) ?? unpack(one)
    checked.set(one, known)
    // It may be awaited later or never: a failure must not count as unhandled until then.
    known.catch(() => {})
    return known
  }
  return {
    found,
    checked: check,
    all: () => Promise.all(found.map(check)),
    unpacked: (after) => memories.get(memoryAfter(after)) ?? []
  }
}

/** The total size that checkpoints may unpack to, at about 100 MB a second, so that no bomb takes minutes. */
const OWN_UNPACKED_BYTES = 16 * 1024 ** 3
const STRANGERS_UNPACKED_BYTES = 4 * 1024 ** 3
/** The most bytes that one byte of deflate unpacks to. */
const DEFLATE_MOST = 1032

type Unpack = (left: number) => Promise<CheckedCheckpoint>

/** Checkpoints that share a budget are unpacked one after another, because each shows how much is left for the next. */
function createBudgets(isOwn: (signer: string) => boolean) {
  const budgets = new Map<string, { left: number; turn: Promise<unknown> }>()
  return {
    within({ signer }: FoundCheckpoint, packed: number, unpack: Unpack): Promise<CheckedCheckpoint> {
      const own = isOwn(signer)
      const name = own ? signer : ''
      const budget = budgets.get(name) ?? { left: own ? OWN_UNPACKED_BYTES : STRANGERS_UNPACKED_BYTES, turn: Promise.resolve() }
      budgets.set(name, budget)
      const unpacked = budget.turn.then(async () => {
        const done = await unpack(Math.max(0, budget.left))
        const atMost = Math.min(budget.left, MEMORY_MAX_BYTES, packed * DEFLATE_MOST)
        budget.left -= done.unpackedBytes ?? (done.findings.length === 0 ? 0 : atMost)
        return done
      })
      budget.turn = unpacked.catch(() => {})
      return unpacked
    }
  }
}

function unprovenInputOf({ id, findings }: FoundCheckpoint): UnprovenInput {
  return { what: `the checkpoint ${id}`, reason: findings[0]?.detail ?? 'it has no proof', servedBy: ['gateway'] }
}

/** One checkpoint compared with a replay. */
export interface JudgedCheckpoint {
  readonly report: CheckpointReport
  readonly findings: readonly Finding[]
}

export interface ComparedCheckpoints {
  readonly judged: readonly JudgedCheckpoint[]
}

export interface CheckpointComparison {
  readonly checkpoints: readonly CheckedCheckpoint[]
  /** Lowercase hex of the memory after an evaluation, by `memoryAfter`. */
  readonly computed: ReadonlyMap<string, string>
  /** Whether the replay went past the place of this evaluation without making it. */
  readonly isNowhere: (key: EvaluationKey) => boolean
  readonly profile: ExecutionProfile
  /** Whether a signer may be accused of its checkpoint at a nonce. */
  readonly accuse: (nonce: number, signer: string) => Accusal
  /** The inputs of the memory after a nonce that were taken on trust, in words. */
  readonly trusted: (nonce: number) => string | undefined
}

/** Judges every checkpoint. Its signer is a claimant of its own, and a memory alone blames no Compute Unit. */
export function compareCheckpoints(comparison: CheckpointComparison): ComparedCheckpoints {
  return { judged: comparison.checkpoints.map((checkpoint) => judgeCheckpoint(comparison, checkpoint)) }
}

/** The best judgement of each checkpoint: a replay that reached its memory decides. */
export function bestOf(passes: readonly ComparedCheckpoints[], reachedElsewhere: ReadonlySet<string>): JudgedCheckpoint[] {
  const best = new Map<string, JudgedCheckpoint>()
  for (const one of passes.flatMap(({ judged }) => judged)) {
    const known = best.get(one.report.id)
    if (known === undefined || (known.report.status !== 'match' && one.report.status === 'match')) best.set(one.report.id, one)
  }
  return [...best.values()].map((one) => (reachedElsewhere.has(one.report.id) ? asReached(one) : one))
}

function asReached({ report }: JudgedCheckpoint): JudgedCheckpoint {
  return { report: { ...report, status: 'match', computedSha256: report.dataSha256 }, findings: [] }
}

function judgeCheckpoint(
  { computed, isNowhere, profile, accuse, trusted }: CheckpointComparison,
  checkpoint: CheckedCheckpoint
): JudgedCheckpoint {
  const { id, nonce, signer, sha256, dataSha256 = null, environments = [], standing, findings } = checkpoint
  const computedSha256 = computed.get(memoryAfter(checkpoint.key)) ?? null
  const judged = (status: CheckpointReport['status'], more?: Finding): JudgedCheckpoint => ({
    report: { id, nonce, signer, claimedSha256: sha256, dataSha256, computedSha256, status },
    findings: more === undefined ? findings : [...findings, more]
  })
  if (standing !== 'verified') return judged(standing)
  if (computedSha256 === null && isNowhere(checkpoint.key)) {
    const detail = `checkpoint ${id} is of cron ${checkpoint.key.cron} after this nonce, which was not evaluated`
    const about = { code: 'CHECKPOINT_NOT_READ', severity: 'warning', attribution: 'checkpoint-signer' } as const
    return judged('unread', { ...about, nonce, claimant: signer, detail })
  }
  if (computedSha256 === null) return judged('unread')
  if (computedSha256 === dataSha256) return judged('match')
  if (!fits(profile, environments)) {
    const [shown = []] = environments
    const detail = `the profile ${profile.name} does not fit checkpoint ${id}, ${profileOfEnvironment(shown, `checkpoint ${id}`).name} does`
    return judged('unverified', { code: 'PROFILE_DOES_NOT_FIT', severity: 'warning', attribution: 'auditor', nonce, detail })
  }
  const accusal = accuse(nonce, signer)
  const rests = [checkpoint.onTrust ? 'the checkpoint as the gateway served it' : undefined, trusted(nonce)]
  const onTrust = rests.filter((words) => words !== undefined).join(', ')
  const detail =
    `the memory after this nonce is ${computedSha256}, checkpoint ${id} says ${sha256}` +
    (accusal.attributable ? '' : `; that may have an honest reason: ${accusal.reason}`) +
    (onTrust === '' ? '' : `; taken on trust: ${onTrust}`)
  const severity = accusal.attributable ? 'error' : 'warning'
  const about = {
    code: 'CHECKPOINT_STATE_MISMATCH',
    severity,
    attribution: 'checkpoint-signer',
    nonce,
    claimant: signer
  } as const
  return judged(accusal.attributable ? 'mismatch' : 'unverified', { ...about, detail })
}

/**
 * Whether the memory shows the profile's environment and no other that a unit may have; none at all if the loader stubs it. With two,
 * one may be text of the module itself.
 */
export function fits({ environment }: ExecutionProfile, shown: readonly (readonly string[])[]): boolean {
  const possible = shown.filter(isPlausible)
  if (environment.length === 0) return possible.length === 0
  return possible.length > 0 && possible.every((one) => sameStrings(one, environment))
}

/** Every signer as a claimant, although nobody asked to audit it. */
export function signersOf(reports: readonly CheckpointReport[]): ClaimantParts[] {
  const signers = [...new Set(reports.map(({ signer }) => signer))]
  return signers.map((signer): ClaimantParts => {
    const own = reports.filter((report) => report.signer === signer)
    const compared = own.filter(({ status }) => status === 'match' || status === 'mismatch').length
    const differs = own.some(({ status }) => status === 'mismatch')
    const coverage = {
      scheduled: own.length,
      cron: 0,
      evaluated: compared,
      compared,
      skipped: 0,
      unclaimed: 0,
      unread: 0,
      unverified: own.length - compared
    }
    return {
      claimant: signer,
      kind: 'checkpoint-signer',
      audited: false,
      verdict: differs ? 'mismatch' : compared === own.length ? 'match' : 'inconclusive',
      reasons: differs ? ['a checkpoint differs from the computed memory'] : [],
      remarks: [],
      coverage,
      firstDivergence: null,
      evaluations: [],
      evaluationsCut: 0,
      findings: [],
      tolerances: [],
      unexplained: null,
      contradicts: null
    }
  })
}
