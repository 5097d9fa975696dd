/** Every bound on what is read from the network. */

export interface FetchLimits {
  /** How long a unit may stay away: no request of its is tried again later than this after its last answer. */
  readonly patienceMs: number
  /** How long an answer may take to begin, and to go on, at the first attempt; each further one waits twice as long. */
  readonly idleMs: number
  readonly idleMaxMs: number
  /** How long one answer may take as a whole. */
  readonly answerMs: number
  readonly attempts: number
  /** Waits between attempts double from the first to the longest; `Retry-After` is obeyed up to `retryAfterMaxMs`. */
  readonly waitMinMs: number
  readonly waitMaxMs: number
  readonly retryAfterMaxMs: number
  readonly redirects: number
  /** Requests under way at one host. */
  readonly concurrency: number
  /** A schedule's page; a larger one is asked for in parts. */
  readonly pageBytes: number
  /** A process, a result, a page of results, an answer of GraphQL. */
  readonly answerBytes: number
  /** How often an answer that outgrows its bound is asked for again. */
  readonly tooLargeAttempts: number
}

export const DEFAULT_FETCH_LIMITS: FetchLimits = {
  patienceMs: 30_000,
  idleMs: 4_000,
  idleMaxMs: 30_000,
  answerMs: 300_000,
  attempts: 20,
  waitMinMs: 100,
  waitMaxMs: 3_000,
  retryAfterMaxMs: 60_000,
  redirects: 5,
  concurrency: 16,
  pageBytes: 256 * 1024 * 1024,
  answerBytes: 64 * 1024 * 1024,
  tooLargeAttempts: 3
}
