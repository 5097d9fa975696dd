/** Items that tests sign themselves, with keys that exist only during the test. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { encodeTags } from '../../src/ans104/avro-tags.ts'
import { encodeBase64url } from '../../src/ans104/bytes.ts'
import { type DataItem, idOfSignature, signedMessage } from '../../src/ans104/data-item.ts'
import { deepHash } from '../../src/ans104/deep-hash.ts'
import type { Address, ProcessId } from '../../src/model/ids.ts'
import type { ScheduledMessage, Tag, WireItem } from '../../src/model/records.ts'
import { wireOfItem } from '../../src/verify/as-signed.ts'

export interface TestSigner {
  readonly type: number
  readonly owner: Uint8Array
  sign(message: Uint8Array): Uint8Array
}

/** `key`: any number except 0; the same number gives the same signer. */
export function ethereumSigner(key: number): TestSigner {
  const secret = Buffer.alloc(32)
  secret.writeUInt32BE(key, 28)
  return { type: 3, owner: secp256k1.getPublicKey(secret, false), sign: (message) => signEthereum(secret, personal(message)) }
}

function personal(message: Uint8Array): Uint8Array {
  return keccak_256(Buffer.concat([Buffer.from(`\x19Ethereum Signed Message:\n${message.length}`), message]))
}

function signEthereum(secret: Uint8Array, digest: Uint8Array): Uint8Array {
  const [recovery = 0, ...compact] = secp256k1.sign(digest, secret, { prehash: false, format: 'recovered' })
  return Uint8Array.from([...compact, recovery + 27])
}

export function ed25519Signer(type: 2 | 4, form: 'bytes' | 'hex' = 'bytes'): TestSigner {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const signed = (message: Uint8Array) => (form === 'hex' ? Buffer.from(Buffer.from(message).toString('hex')) : message)
  return { type, owner: rawKey(publicKey), sign: (message) => sign(null, signed(message), privateKey) }
}

function rawKey(key: KeyObject): Uint8Array {
  return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url')
}

export interface ItemFields {
  readonly target?: Uint8Array
  readonly anchor?: Uint8Array
  readonly tags?: readonly Tag[]
  readonly rawTags?: Uint8Array
  readonly data?: Uint8Array | string
}

const NONE = new Uint8Array(0)

export function signedItem(
  signer: TestSigner,
  { target = NONE, anchor = NONE, tags = [], rawTags, data = '' }: ItemFields = {}
): DataItem {
  const unsigned = {
    signatureType: signer.type,
    signature: NONE,
    owner: signer.owner,
    target,
    anchor,
    rawTags: rawTags ?? encodeTags(tags),
    tags,
    data: typeof data === 'string' ? Buffer.from(data) : data
  }
  return { ...unsigned, signature: signer.sign(signedMessage(unsigned, deepHash(unsigned.data))) }
}

/** An assignment as shown with `show-anchor`. */
export function assignmentWire(item: DataItem): WireItem {
  const { data: _, ...wire } = wireOfItem(item)
  return { ...wire, anchor: encodeBase64url(item.anchor) }
}

export const bytes32 = (fill: number): Uint8Array => new Uint8Array(32).fill(fill)
export const idOf = (item: DataItem): ProcessId => idOfSignature(item.signature) as ProcessId
export const addressOf = (signer: TestSigner): Address => wireOfItem(signedItem(signer)).owner.address as Address

/** The message that a scheduler would serve at `nonce`; `overrides` replace tags (undefined omits one). */
export function scheduledMessage(
  scheduler: TestSigner,
  nonce: number,
  { hashChain, process, message, overrides = {} }: ScheduledParts
): ScheduledMessage {
  const messageId = message === undefined ? process : idOf(message)
  const values = {
    Process: process,
    Epoch: '0',
    Nonce: String(nonce),
    'Hash-Chain': hashChain,
    'Block-Height': String(1_500_000 + nonce).padStart(12, '0'),
    Timestamp: String(1_720_000_000_000 + nonce * 1000),
    ...(message === undefined ? {} : { Message: messageId }),
    ...overrides
  }
  const tags = Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]))
  return {
    nonce,
    epoch: 0,
    timestamp: 1_720_000_000_000 + nonce * 1000,
    blockHeight: 1_500_000 + nonce,
    hashChain,
    assignment: assignmentWire(signedItem(scheduler, { anchor: bytes32(nonce + 1), tags })) as ScheduledMessage['assignment'],
    message: message === undefined ? null : wireOfItem(message),
    messageId: messageId as unknown as ScheduledMessage['messageId']
  }
}

export interface ScheduledParts {
  readonly hashChain: string
  readonly process: ProcessId
  readonly message?: DataItem
  readonly overrides?: Readonly<Record<string, string | undefined>>
}
