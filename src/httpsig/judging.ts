/** What all commitments are judged by, wherever they stand. */
import type { HttpsigLimits } from './httpsig-limits.ts'
import type { Linking } from './linked-content.ts'
import { signingKey } from './signing-key.ts'

/** What judging commitments needs besides the message. */
export interface Judging extends Linking {
  readonly limits: HttpsigLimits
  /** Counts a signature that is about to be verified. False: there have been too many. */
  spend(): boolean
}

/** A signature over fields. */
export const FIELDS_ALGORITHM = 'rsa-pss-sha512'
/** A signature over an ANS-104 item. */
const ITEM_ALGORITHM = 'ans104@1.0/rsa-pss-sha256'

export const TOO_MANY_SIGNATURES = 'there are too many signatures'
export const UNREADABLE_TAGS = 'the tags of its item cannot be read'

/**
 * Why a commitment is of a kind that is not verified.
 *
 * @param algorithm as it names it
 * @param keyid its key
 * @param bundle whether it signs a bundle, as text
 * @returns undefined if it can be verified
 */
export function unsupportedReason(algorithm: string, keyid: string, bundle: string | undefined): string | undefined {
  const isItem = algorithm === ITEM_ALGORITHM
  if (!isItem && algorithm !== FIELDS_ALGORITHM) return `commitments of ${algorithm || 'no algorithm'} are not verified`
  if (signingKey(keyid) === undefined) return 'its key is no RSA key of 4096 bits'
  return isItem && bundle !== undefined && bundle !== 'false' ? 'its item is a bundle' : undefined
}
