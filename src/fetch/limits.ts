/** All bounds on reading from the network. */

export interface FetchLimits {
  /**
   * How long a unit may stay away: after this time since its last answer no request is repeated, and requests in progress have
   * `idleMs` left. So a unit that never answers is known to be away after `patienceMs + idleMs`.
   */
  readonly patienceMs: number
  /** How long a unit may stay silent before and during its answer, at the first attempt; each further one waits twice as long. */
  readonly idleMs: number
  readonly idleMaxMs: number
  /** How long one answer may take in total, from the connection to its last byte. */
  readonly answerMs: number
  /** How often a question is asked if it fails while its unit answers others. */
  readonly attempts: number
  /** How often a question is asked if its answer exceeds its bound or is not JSON. */
  readonly contentAttempts: number
  /** Waits between attempts double from `waitMinMs` up to `waitMaxMs`. */
  readonly waitMinMs: number
  readonly waitMaxMs: number
  /** The total wait that `Retry-After` may add to one question; such waits do not use up patience. */
  readonly retryAfterMaxMs: number
  readonly redirects: number
  /** Simultaneous requests to one host. */
  readonly concurrency: number
  /** Pages of one pass over a schedule. */
  readonly pages: number
  /** A process, an edge of a schedule, the answer to `GET /`. */
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
  // As many as fetch follows, so that every answer that ordinary clients reach is read.
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
 * How much a unit may list, in proportion to the schedule: `factor` times the evaluations that the schedule and the process's crons
 * allow up to the last listed one, plus `slack`. No honest unit lists an evaluation twice.
 */
export interface ListedLimits {
  readonly factor: number
  readonly slack: number
  /** Bytes of all pages: so many for each such evaluation, plus `bytesSlack`. */
  readonly bytesOfEvaluation: number
  readonly bytesSlack: number
  /** Bytes of the claims that are kept for one nonce and the crons after it: these are in memory at the same time. */
  readonly bytesOfOrdinate: number
  /** A block is mined every two minutes; for crons by blocks, four times as many blocks are allowed. */
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
