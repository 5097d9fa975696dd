/** Measures whether a sync of the shadow costs less than to run messages again. */

/** The failure rate covers this many messages, or up to twice as many. */
const RATE_MESSAGES = 64
/** Weight of the newest measurement in a running mean: of messages, which differ much, and of syncs, which do not. */
const NEWEST = 0.1
const NEWEST_SYNC = 0.5

export interface SyncCost {
  /** Notes the time of a sync, µs. */
  synced(us: number): void
  /** Notes the time of a message, µs. */
  ran(us: number, claimedError: boolean): void
  /** Notes that the message failed. */
  failed(claimedError: boolean): void
  /** Whether a sync costs less than the expected cost of running `distance` messages again if the next ones fail. */
  pays(distance: number): boolean
  /** Whether claimed failures are not wrong more often than right. */
  believesClaims(): boolean
}

export function createSyncCost(): SyncCost {
  let messages = 0
  /** Number of failures that nobody had claimed. */
  let surprises = 0
  /** Number of claimed failures, and how many of them were true. */
  let said = 0
  let saidRightly = 0
  let messageUs = 1_000
  let syncUs = 5_000
  return {
    synced(us) {
      syncUs += (us - syncUs) * NEWEST_SYNC
    },
    ran(us, claimedError) {
      messages++
      if (messages >= 2 * RATE_MESSAGES) {
        messages /= 2
        surprises /= 2
      }
      if (claimedError) said++
      messageUs += (us - messageUs) * NEWEST
    },
    failed(claimedError) {
      if (claimedError) {
        saidRightly++
        // If failures are claimed, fewer of them come as a surprise.
        surprises /= 2
      } else surprises++
    },
    pays(distance) {
      const failRate = (surprises + 0.1) / (messages + 10)
      return (failRate * distance * distance * messageUs) / 2 > syncUs
    },
    believesClaims: () => saidRightly + 1 >= said / 2
  }
}
