/** One replay under a profile, and what is judged over it. */
import { type ComparedCheckpoints, compareCheckpoints } from './checkpoints.ts'
import type { Gate } from './compare/types.ts'
import { evaluate, evaluateOn, jobOf, unevaluated } from './evaluate.ts'
import type { Finding } from './findings.ts'
import { readBlockDoubts } from './gateway-blocks.ts'
import { type Judged, judgeEvaluations } from './judging.ts'
import type { Material } from './material.ts'
import { type ChosenBlocks, chooseBlocks, createPassBlocks, type FoundBlocks } from './pass-blocks.ts'
import { type ChosenProfile, createTrial, type FirstClaims, speaksForUnits } from './profile-choice.ts'
import type { Evaluation } from './records.ts'
import { oneAhead } from './replay/ahead.ts'
import type { ExecutionProfile } from './replay/profile.ts'
import type { Link } from './replay/segments.ts'
import { joined } from './signals.ts'
import { openSnapshots } from './snapshots.ts'
import { boundariesOf, createStartDoubts } from './starts.ts'
import { createStates, type Readings } from './states.ts'
import { hasCrons } from './subject.ts'

export interface Found {
  readonly judged: Judged
  readonly chosen: ChosenProfile
  readonly compared: ComparedCheckpoints
  readonly stateHashes: Readonly<Record<string, string>>
  /** Memories between the parts of the replay, and whether they were come to. */
  readonly links: readonly Link[]
  /** The nonce behind which the replay went on from what an earlier audit came to; null: it went through all. */
  readonly resumedAfter: number | null
  /** The blocks that the units are taken to have known. */
  readonly blocks: FoundBlocks
  readonly readings: Readings
  /** With which it was replayed. */
  readonly instances?: Instances
  readonly firstClaims: FirstClaims
  /** Time within the module, ms. */
  readonly moduleMs: number
  /** Ways to begin instances that were tried. */
  readonly instancesTried: number
  /** About the profile, and about the auditor's own limits. */
  readonly findings: readonly Finding[]
}

/** Before which evaluations an instance began, or did not, whatever the profile says; by `keyText`. */
export type Instances = ReadonlyMap<string, boolean>

export interface ReplayOptions {
  /** Whether it may go on from what an earlier audit came to, and keeps what it comes to itself. */
  readonly snapshots?: boolean
  readonly instances?: Instances
  /** What an earlier replay showed of the blocks. */
  readonly blocks?: ChosenBlocks
}

export interface PassOptions extends ReplayOptions {
  /** Why nobody is blamed in this pass. */
  readonly closed?: string | undefined
}

/** A replay that goes on while what it found is judged. */
export interface BegunPass {
  /**
   * Judges the units over it, once.
   *
   * @param chosen what is known by now of the profile that it began under
   * @param closed why nobody is blamed in this pass
   */
  judge(chosen: ChosenProfile, closed?: string): Promise<Found>
  /** Ends the replay, wherever it is. */
  end(): Promise<void>
}

/** One replay, and the units judged over it. */
export async function pass(
  all: Material,
  chosen: ChosenProfile,
  units: readonly string[],
  { closed, ...how }: PassOptions = {}
): Promise<Found> {
  const begun = await beginPass(all, chosen.profile, units, how)
  try {
    return await begun.judge(chosen, closed)
  } finally {
    await begun.end()
  }
}

/** Begins a replay; what it finds waits to be judged. It must be ended. */
export async function beginPass(
  all: Material,
  profile: ExecutionProfile,
  units: readonly string[],
  { snapshots = false, instances, blocks: given }: ReplayOptions
): Promise<BegunPass> {
  const { options, subject, plan, checks, checkpoints, start } = all
  const { inputs, run } = options
  const isOwn = speaksForUnits(options)
  const seen = createStates(options, checkpoints, profile, isOwn)
  const blocks = createPassBlocks(all, given ?? (await chooseBlocks(all, profile, units)))
  const disputed = await readBlockDoubts(inputs, run)
  const doubts = start === undefined ? undefined : createStartDoubts(start, units.length === 1 && isOwn(start.signer))
  const planned = () => (doubts === undefined ? plan(blocks.set) : doubts.watch(plan(blocks.set)))
  // Needed at the end: until all is fetched, the cores have enough to do.
  const checked = options.fetched().then(() => checkpoints.all())
  checked.catch(() => {})
  const kept =
    snapshots && start === undefined && subject.spoilt === undefined
      ? await openSnapshots({ ...options, subject, profile, to: run.to, plan: planned, wanted: seen.wanted })
      : undefined
  const links: Link[] = []
  let moduleUs = 0
  const onRun = (us: number) => {
    moduleUs += us
  }

  async function* replayed(stop: AbortSignal): AsyncGenerator<Evaluation> {
    if (subject.spoilt !== undefined) return yield* unevaluated(planned())
    const from = kept?.resumed?.nonce ?? start?.nonce ?? -1
    const boundaries = options.jobs > 1 ? await boundariesOf(checkpoints, profile, from, options.partMessages) : []
    const parts = { boundaries, ...options, onLink: (link: Link) => void links.push(link) }
    const begins = instances === undefined ? {} : { instances }
    const whole = jobOf({ ...all, ...begins, plan: planned, profile, units, hashAfter: seen.wanted })
    const job = { ...whole, onRun, signal: joined(stop, whole.signal) }
    yield* kept === undefined ? evaluate(job, parts) : evaluateOn(job, parts, kept)
  }

  const ahead = oneAhead(replayed)
  options.onPass?.()

  function gateAt(ordinate: number): Gate {
    const gate = checks.gate(ordinate)
    if (start?.onTrust !== true) return gate
    const trusted = [`the checkpoint ${start.id} as the gateway served it`, gate.trusted].filter((words) => words !== undefined)
    return { ...gate, trusted: trusted.join(', ') }
  }

  return {
    async judge(chosen, closed) {
      const trial = createTrial(inputs, run)
      const judged = await judgeEvaluations({
        inputs,
        run,
        units,
        evaluations: chosen.guessed === true ? trial.watch(ahead.take(0)) : ahead.take(0),
        crons: hasCrons(subject),
        clock: options.clock,
        strictTagOrder: chosen.proven,
        gate(evaluation, unit): Gate {
          const { key, assumed } = evaluation
          const verified = assumed === undefined ? {} : { verified: false }
          const gate = { ...gateAt(key.ordinate), ...verified, ...blocks.gateAt(key, unit) }
          const reason = disputed.doubt(key) ?? doubts?.doubt(evaluation) ?? seen.assumed()?.reason ?? closed
          return gate.accusable && reason !== undefined ? { ...gate, accusable: false, reason } : gate
        },
        onEach(evaluation) {
          seen.take(evaluation)
          blocks.take(evaluation)
        },
        onEvaluation(evaluation, stands) {
          seen.judged(stands)
          options.onEvaluation?.(evaluation, stands)
        }
      })
      const shown = blocks.misjudged(judged.judgements)
      if (shown !== undefined) {
        return pass(all, chosen, units, { ...(instances === undefined ? {} : { instances }), closed, blocks: shown })
      }
      const compared = compareCheckpoints({
        checkpoints: await checked,
        computed: seen.computed,
        profile,
        hostInputFrom: seen.hostInputFrom(),
        trusted: (nonce) => gateAt(nonce).trusted,
        accusable(nonce, signer) {
          const proven = checks.gate(nonce).accusable && nonce < (seen.assumed()?.ordinate ?? Number.POSITIVE_INFINITY)
          return proven && disputed.doubtAfter(nonce) === undefined && (start === undefined || start.signer === signer)
        }
      })
      return {
        judged: { ...judged, judgements: judged.judgements.map(blocks.withListingsEnd) },
        chosen: hasCrons(subject) ? { ...chosen, profile: { ...profile, blocks: blocks.set } } : chosen,
        compared,
        links,
        resumedAfter: kept?.resumed?.nonce ?? null,
        blocks: blocks.found(),
        readings: seen.readings(),
        ...(instances === undefined ? {} : { instances }),
        instancesTried: 0,
        firstClaims: trial.counts(),
        moduleMs: moduleUs / 1000,
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
