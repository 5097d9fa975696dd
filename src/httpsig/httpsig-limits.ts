/** How much of an HTTP message is read, and how much work its signatures may make. */

/** Limits on one HTTP message. What exceeds one is refused as a whole, except where a limit says otherwise. */
export interface HttpsigLimits {
  readonly maxHeaders: number
  /** Names and values of all headers together. */
  readonly maxHeaderBytes: number
  readonly maxBodyBytes: number
  /** Parts of a multipart body. */
  readonly maxParts: number
  /** Nested messages, with those that are there only in the paths of others. The id of each is computed, in some 0.04 ms. */
  readonly maxMessages: number
  /** Names in the path of a part. */
  readonly maxDepth: number
  /** Fields of all parts together. */
  readonly maxFields: number
  /** Commitments of one message, in its headers or nested. Of a nested message with more each is refused. */
  readonly maxCommitments: number
  /** Names that one commitment covers. */
  readonly maxCovered: number
  /** Signatures that are verified, at some 0.1 ms each; those beyond are refused, each with that reason. */
  readonly maxSignatures: number
}

/**
 * The default limits. They admit the largest page of a schedule, which has 1,001 assignments of some 20 parts, and each message with
 * its signer.
 */
export const HTTPSIG_LIMITS: HttpsigLimits = {
  maxHeaders: 10_000,
  maxHeaderBytes: 4 << 20,
  maxBodyBytes: 256 << 20,
  maxParts: 100_000,
  maxMessages: 100_000,
  maxDepth: 32,
  maxFields: 1_000_000,
  maxCommitments: 8,
  maxCovered: 10_000,
  maxSignatures: 10_000
}
