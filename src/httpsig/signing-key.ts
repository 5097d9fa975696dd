/** Keys as commitments name them, and their signatures. */
import { encodeBase64url } from '../ans104/bytes.ts'
import { addressOfKey } from '../ans104/data-item.ts'
import { verifyRsaPss } from '../ans104/signature.ts'

const MODULUS_BYTES = 512
const PUBLIC_KEY = 'publickey:'

/** An RSA key of 4096 bits and exponent 65537. */
export interface SigningKey {
  readonly modulus: Uint8Array
  /** base64url(SHA-256(modulus)). */
  readonly address: string
}

/**
 * The key that a `keyid` has.
 *
 * @param keyid `publickey:` and the modulus, in base64 or base64url
 * @returns undefined for any other form, and for keys of another length
 *
 * @example
 * ```ts
 * signingKey('constant:ao') // undefined: this key is everybody's
 * ```
 */
export function signingKey(keyid: string): SigningKey | undefined {
  const text = keyid.startsWith(PUBLIC_KEY) ? keyid.slice(PUBLIC_KEY.length) : keyid
  const modulus = Buffer.from(text, 'base64')
  if (modulus.length !== MODULUS_BYTES) return undefined
  if (text !== modulus.toString('base64') && text !== encodeBase64url(modulus)) return undefined
  return { modulus, address: addressOfKey(modulus) }
}

/** Whether the key signed these bytes with `rsa-pss-sha512`, with a salt of any length. */
export function signsFields({ modulus }: SigningKey, base: Uint8Array, signature: Uint8Array): boolean {
  return verifyRsaPss(modulus, base, signature, 'sha512')
}
