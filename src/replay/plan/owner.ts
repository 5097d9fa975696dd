/** Who a message is from, as the CU says it (protocol §2.4; CU domain/utils.js, addressFrom, mapFrom, mapForwardedBy). */

import { ethereumAddress } from '../../ans104/signature.ts'
import { type Owner, type Tag, tagValue } from '../../model/records.ts'

const ETHEREUM_KEY_BYTES = 65

/** The owner's address: EIP-55 for a key of 65 bytes, else as the unit gave it. */
export function ownerAddress({ address, key }: Owner): string {
  const bytes = Buffer.from(key, 'base64url')
  return bytes.byteLength === ETHEREUM_KEY_BYTES ? ethereumAddress(bytes) : address
}

/**
 * `From` and `Forwarded-By`: a message with a `From-Process` tag was pushed by a messenger unit. The first such tag counts; an
 * empty one leaves the owner as sender.
 */
export function senderOf(tags: readonly Tag[], owner: string): { readonly from: string; readonly forwardedBy?: string } {
  const process = tagValue(tags, 'From-Process')
  if (process === undefined) return { from: owner }
  return { from: process === '' ? owner : process, forwardedBy: owner }
}
