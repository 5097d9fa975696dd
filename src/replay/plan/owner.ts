/** Who a message is from, as the CU says it (ao-protocol §2.4; CU domain/utils.js, addressFrom, mapFrom, mapForwardedBy). */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { type Owner, type Tag, tagValue } from '../../records.ts'

const ETHEREUM_KEY_BYTES = 65

/** The owner's address: EIP-55 for an Ethereum key, else as the unit gave it. */
export function ownerAddress({ address, key }: Owner): string {
  const bytes = Buffer.from(key, 'base64url')
  if (bytes.byteLength !== ETHEREUM_KEY_BYTES) return address
  const hex = Buffer.from(keccak_256(bytes.subarray(1))).subarray(-20).toString('hex')
  const digest = Buffer.from(keccak_256(Buffer.from(hex))).toString('hex')
  const mixed = [...hex].map((digit, place) => (Number.parseInt(digest[place] ?? '0', 16) >= 8 ? digit.toUpperCase() : digit))
  return `0x${mixed.join('')}`
}

/** `From` and `Forwarded-By`: a message with a `From-Process` tag was pushed by a messenger unit. */
export function senderOf(tags: readonly Tag[], owner: string): { readonly from: string; readonly forwardedBy?: string } {
  const process = tagValue(tags, 'From-Process')
  if (process === undefined) return { from: owner }
  return { from: process === '' ? owner : process, forwardedBy: owner }
}
