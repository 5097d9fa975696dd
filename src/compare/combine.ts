/** One verdict over several claimants. */
import type { Verdict } from './comparison.ts'

/** From the worst to the best. */
const VERDICTS: readonly Verdict[] = ['mismatch', 'inconclusive', 'match']

/** The worst of the verdicts; `inconclusive` if there are none, because nothing was judged. */
export function worstVerdict(verdicts: readonly Verdict[]): Verdict {
  return VERDICTS.find((verdict) => verdicts.includes(verdict)) ?? 'inconclusive'
}
