/** A claimant's case: evaluation after evaluation, to a verdict. Keeps what is no plain match, and counts. */
import { type Claim, type ClaimUnavailable, type Evaluation, keyText } from '../records.ts'
import { behindEndFindings, findingsOf, tagOrderFindings, unmatchedFinding } from './findings.ts'
import type { History } from './history.ts'
import { type Judged, judgeEvaluation } from './judge-evaluation.ts'
import { createFindings, createKeeper } from './keep.ts'
import { createTally } from './tally.ts'
import type { Divergence, EvaluationStatus, Gate, JudgedEvaluation, Judgement } from './types.ts'

/** Crons behind the range's end that are told apart. */
const BEHIND_END_MAX = 10_000

export interface JudgeOptions {
  /** A CU's base URL, as its claims name it. */
  readonly claimant: string
  /** May be shared by several judges of the same evaluations. */
  readonly history: History
  /** Whether the process has crons: only then may an honest CU list one that is not planned here. */
  readonly crons: boolean
  /** Another order of tags is a mismatch: for a profile that a checkpoint has proven. */
  readonly strictTagOrder?: boolean
}

/** Judges one claimant. */
export interface Judge {
  /**
   * Takes the next evaluation of the range.
   *
   * @param claims about it; those of other claimants are left out
   * @param unavailable likewise
   * @param gate whether a difference may be called a mismatch
   * @returns the status that the report will show
   */
  evaluation(
    evaluation: Evaluation,
    claims: readonly Claim[],
    unavailable: readonly ClaimUnavailable[],
    gate: Gate
  ): EvaluationStatus
  /**
   * Takes a listed claim in range that is about no planned evaluation; to be told before the evaluations that come after it.
   *
   * Never a mismatch: which crons fire hangs on the blocks the CU knew, and a nonce of another time may come from a scheduler that
   * shows two schedules. From there on the CU's state may honestly be another, so later differences are no mismatches either;
   * save for a cron of a process that has none, which no honest CU lists.
   */
  unmatched(claim: Claim): void
  /** Takes a listed cron that fired behind the last evaluation of the range: it is counted, and is no part of what is judged. */
  behindEnd(claim: Claim): void
  finish(): Judgement
}

/**
 * A judge of one claimant. After a mismatch the later evaluations are judged all the same.
 *
 * @example
 * ```ts
 * const judge = createJudge({ claimant: 'https://cu.example', history: createHistory(), crons: false })
 * judge.evaluation(evaluation, claims, [], { accusable: true })
 * judge.finish().verdict
 * ```
 */
export function createJudge({ claimant, history, crons, strictTagOrder = false }: JudgeOptions): Judge {
  const keeper = createKeeper()
  const findings = createFindings()
  const tally = createTally()
  let firstDivergence: Divergence | null = null
  const behindEnd = new Set<string>()
  /** Why this claimant's state may honestly be another by now. */
  let stateUnsure: string | undefined

  return {
    evaluation(evaluation, allClaims, allUnavailable, gate) {
      const claims = allClaims.filter((claim) => claim.claimant === claimant)
      const unavailable = allUnavailable.filter((answer) => answer.claimant === claimant)
      const judged = judgeEvaluation({
        evaluation,
        claims,
        before: history.before(evaluation),
        gate: stateUnsure === undefined || !gate.accusable ? gate : { accusable: false, reason: unsure(stateUnsure) },
        options: { strictTagOrder }
      })
      if (judged.status === 'unclaimed' && isInjected(evaluation)) return judged.status
      stateUnsure ??= judged.stateUnsure
      tally.count(evaluation, judged, gate)
      for (const finding of findingsOf(claimant, evaluation, judged, claims.length > 0, unavailable)) findings.add(finding)
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
        coverage: tally.coverage(),
        firstDivergence,
        evaluations,
        evaluationsCut: cut,
        findings: [
          ...findings.all(),
          ...tagOrderFindings(claimant, tally.tagOrder()),
          ...behindEndFindings(claimant, behindEnd.size)
        ]
      }
    }
  }
}

function unsure(why: string): string {
  return `the unit's state may honestly be another by then: ${why}`
}

/** The process message that the boot loader injects: its result is not stored, so nobody can claim it (ao-protocol §2.4). */
function isInjected({ nonce, key }: Evaluation): boolean {
  return nonce === undefined && key.cron === undefined
}

function reported(claimant: string, evaluation: Evaluation, judged: Judged): JudgedEvaluation {
  const { outcome } = evaluation
  const { status, reason } = judged
  const differences = differencesOf(judged)
  return {
    ...nameOf(evaluation),
    status,
    claimant,
    ...(outcome.kind === 'result' && outcome.profile !== undefined ? { profile: outcome.profile } : {}),
    ...(differences.differences.length === 0 ? {} : differences),
    ...(reason === undefined ? {} : { reason })
  }
}

function divergence(claimant: string, evaluation: Evaluation, judged: Judged): Divergence {
  return { ...nameOf(evaluation), claimant, ...differencesOf(judged) }
}

function nameOf({ key, nonce, messageId }: Evaluation): Pick<JudgedEvaluation, 'key' | 'nonce' | 'message'> {
  return { key, ...(nonce === undefined ? {} : { nonce }), ...(messageId === undefined ? {} : { message: messageId }) }
}

function differencesOf({ comparison }: Judged): Pick<Divergence, 'differences' | 'differencesCut'> {
  if (comparison === undefined) return { differences: [] }
  const { differences, cut } = comparison
  return { differences, ...(cut === 0 ? {} : { differencesCut: cut }) }
}
