/** The sender of a message as the CU derives it (protocol §2.4; CU domain/utils.js, addressFrom, mapFrom, mapForwardedBy). */

import { ethereumAddress } from '../../ans104/signature.ts'
import { type Owner, type Tag, tagValue } from '../../model/records.ts'

const ETHEREUM_KEY_BYTES = 65

/** Returns the owner's address: EIP-55 for a key of 65 bytes, otherwise as the unit gave it. */
export function ownerAddress({ address, key }: Owner): string {
  const bytes = Buffer.from(key, 'base64url')
  return bytes.byteLength === ETHEREUM_KEY_BYTES ? ethereumAddress(bytes) : address
}

/**
 * Returns `From` and `Forwarded-By`. A messenger unit pushed the message if it has a `From-Process` tag. The first such tag counts;
 * if it is empty, the owner stays the sender.
 */
export function senderOf(tags: readonly Tag[], owner: string): { readonly from: string; readonly forwardedBy?: string } {
  const process = tagValue(tags, 'From-Process')
  if (process === undefined) return { from: owner }
  return { from: process === '' ? owner : process, forwardedBy: owner }
}
