/** Every bound on what is read from the network. */

export interface FetchLimits {
  /**
   * How long a unit may stay away: nothing is asked of it again later than this after its last answer, and what is under way
   * then has `idleMs` left. So a unit that never answers is known to be away after `patienceMs + idleMs`.
   */
  readonly patienceMs: number
  /** How long an answer may take to begin, and to go on, at the first attempt; each further one waits twice as long. */
  readonly idleMs: number
  readonly idleMaxMs: number
  /** How long one answer may take as a whole, from the connection to its last byte. */
  readonly answerMs: number
  /** How often a question is asked that fails while its unit answers others. */
  readonly attempts: number
  /** How often a question is asked whose answer outgrows its bound or is not JSON. */
  readonly contentAttempts: number
  /** Waits between attempts double from the first to the longest. */
  readonly waitMinMs: number
  readonly waitMaxMs: number
  /** What `Retry-After` may add for one question, in all; such waits do not use up patience. */
  readonly retryAfterMaxMs: number
  readonly redirects: number
  /** Requests under way at one host. */
  readonly concurrency: number
  /** Pages of one reading of a schedule or of blocks. */
  readonly pages: number
  /** A process, an edge of a schedule, the answer of `GET /`. */
  readonly recordBytes: number
  /** A page of a schedule; a larger one is asked for in parts. */
  readonly schedulePageBytes: number
  /** An answer to `/result`. */
  readonly resultBytes: number
  /** A page of `/results` or `/cron`; a larger one is asked for in parts. */
  readonly listedPageBytes: number
  /** An answer to a GraphQL query: at most 100 transactions or blocks. */
  readonly graphqlBytes: number
}

const MIB = 1024 * 1024

export const DEFAULT_FETCH_LIMITS: FetchLimits = {
  patienceMs: 30_000,
  idleMs: 3_000,
  idleMaxMs: 30_000,
  answerMs: 300_000,
  attempts: 12,
  contentAttempts: 8,
  waitMinMs: 100,
  waitMaxMs: 3_000,
  retryAfterMaxMs: 60_000,
  // As many as fetch follows: what ordinary clients come to is read.
  redirects: 20,
  concurrency: 16,
  pages: 100_000,
  recordBytes: 16 * MIB,
  schedulePageBytes: 64 * MIB,
  resultBytes: 32 * MIB,
  listedPageBytes: 64 * MIB,
  graphqlBytes: 16 * MIB
}

/**
 * What a unit may list, in proportion to the schedule: `factor` times the evaluations that the schedule and the process's crons allow
 * up to the last one that it lists, and `slack` more. No honest unit lists one twice.
 */
export interface ListedLimits {
  readonly factor: number
  readonly slack: number
  /** Bytes of all pages, for each such evaluation, and besides. */
  readonly bytesOfEvaluation: number
  readonly bytesSlack: number
  /** Of the claims that are kept of one nonce and the crons behind it: these are held in memory at the same time. */
  readonly bytesOfOrdinate: number
  /** A block comes every two minutes; for crons by blocks four times as many are allowed. */
  readonly secondsOfBlock: number
}

export const LISTED_LIMITS: ListedLimits = {
  factor: 2,
  slack: 1_000,
  bytesOfEvaluation: MIB / 4,
  bytesSlack: 256 * MIB,
  bytesOfOrdinate: 64 * MIB,
  secondsOfBlock: 30
}
