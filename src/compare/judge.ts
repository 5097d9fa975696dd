/** Judges a claimant evaluation by evaluation, up to a verdict. Counts all, and keeps those that are not a plain match. */

import type { Since } from '../attribution/rules.ts'
import type { MessageId } from '../model/ids.ts'
import { type Claim, type ClaimUnavailable, type Evaluation, keyText } from '../model/records.ts'
import { createFindings } from '../util/bounded-findings.ts'
import { defined } from '../util/defined.ts'
import type { Divergence, EvaluationStatus, Gate, JudgedEvaluation, Judgement } from './comparison.ts'
import { behindEndFindings, findingsOf, tagOrderFindings, unmatchedFinding } from './evaluation-findings.ts'
import type { History } from './history.ts'
import { type EvaluationJudgement, judgeEvaluation } from './judge-evaluation.ts'
import { createKeeper } from './keep.ts'
import { createTally, evaluationName, STRICT_TALLY, type TallyOptions } from './tally.ts'

/** How many different crons after the end of the range are counted. */
const BEHIND_END_MAX = 10_000

export interface JudgeOptions {
  /** The CU's base URL, as its claims name it. */
  readonly claimant: string
  /** May be shared by several judges of the same evaluations. */
  readonly history: History
  /** Whether the process has crons: only then may an honest CU list one that is not planned here. */
  readonly crons: boolean
  /** A different order of tags is a mismatch: for a profile that a checkpoint has proven. */
  readonly strictTagOrder?: boolean
  /** The profile of the replay, if it is assumed: an agreeing evaluation is then `match-profile`. */
  readonly assumedProfile?: string
  /** Defaults to {@link STRICT_TALLY}. */
  readonly tally?: TallyOptions
}

/** Judges one claimant. */
export interface Judge {
  /**
   * Takes the next evaluation of the range.
   *
   * @param claims claims about it; those of other claimants are ignored
   * @param unavailable answers about it that are no result; those of other claimants are ignored
   * @param gate the evidence that decides whether a difference may be called a mismatch
   * @param twin the id of the message that it repeats, if it is skipped as a duplicate
   * @returns the status that the report will show
   */
  evaluation(
    evaluation: Evaluation,
    claims: readonly Claim[],
    unavailable: readonly ClaimUnavailable[],
    gate: Gate,
    twin?: MessageId
  ): EvaluationStatus
  /**
   * Takes a listed claim in range that is about no planned evaluation. Call it before the evaluations that come after it.
   *
   * Never a mismatch: the crons that fire depend on the blocks that the CU knew, and a nonce with another time may come from a
   * scheduler that shows two schedules. From there on the CU's state may honestly differ, so later differences are no mismatches
   * either, except after a cron of a process without crons, which no honest CU lists.
   */
  unmatched(claim: Claim): void
  /** Takes a listed cron that fired after the last evaluation of the range: it is counted but not judged. */
  behindEnd(claim: Claim): void
  finish(): Judgement
}

/**
 * Creates the judge of one claimant. It judges later evaluations after a mismatch, too.
 *
 * @example
 * ```ts
 * const judge = createJudge({ claimant: 'https://cu.example', history: createHistory(), crons: false })
 * judge.evaluation(evaluation, claims, [], { evidence: { search: { kind: 'complete' } } })
 * judge.finish().verdict
 * ```
 */
export function createJudge({
  claimant,
  history,
  crons,
  strictTagOrder = false,
  assumedProfile,
  tally: counted = STRICT_TALLY
}: JudgeOptions): Judge {
  const keeper = createKeeper()
  const findings = createFindings()
  const tally = createTally(counted)
  let contradicts: Since | null = null
  let firstDivergence: Divergence | null = null
  const behindEnd = new Set<string>()
  /** Why this claimant's state may honestly differ by now. */
  let stateUnsure: string | undefined
  let claimed = false

  return {
    evaluation(evaluation, allClaims, allUnavailable, gate, twin) {
      const claims = allClaims.filter((claim) => claim.claimant === claimant)
      const unavailable = allUnavailable.filter((answer) => answer.claimant === claimant)
      const unread = unavailable.find((answer) => answer.unread)?.detail
      const judged = judgeEvaluation({
        evaluation,
        claims,
        ...defined({ unread }),
        before: history.before(evaluation, twin),
        gate,
        ...defined({ otherState: stateUnsure }),
        claimedBefore: claimed,
        options: { strictTagOrder },
        ...defined({ assumedProfile })
      })
      if (evaluation.repeated === true || (judged.status === 'unclaimed' && isInjected(evaluation))) return judged.status
      stateUnsure ??= judged.stateUnsure
      claimed ||= claims.length > 0
      if (judged.contradiction !== undefined) contradicts ??= contradictionAt(evaluation)
      tally.count(evaluation, judged, gate)
      for (const finding of findingsOf(claimant, evaluation, judged, claims, unavailable)) findings.add(finding)
      if (judged.status !== 'match') keeper.add(reported(claimant, evaluation, judged))
      if (judged.status === 'mismatch') firstDivergence ??= divergence(claimant, evaluation, judged)
      return judged.status
    },
    unmatched(claim) {
      if (claim.claimant !== claimant) return
      const finding = unmatchedFinding(claim)
      tally.countUnmatched()
      findings.add(finding)
      if (claim.key.cron === undefined || crons) stateUnsure ??= finding.detail
    },
    behindEnd({ claimant: who, key }) {
      if (who === claimant && behindEnd.size < BEHIND_END_MAX) behindEnd.add(keyText(key))
    },
    finish() {
      const { evaluations, cut } = keeper.kept()
      return {
        claimant,
        verdict: tally.verdict(),
        reasons: tally.reasons(),
        remarks: tally.remarks(),
        coverage: tally.coverage(),
        firstDivergence,
        evaluations,
        evaluationsCut: cut,
        findings: [
          ...findings.all(),
          ...tagOrderFindings(claimant, tally.tagOrder()),
          ...behindEndFindings(claimant, behindEnd.size)
        ],
        tolerances: tally.tolerances(),
        unexplained: tally.unexplained(),
        contradicts
      }
    }
  }
}

function contradictionAt(evaluation: Evaluation): Since {
  const reason =
    `its /result and /results contradict each other at ${evaluationName(evaluation)}, and each can be explained by itself: ` +
    'several machines may answer at its URL'
  return { ordinate: evaluation.key.ordinate, reason }
}

/** The process message that the boot loader injects: its result is not stored, so nobody can claim it (protocol §2.4). */
function isInjected({ nonce, key }: Evaluation): boolean {
  return nonce === undefined && key.cron === undefined
}

function reported(claimant: string, evaluation: Evaluation, judged: EvaluationJudgement): JudgedEvaluation {
  const { outcome } = evaluation
  const { status, reason } = judged
  const differences = differencesOf(judged)
  return {
    ...nameOf(evaluation),
    status,
    claimant,
    ...(outcome.kind === 'result' && outcome.profile !== undefined ? { profile: outcome.profile } : {}),
    ...(differences.differences.length === 0 ? {} : differences),
    ...defined({ reason })
  }
}

function divergence(claimant: string, evaluation: Evaluation, judged: EvaluationJudgement): Divergence {
  return { ...nameOf(evaluation), claimant, ...differencesOf(judged) }
}

function nameOf({
  key,
  nonce,
  through,
  messageId
}: Evaluation): Pick<JudgedEvaluation, 'key' | 'nonce' | 'through' | 'message'> {
  const nonces = defined({ nonce, through })
  return { key, ...nonces, ...defined({ message: messageId }) }
}

function differencesOf({ comparison }: EvaluationJudgement): Pick<Divergence, 'differences' | 'differencesCut'> {
  if (comparison === undefined) return { differences: [] }
  const { differences, cut } = comparison
  return { differences, ...(cut === 0 ? {} : { differencesCut: cut }) }
}
