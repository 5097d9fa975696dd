/** One replay under a hypothesis, and the judgement of units over it. */

import { accuse, type Evidence, type SearchResult, type Since } from '../attribution/rules.ts'
import type { Gate, Tolerance } from '../compare/comparison.ts'
import type { Finding } from '../model/findings.ts'
import type { Evaluation } from '../model/records.ts'
import { readBlockDisputes } from '../pull/gateway-blocks.ts'
import { oneAhead } from '../replay/ahead.ts'
import type { KnownBlockSets } from '../replay/profile.ts'
import type { SegmentProof } from '../replay/segments.ts'
import { defined } from '../util/defined.ts'
import { joined } from '../util/signals.ts'
import { type ComparedCheckpoints, compareCheckpoints } from './checkpoints/judge-checkpoints.ts'
import { openSnapshots } from './checkpoints/snapshots.ts'
import { boundariesOf, createStartEffects } from './checkpoints/trusted-start.ts'
import type { AuditContext } from './context.ts'
import { evaluate, evaluateOn, jobOf, unevaluated } from './evaluate.ts'
import { judgeEvaluations, type PassJudgements } from './judge-pass.ts'
import { createObservations } from './observations.ts'
import type { Hypothesis } from './search/hypothesis.ts'
import { type ChosenBlocks, chooseBlocks, createPassBlocks, type FoundBlocks } from './search/pass-blocks.ts'
import { countFirstClaims, type FirstClaims, speaksForUnits } from './search/profile-choice.ts'
import { cronNames, hasCrons } from './subject.ts'

export interface PassResult {
  readonly judged: PassJudgements
  /** The hypothesis of the replay, with the chosen blocks. */
  readonly hypothesis: Hypothesis
  readonly compared: ComparedCheckpoints
  readonly stateHashes: Readonly<Record<string, string>>
  /** Memories between the parts of the replay, and whether they were reached. */
  readonly links: readonly SegmentProof[]
  /** The nonce after which the replay continued from an earlier audit; null if it replayed everything. */
  readonly resumedAfter: number | null
  /** The blocks that the units are assumed to have known. */
  readonly blocks: FoundBlocks
  /** By unit: how many of its first claims agree to the last character. */
  readonly firstClaims: ReadonlyMap<string, FirstClaims>
  /** Time within the module, ms, and how many messages it ran meanwhile. */
  readonly moduleMs: number
  readonly moduleRuns: number
  /** Findings about the auditor's own limits. */
  readonly findings: readonly Finding[]
}

export interface ReplayOptions {
  /** Whether it may continue from an earlier audit, and keeps its own evaluations. */
  readonly snapshots?: boolean
  /** What an earlier replay showed about the blocks. */
  readonly blocks?: ChosenBlocks
}

/** How the units are judged over a replay. */
export interface PassJudgeOptions {
  readonly search: SearchResult
  /** A different order of tags is a difference: for a profile that a checkpoint of the unit has proven. */
  readonly strictTagOrder?: boolean
  readonly severalVoices?: Since
  /** By a unit's URL: why the profile cannot be that of the unit. */
  readonly misfits?: ReadonlyMap<string, string>
  /** The hypothesis in words, if it assumes more than the profile that the audit began with. */
  readonly assumedProfile?: string
  /** Tolerances of the hypothesis itself. */
  readonly given?: readonly Tolerance[]
}

export interface PassOptions extends ReplayOptions, PassJudgeOptions {}

/** A replay that continues while its evaluations are judged. */
export interface BegunPass {
  /** Judges the units over it, once. */
  judge(options: PassJudgeOptions): Promise<PassResult>
  /** Ends the replay, even before it is complete. */
  end(): Promise<void>
}

/** Stands in for the search until one has run. */
export const NOT_SEARCHED_YET: SearchResult = { kind: 'open', reason: 'no search for an explanation has run yet' }

/** One replay, and the units judged over it. */
export async function pass(
  context: AuditContext,
  hypothesis: Hypothesis,
  units: readonly string[],
  { snapshots = false, blocks, ...how }: PassOptions
): Promise<PassResult> {
  const begun = await beginPass(context, hypothesis, units, { snapshots, ...defined({ blocks }) })
  try {
    return await begun.judge(how)
  } finally {
    await begun.end()
  }
}

/** Begins a replay, whose evaluations wait to be judged. The caller must end it. */
export async function beginPass(
  context: AuditContext,
  hypothesis: Hypothesis,
  units: readonly string[],
  { snapshots = false, blocks: given }: ReplayOptions
): Promise<BegunPass> {
  const { options, subject, plan, checks, checkpoints, start } = context
  const { profile, instances, evaluates } = hypothesis
  const { inputs, run } = options
  const crons = cronNames(subject)
  const isOwn = speaksForUnits(options, units.length === 1 ? units[0] : undefined)
  const seen = createObservations(options, checkpoints, profile, isOwn)
  const own = { ...context, plan: (set: KnownBlockSets) => plan(set, evaluates) }
  const blocks = createPassBlocks(context, given ?? (await chooseBlocks(own, profile, units)))
  const disputed = await readBlockDisputes(inputs, run)
  const startEffects = start === undefined ? undefined : createStartEffects(start, units.length === 1 && isOwn(start.signer))
  const planned = () => {
    const whole = plan(blocks.set, evaluates)
    return startEffects === undefined ? whole : startEffects.watch(whole)
  }
  // They are needed only at the end, and until everything is fetched the cores are busy.
  const checked = options.fetched().then(() => checkpoints.all())
  checked.catch(() => {})
  const kept =
    snapshots && start === undefined && subject.tampered === undefined
      ? await openSnapshots({ ...options, subject, profile, to: run.to, plan: planned, wanted: seen.wanted })
      : undefined
  const links: SegmentProof[] = []
  let moduleUs = 0
  let moduleRuns = 0
  const onRun = (us: number) => {
    moduleUs += us
    moduleRuns++
  }

  async function* replayed(stop: AbortSignal): AsyncGenerator<Evaluation> {
    if (subject.tampered !== undefined) return yield* unevaluated(planned())
    const from = kept?.resumed?.nonce ?? start?.nonce ?? -1
    const boundaries = options.jobs > 1 ? await boundariesOf(checkpoints, profile, from, options.partMessages) : []
    const parts = { boundaries, ...options, onLink: (link: SegmentProof) => void links.push(link) }
    const whole = jobOf({ ...context, instances, plan: planned, profile, units, hashAfter: seen.wanted })
    const job = { ...whole, onRun, signal: joined(stop, whole.signal) }
    yield* kept === undefined ? evaluate(job, parts) : evaluateOn(job, parts, kept)
  }

  const ahead = oneAhead(replayed)
  options.onPass?.(units)

  /** What is known about the inputs that results at this ordinate depend on. */
  function standingAt(ordinate: number) {
    const { unprovenInput, tamperedInput, shortfall, trusted, verified } = checks.standing(ordinate)
    const assumedFile = seen.assumed()
    const unstatedInput = seen.unstated()
    const evidence = defined({ unprovenInput, tamperedInput, shortfall, assumedFile, unstatedInput })
    const words = start?.onTrust === true ? [`the checkpoint ${start.id} as the gateway served it`] : []
    const onTrust = [...words, ...(trusted === undefined ? [] : [trusted])].join(', ')
    return { evidence, verified, ...defined({ trusted: onTrust === '' ? undefined : onTrust }) }
  }

  function disputedAt(ordinate: number, reason: string | undefined): Pick<Evidence, 'disputedBlock'> {
    return defined({ disputedBlock: reason === undefined ? undefined : { ordinate, reason } })
  }

  return {
    async judge(how) {
      const { search, strictTagOrder = false, severalVoices, misfits, assumedProfile, given: tolerated = [] } = how
      const firstClaims = units.map((unit) => countFirstClaims(inputs, run, unit))
      const judged = await judgeEvaluations({
        inputs,
        run,
        units,
        evaluations: watched(ahead.take(0), firstClaims),
        crons: hasCrons(subject),
        mayFire: context.mayFire,
        clock: options.clock,
        strictTagOrder,
        ...defined({ assumedProfile }),
        tally: { minCoveragePercent: options.minCoveragePercent, maxExplanations: options.maxExplanations, given: tolerated },
        gate(evaluation, unit): Gate {
          const { key, assumed } = evaluation
          const { evidence, verified, trusted } = standingAt(key.ordinate)
          const { blocksKnown, cronShown = false } = blocks.gateAt(key, unit)
          const misfit = misfits?.get(unit)
          const borrowedStart = startEffects?.mayReach(evaluation)
          return {
            verified: verified && assumed === undefined,
            checkpointBehind: seen.reachesCheckpoint(evaluation),
            cronShown,
            ...defined({ trusted }),
            evidence: {
              ...evidence,
              ...disputedAt(key.ordinate, disputed.disputeAt(key)),
              ...defined({ unsettledBlocks: blocksKnown ? undefined : UNSETTLED_BLOCKS, borrowedStart, severalVoices, misfit }),
              search
            }
          }
        },
        onEach(evaluation) {
          seen.take(evaluation)
          blocks.take(evaluation)
          options.onReplayed?.({ nonce: evaluation.key.ordinate, to: run.to, runs: moduleRuns })
        },
        onEvaluation(evaluation, stands) {
          seen.judged(stands)
          return options.onEvaluation?.(evaluation, stands)
        }
      })
      const shown = search.kind === 'complete' ? blocks.misjudged(judged.judgements) : undefined
      if (shown !== undefined) return pass(context, hypothesis, units, { ...how, blocks: shown })
      const compared = compareCheckpoints({
        checkpoints: await checked,
        computed: seen.computed,
        isNowhere: (key) => seen.isNowhere(key) || (key.cron !== undefined && !crons.has(key.cron)),
        profile,
        trusted: (nonce) => standingAt(nonce).trusted,
        accuse(nonce) {
          const history = seen.historyFrom()
          const open = history !== undefined && history.ordinate <= nonce ? history : undefined
          return accuse({
            ordinate: nonce,
            ...standingAt(nonce).evidence,
            ...disputedAt(nonce, disputed.disputeAfter(nonce)),
            ...defined({ borrowedStart: start === undefined ? undefined : BORROWED_START }),
            search: open === undefined ? { kind: 'complete' } : { kind: 'open', reason: open.reason }
          })
        }
      })
      return {
        judged: { ...judged, judgements: judged.judgements.map(blocks.withListingsEnd) },
        hypothesis: hasCrons(subject) ? { ...hypothesis, profile: { ...profile, blocks: blocks.set } } : hypothesis,
        compared,
        links,
        resumedAfter: kept?.resumed?.nonce ?? null,
        blocks: blocks.found(),
        firstClaims: new Map(units.map((unit, place) => [unit, firstClaims[place]?.counts() ?? { agreeing: 0, judged: 0 }])),
        moduleMs: moduleUs / 1000,
        moduleRuns,
        stateHashes: seen.stateHashes,
        findings: seen.findings
      }
    },
    async end() {
      await ahead.stop()
      await kept?.close()
    }
  }
}

const BORROWED_START = 'the replay began with a memory that was taken on trust'
const UNSETTLED_BLOCKS = 'it is not known which blocks the unit knew when crons fired'

/** Passes evaluations on after the counters have taken them. */
async function* watched(
  evaluations: AsyncIterable<Evaluation>,
  counted: readonly ReturnType<typeof countFirstClaims>[]
): AsyncGenerator<Evaluation> {
  for await (const evaluation of evaluations) {
    for (const one of counted) await one.take(evaluation)
    yield evaluation
  }
}
