/**
 * Checks whether another past gives the unit's claim at a difference, if all its earlier claims are ignored.
 *
 * A machine that moved, was upgraded or lost its memory keeps its earlier answers and continues under other circumstances; and several
 * machines may answer at one URL. Both cases are honest, and no single past gives all their claims.
 */
import PQueue from 'p-queue'
import type { SearchResult } from '../../attribution/rules.ts'
import type { EvaluationKey } from '../../model/records.ts'
import { moduleFormat } from '../../replay/formats.ts'
import { clockStart, type ExecutionProfile, sameStrings } from '../../replay/profile.ts'
import type { AuditContext } from '../context.ts'
import { hasCrons } from '../subject.ts'
import { duplicateSets } from './evaluated-duplicates.ts'
import type { Hypothesis } from './hypothesis.ts'
import { type Target, type TrialResult, trial } from './trial.ts'

/**
 * How often others may have read the clock before the module's first reading: the host, and processes that share its thread
 * (profiles §1.4). Any number is honest; a result that shows one of these shows them all.
 */
const READINGS_BY_OTHERS = [1, 7, 1000]
const INSTANCES = ['one', 'per-message'] as const
const BLOCK_SETS = ['all', 'stepwise', 'one-stream'] as const

export interface OtherPastsOptions {
  readonly target: Target
  /** The past that explains everything before the difference. */
  readonly best: Hypothesis
  readonly end: EvaluationKey
  readonly environments: readonly ExecutionProfile[]
  readonly startedBehind: readonly number[]
  readonly trialsMax: number
}

/** @returns open if another past gives the claim, if the clock decides it, or if not all pasts could be tried */
export async function searchOtherPasts(
  context: AuditContext,
  options: OtherPastsOptions
): Promise<{ readonly search: SearchResult; readonly tried: number }> {
  const { target, best, end, trialsMax } = options
  let tried = 0
  const at = (hypothesis: Hypothesis) => {
    tried++
    return trial(context, target, hypothesis, { strict: false, end, only: end })
  }
  const ended = (reason: string) => ({ search: { kind: 'open', reason } as const, tried })

  const plain = { ...best, instances: new Map<string, boolean>(), evaluates: new Set<number>() }
  const first = await at(plain)
  if (gives(first)) return { search: ANOTHER_PAST, tried }
  const candidates = otherPasts(context, options, first)
  if (candidates.length > trialsMax)
    return ended(`there are ${candidates.length} other pasts that it may have had, too many to try`)
  const queue = new PQueue({ concurrency: context.options.jobs })
  let found = false
  await queue.addAll(
    candidates.map((candidate) => async () => {
      // Other trials end meanwhile: a positive result of one of them stays.
      if (!found && gives(await at(candidate))) found = true
    })
  )
  if (found) return { search: ANOTHER_PAST, tried }
  if (first.readsHost) {
    const { atEnd } = await at(best)
    for (const profile of onOtherClocks(context, best.profile))
      if ((await at({ ...best, profile })).atEnd !== atEnd) return ended(THE_CLOCK)
  }
  return { search: { kind: 'complete' }, tried }
}

/** Each differs from the best past in one assumption. The duplicates are those of the plain past, which skipped them all. */
function otherPasts(
  context: AuditContext,
  { best, environments, startedBehind }: OtherPastsOptions,
  { readsEnvironment, twins }: TrialResult
): Hypothesis[] {
  const { profile, evaluates: chosen } = best
  const base = { ...best, instances: new Map<string, boolean>() }
  const isAnother = (way: 'one' | 'per-message') => way !== profile.instances || chosen.size > 0
  return [
    ...(readsEnvironment ? environments : [])
      .filter(({ environment }) => !sameStrings(environment, profile.environment))
      .map(({ name, environment, loader }) => ({ ...base, profile: { ...profile, name, environment, loader } })),
    ...duplicateSets(twins, startedBehind).map((evaluates) => ({ ...base, evaluates })),
    ...INSTANCES.filter(isAnother).map((instances) => ({ ...base, profile: { ...profile, instances } })),
    ...(hasCrons(context.subject) ? BLOCK_SETS : [])
      .filter((blocks) => blocks !== profile.blocks)
      .map((blocks) => ({ ...base, profile: { ...profile, blocks } }))
  ]
}

function onOtherClocks({ subject }: AuditContext, profile: ExecutionProfile): ExecutionProfile[] {
  const { start: stated, step } = profile.clock
  const start = stated ?? clockStart(moduleFormat(subject.setup.format), profile)
  return READINGS_BY_OTHERS.map((readings) => ({ ...profile, clock: { start: start + readings * step, step } }))
}

export const ANOTHER_PAST: SearchResult = {
  kind: 'open',
  reason: 'another past gives its claim there: it may have changed in between, or another machine may have answered'
}
const THE_CLOCK = 'the result depends on the clock, which others on its thread may have read before'

/** Whether the claim at the end agrees; earlier claims do not count. */
function gives({ differsAt, stoppedAt, atEnd }: TrialResult): boolean {
  return differsAt === undefined && stoppedAt === undefined && atEnd !== undefined
}
