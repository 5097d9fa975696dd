/** The verdict of verification on one input. */

/** Parts of an item that a JSON answer may not show as they were signed. */
export type HiddenPart = 'data' | 'anchor' | 'tags' | 'key' | 'signature' | 'signature-type'

export type SignatureStatus =
  /** The signature covers exactly the given item, and the id matches the signature. */
  | { readonly status: 'valid' }
  /** All signed parts are present, and the signature or the id does not match them. */
  | { readonly status: 'invalid'; readonly reason: string }
  /** Signed parts may be missing: another source may prove the item. */
  | { readonly status: 'unverifiable'; readonly reason: string; readonly hidden: readonly HiddenPart[] }
  /** A kind of signature that is not verified here. */
  | { readonly status: 'unsupported'; readonly reason: string; readonly signatureType: number }

export const VALID: SignatureStatus = { status: 'valid' }

export function invalid(reason: string): SignatureStatus {
  return { status: 'invalid', reason }
}

export function unverifiable(hidden: readonly HiddenPart[], reason: string): SignatureStatus {
  return { status: 'unverifiable', reason, hidden }
}
