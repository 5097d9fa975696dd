/** Signatures over a deep hash, by ANS-104's signature types (protocol §5.1). */
import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { encodeBase64url, equalBytes } from './bytes.ts'
import { invalid, type SignatureStatus, unverifiable, VALID } from './signature-status.ts'

export interface SignatureLayout {
  readonly name: string
  readonly signatureBytes: number
  readonly ownerBytes: number
}

/** The signature types of ANS-104 with the sizes of signature and key. */
export const SIGNATURE_TYPES: ReadonlyMap<number, SignatureLayout> = new Map([
  [1, { name: 'Arweave RSA', signatureBytes: 512, ownerBytes: 512 }],
  [2, { name: 'ed25519', signatureBytes: 64, ownerBytes: 32 }],
  [3, { name: 'Ethereum', signatureBytes: 65, ownerBytes: 65 }],
  [4, { name: 'Solana', signatureBytes: 64, ownerBytes: 32 }],
  [5, { name: 'injected Aptos', signatureBytes: 64, ownerBytes: 32 }],
  [6, { name: 'multi-signature Aptos', signatureBytes: 2052, ownerBytes: 1025 }],
  [7, { name: 'typed Ethereum', signatureBytes: 65, ownerBytes: 42 }]
])

/**
 * Whether `owner` signed `message`.
 *
 * @param type ANS-104's number
 * @param owner the raw public key; for type 7 the address as text
 * @param message the deep hash, 48 bytes
 */
export function verifySignature(type: number, owner: Uint8Array, message: Uint8Array, signature: Uint8Array): SignatureStatus {
  switch (type) {
    case 1:
      return judge(verifyRsaPss(owner, message, signature))
    case 2:
    case 4:
      return verifyEd25519(type, owner, message, signature)
    case 3:
      return judgeEthereum(signature, (form) => verifyEthereum(owner, message, form))
    case 7:
      return judgeEthereum(signature, (form) => verifyTypedEthereum(owner, message, form))
    default:
      return { status: 'unsupported', signatureType: type, reason: `signatures of type ${type} are not verified` }
  }
}

function judge(holds: boolean): SignatureStatus {
  return holds ? VALID : invalid('the signature does not match the signed content')
}

/**
 * RSA-PSS with a salt of any length, exponent 65537.
 *
 * @param modulus big-endian, 512 bytes
 * @param digest of the message: SHA-256 for items and transactions
 */
export function verifyRsaPss(modulus: Uint8Array, message: Uint8Array, signature: Uint8Array, digest = 'sha256'): boolean {
  const key = publicKey({ kty: 'RSA', n: encodeBase64url(modulus), e: 'AQAB' })
  if (key === undefined) return false
  const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_AUTO: saltLength } = constants
  try {
    return verify(digest, message, { key, padding, saltLength }, signature)
  } catch {
    return false // the modulus is too small for any signature
  }
}

/** A type 4 signer signs the hash as hex text instead of its bytes: wallets only show text. Both hashes contain the type. */
function verifyEd25519(type: number, owner: Uint8Array, message: Uint8Array, signature: Uint8Array): SignatureStatus {
  if (once(smallOrders, encodeBase64url(owner), () => isSmallOrder(owner)))
    return unverifiable(['key'], 'the key is of small order: its signatures fit any message')
  const key = publicKey({ kty: 'OKP', crv: 'Ed25519', x: encodeBase64url(owner) })
  if (key === undefined) return judge(false)
  const hex = Buffer.from(Buffer.from(message).toString('hex'))
  return judge((type === 4 && verify(null, hex, key, signature)) || verify(null, message, key, signature))
}

function isSmallOrder(owner: Uint8Array): boolean {
  try {
    return ed25519.Point.fromBytes(owner, true).isSmallOrder()
  } catch {
    return false // not a point of the curve: no signature will match
  }
}

/** Caches for keys: one scheduler signs all assignments, and a key that was used before is faster. */
const keys = new Map<string, KeyObject | undefined>()
const smallOrders = new Map<string, boolean>()
const MAX_KEPT_KEYS = 64

function publicKey(jwk: { readonly kty: string; readonly [name: string]: string }): KeyObject | undefined {
  return once(keys, JSON.stringify(jwk), () => {
    try {
      return createPublicKey({ key: jwk, format: 'jwk' })
    } catch {
      return undefined
    }
  })
}

function once<T>(kept: Map<string, T>, name: string, find: () => T): T {
  const known = kept.get(name)
  if (known !== undefined) return known
  const found = find()
  if (kept.size >= MAX_KEPT_KEYS) kept.clear()
  kept.set(name, found)
  return found
}

/** personal_sign (EIP-191) over the 48 bytes of the hash. */
function verifyEthereum(owner: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const digest = keccak(`\x19Ethereum Signed Message:\n${message.length}`, message)
  const signer = recoverKey(digest, signature)
  return signer !== undefined && equalBytes(signer, owner)
}

const TYPED_DOMAIN = keccak(keccak('EIP712Domain(string name,string version)'), keccak('Bundlr'), keccak('1'))
const TYPED_MESSAGE = keccak('Bundlr(bytes Transaction hash,address address)')
const ADDRESS_TEXT = /^0x[0-9a-fA-F]{40}$/

/** EIP-712: the structure and domain of Bundlr's signers. */
function verifyTypedEthereum(owner: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const address = Buffer.from(owner).toString('latin1')
  if (!ADDRESS_TEXT.test(address)) return false
  const padded = Buffer.from(address.slice(2).padStart(64, '0'), 'hex')
  const digest = keccak('\x19\x01', TYPED_DOMAIN, keccak(TYPED_MESSAGE, keccak(message), padded))
  const signer = recoverKey(digest, signature)
  return signer !== undefined && ethereumAddress(signer).toLowerCase() === address.toLowerCase()
}

const RECOVERY_AT = 64
const RECOVERY_FIRST = 27

/** The same signature may end in 0 or 1 instead of 27 or 28: gateways accept that form, schedulers do not. */
function judgeEthereum(signature: Uint8Array, holds: (form: Uint8Array) => boolean): SignatureStatus {
  const recovery = signature[RECOVERY_AT] ?? RECOVERY_FIRST
  if (recovery > 1) return judge(holds(signature))
  const common = Uint8Array.from(signature)
  common[RECOVERY_AT] = recovery + RECOVERY_FIRST
  const reason = `the signature ends in the recovery byte ${recovery}: gateways accept it, schedulers do not`
  return holds(common) ? unverifiable(['signature'], reason) : judge(false)
}

/**
 * The uncompressed public key that made a 65-byte signature. As for the scheduler, the recovery id must be 27 or 28 and s low:
 * every other form would give the same content a second id.
 */
function recoverKey(digest: Uint8Array, signature: Uint8Array): Uint8Array | undefined {
  const recovery = (signature[RECOVERY_AT] ?? 0) - RECOVERY_FIRST
  if (signature.length !== 65 || (recovery !== 0 && recovery !== 1)) return undefined
  try {
    const parsed = secp256k1.Signature.fromBytes(signature.subarray(0, 64), 'compact')
    return parsed.hasHighS() ? undefined : parsed.addRecoveryBit(recovery).recoverPublicKey(digest).toBytes(false)
  } catch {
    return undefined // no point of the curve has this r
  }
}

/**
 * The address of an Ethereum key in EIP-55's mixed case, as the CU shows it (protocol §2.4).
 *
 * @param owner 65 bytes, uncompressed
 */
export function ethereumAddress(owner: Uint8Array): string {
  const hex = Buffer.from(keccak(owner.subarray(1)).subarray(12)).toString('hex')
  const checksum = Buffer.from(keccak(hex)).toString('hex')
  const letters = Array.from(hex, (letter, place) =>
    Number.parseInt(checksum.charAt(place), 16) >= 8 ? letter.toUpperCase() : letter
  )
  return `0x${letters.join('')}`
}

function keccak(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  return keccak_256(Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part))))
}
