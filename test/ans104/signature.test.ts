import { generateKeyPairSync } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { describe, expect, it } from 'vitest'
import { verifyItem } from '../../src/ans104/data-item.ts'
import { ethereumAddress, verifyRsaPss, verifySignature } from '../../src/ans104/signature.ts'
import { ed25519Signer, ethereumSigner, signedItem } from '../verify/fixtures.ts'

const MESSAGE = new Uint8Array(48).fill(3)
const MISFIT = { status: 'invalid', reason: 'the signature does not match the signed content' }

describe('Ethereum signatures', () => {
  const signer = ethereumSigner(7)
  const signature = signer.sign(MESSAGE)
  const verdict = (changed: Uint8Array, owner = signer.owner) => verifySignature(3, owner, MESSAGE, changed)
  const withRecovery = (byte: number) => Uint8Array.from([...signature.subarray(0, 64), byte])

  it('are valid only with their recovery id 27 or 28, and of other ids only its form 0 or 1 matches', () => {
    const made = signature[64] ?? 0
    for (let byte = 0; byte < 256; byte++) {
      const expected = byte === made ? 'valid' : byte === made - 27 ? 'unverifiable' : 'invalid'
      expect(verdict(withRecovery(byte)).status, `recovery id ${byte}`).toBe(expected)
    }
    expect([27, 28]).toContain(made)
  })

  it('are unproven, not invalid, with the recovery byte 0 or 1, which gateways accept and schedulers do not', () => {
    const byte = (signature[64] ?? 0) - 27
    expect(verdict(withRecovery(byte))).toEqual({
      status: 'unverifiable',
      reason: `the signature ends in the recovery byte ${byte}: gateways accept it, schedulers do not`,
      hidden: ['signature']
    })
    expect(verdict(withRecovery(byte), ethereumSigner(8).owner)).toEqual(MISFIT)
    expect(verdict(withRecovery(1 - byte))).toEqual(MISFIT)
  })

  it('have only one form: the twin with a high s is refused', () => {
    const s = BigInt(`0x${Buffer.from(signature.subarray(32, 64)).toString('hex')}`)
    const high = Buffer.from((secp256k1.Point.Fn.ORDER - s).toString(16).padStart(64, '0'), 'hex')
    const twin = Uint8Array.from([...signature.subarray(0, 32), ...high, 55 - (signature[64] ?? 0)])
    expect(verdict(twin)).toEqual(MISFIT)
  })

  it('are valid only for the whole uncompressed key', () => {
    const hybrid = Uint8Array.from(signer.owner)
    hybrid[0] = 6 + ((signer.owner[64] ?? 0) & 1)
    expect(verdict(signature, hybrid)).toEqual(MISFIT)
    expect(verdict(signature, ethereumSigner(8).owner)).toEqual(MISFIT)
  })

  it.each([
    ['too short', 64, 0],
    ['too long', 66, 27],
    ['zero', 65, 0],
    ['out of range', 65, 255]
  ])('are invalid, without an exception, if they are %s', (_, length, fill) => {
    const hostile = new Uint8Array(length).fill(fill)
    hostile[64] = 27
    expect(verdict(hostile)).toEqual(MISFIT)
  })

  it('are invalid if a byte follows them', () => {
    expect(verdict(signature).status).toBe('valid')
    expect(verdict(Uint8Array.from([...signature, 0]))).toEqual(MISFIT)
  })
})

describe('typed Ethereum signatures', () => {
  it('are valid only with an address as their key', () => {
    for (const owner of [new Uint8Array(42), Buffer.from(`0x${'g'.repeat(40)}`), Buffer.from('0x')]) {
      expect(verifySignature(7, owner, MESSAGE, ethereumSigner(7).sign(MESSAGE))).toEqual(MISFIT)
    }
  })
})

describe('ed25519 signatures', () => {
  it('prove nothing under a key of small order, where one signature matches every message', () => {
    const identity = new Uint8Array(32).fill(1, 0, 1)
    const signature = Uint8Array.from([...identity, ...new Uint8Array(32)])
    for (const type of [2, 4]) {
      expect(verifySignature(type, identity, MESSAGE, signature)).toEqual({
        status: 'unverifiable',
        hidden: ['key'],
        reason: 'the key is of small order: its signatures fit any message'
      })
    }
  })

  it('are invalid under bytes that are no key', () => {
    expect(verifySignature(2, new Uint8Array(32).fill(2), MESSAGE, new Uint8Array(64)).status).toBe('invalid')
    expect(verifySignature(2, new Uint8Array(31), MESSAGE, new Uint8Array(64)).status).toBe('invalid')
  })

  it('of one type are not valid as another type', () => {
    const item = signedItem(ed25519Signer(2))
    expect(verifyItem(item).status).toBe('valid')
    expect(verifyItem({ ...item, signatureType: 4 })).toEqual(MISFIT)
  })
})

describe('RSA signatures', () => {
  it.each([
    ['zero', new Uint8Array(512)],
    ['one', new Uint8Array(512).fill(1, 511)],
    ['tiny', new Uint8Array(512).fill(0xff, 508)],
    ['even', new Uint8Array(512).fill(0xfe)],
    ['empty', new Uint8Array(0)]
  ])('are invalid under a modulus that is %s', (_, modulus) => {
    expect(verifyRsaPss(modulus, MESSAGE, new Uint8Array(512))).toBe(false)
    expect(verifyRsaPss(modulus, MESSAGE, new Uint8Array(512).fill(1))).toBe(false)
  })

  it('are invalid if they have the wrong size', () => {
    const { n = '' } = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })
    const modulus = Buffer.from(n, 'base64url')
    for (const length of [0, 1, 127, 128, 129, 512])
      expect(verifyRsaPss(modulus, MESSAGE, new Uint8Array(length).fill(1))).toBe(false)
  })
})

it('a cached key is never used for another, however many keys there are', () => {
  const signers = Array.from({ length: 70 }, () => ed25519Signer(2))
  for (const signer of [...signers, ...signers]) {
    expect(verifySignature(2, signer.owner, MESSAGE, signer.sign(MESSAGE))).toEqual({ status: 'valid' })
    expect(verifySignature(2, signer.owner, MESSAGE.subarray(1), signer.sign(MESSAGE))).toEqual(MISFIT)
  }
})

describe('other types', () => {
  it.each([0, 5, 6, 8, 65_535])('of type %i are not verified', (type) => {
    expect(verifySignature(type, new Uint8Array(32), MESSAGE, new Uint8Array(64))).toEqual({
      status: 'unsupported',
      signatureType: type,
      reason: `signatures of type ${type} are not verified`
    })
  })
})

describe('ethereumAddress', () => {
  // Wallets of the mnemonic "test test … junk", which every development chain uses.
  it.each([
    ['ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80', '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'],
    ['59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d', '0x70997970C51812dc3A010C7d01b50e0d17dc79C8']
  ])('gives the address in the mixed case of EIP-55', (secret, address) => {
    expect(ethereumAddress(secp256k1.getPublicKey(Buffer.from(secret, 'hex'), false))).toBe(address)
  })
})
