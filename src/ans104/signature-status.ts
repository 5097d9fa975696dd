/** What verification says of one input. */

/** Parts of an item that a JSON answer may not show as they were signed. */
export type HiddenPart = 'data' | 'anchor' | 'tags' | 'key' | 'signature' | 'signature-type'

export type SignatureStatus =
  /** The signature covers exactly what was given, and the id is the signature's. */
  | { readonly status: 'valid' }
  /** All that was signed is there, and the signature or the id does not fit it. */
  | { readonly status: 'invalid'; readonly reason: string }
  /** What was given may not be all that was signed: another source may prove it. */
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
