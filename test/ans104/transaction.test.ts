import { createHash, generateKeyPairSync } from 'node:crypto'
import Arweave from 'arweave'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { dataRoot, verifyTransaction } from '../../src/ans104/transaction.ts'
import type { TransactionHeader } from '../../src/model/records.ts'

const KIB = 1024
const VALID = { status: 'valid' }
const arweave = new Arweave({ host: '127.0.0.1', port: 1, protocol: 'http' })
let key: Parameters<typeof arweave.transactions.sign>[1]
let signed: TransactionHeader
const DATA = Buffer.from('a module')

beforeAll(async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 4096 })
  key = privateKey.export({ format: 'jwk' }) as typeof key
  signed = await sign(DATA)
})

async function sign(data: Uint8Array): Promise<TransactionHeader> {
  const anchor = Buffer.alloc(48, 1).toString('base64url')
  const transaction = await arweave.createTransaction(
    { data, last_tx: anchor, reward: '12', target: Buffer.alloc(32).toString('base64url') },
    key
  )
  transaction.addTag('Type', 'Module')
  transaction.addTag('__proto__', 'ü')
  await arweave.transactions.sign(transaction, key)
  return JSON.parse(JSON.stringify(transaction)) as TransactionHeader
}

describe('verifyTransaction', () => {
  it('accepts a transaction signed by arweave.js, with its data and without', () => {
    expect(verifyTransaction(signed)).toEqual(VALID)
    expect(verifyTransaction(signed, DATA)).toEqual(VALID)
  })

  it('accepts a transaction without data and one of whole chunks', async () => {
    const whole = Buffer.alloc(256 * KIB, 7)
    expect(verifyTransaction(await sign(whole), whole)).toEqual(VALID)
    const rootless = { ...signed, data_root: '', data_size: '0' }
    expect(verifyTransaction(rootless, new Uint8Array(0)).status).toBe('invalid')
  })

  it('refuses other data', () => {
    const reason = 'the data is not the signed data'
    expect(verifyTransaction(signed, Buffer.from('A module'))).toEqual({ status: 'invalid', reason })
    expect(verifyTransaction(signed, DATA.subarray(1))).toEqual({ status: 'invalid', reason })
    expect(verifyTransaction(signed, new Uint8Array(0))).toEqual({ status: 'invalid', reason })
  })

  it('refuses every change of a field', () => {
    const id = Buffer.alloc(32, 5).toString('base64url')
    const misfit = { status: 'invalid', reason: 'the signature does not match the signed content' }
    for (const changed of [
      { target: id },
      { target: '' },
      { last_tx: id },
      { quantity: '1' },
      { reward: '13' },
      { data_size: '9' },
      { data_root: id }
    ]) {
      expect(verifyTransaction({ ...signed, ...changed }), JSON.stringify(changed)).toEqual(misfit)
    }
    expect(verifyTransaction({ ...signed, tags: [] })).toEqual(misfit)
    expect(verifyTransaction({ ...signed, tags: signed.tags.toReversed() })).toEqual(misfit)
    expect(verifyTransaction({ ...signed, owner: Buffer.alloc(512, 0xfd).toString('base64url') })).toEqual(misfit)
    expect(verifyTransaction({ ...signed, id })).toEqual({ status: 'invalid', reason: 'the id does not match the signature' })
    expect(verifyTransaction({ ...signed, signature: id })).toEqual({
      status: 'invalid',
      reason: 'the id does not match the signature'
    })
  })

  it('refuses malformed fields', () => {
    const reason = 'a field of the transaction is malformed'
    const badTag = [{ name: 'no base64url', value: '' }]
    const large = [{ name: '', value: 'A'.repeat(2 ** 20 + 4) }]
    for (const changed of [
      { owner: '*' },
      { target: '*' },
      { last_tx: '=' },
      { data_root: 'A' },
      { signature: '*' },
      { tags: badTag },
      { tags: large }
    ]) {
      expect(verifyTransaction({ ...signed, ...changed })).toEqual({ status: 'invalid', reason })
    }
    for (const amount of ['', '-1', '1.0', '1e3', '1'.repeat(31)]) {
      for (const field of ['quantity', 'reward', 'data_size']) {
        expect(verifyTransaction({ ...signed, [field]: amount })).toEqual({ status: 'invalid', reason })
      }
    }
  })

  it('leaves transactions of format 1 or without an RSA key unverified', () => {
    expect(verifyTransaction({ ...signed, format: 1 })).toMatchObject({ status: 'unverifiable', hidden: ['data'] })
    expect(verifyTransaction({ ...signed, owner: '' })).toMatchObject({ status: 'unverifiable', hidden: ['key'] })
  })
})

it('verifyTransaction gives a reason for a transaction that it does not verify', () => {
  expect(verifyTransaction({ ...signed, format: 1 })).toEqual({
    status: 'unverifiable',
    hidden: ['data'],
    reason: 'transactions of format 1 are not verified'
  })
  expect(verifyTransaction({ ...signed, owner: '' })).toEqual({
    status: 'unverifiable',
    hidden: ['key'],
    reason: 'the transaction has no RSA key'
  })
})

it('verifyTransaction limits the text of all tags to 1 MiB, names and values together', () => {
  const tags = (chars: number) => [
    { name: 'AAAA', value: '' },
    { name: '', value: 'A'.repeat(chars - 4) }
  ]
  const misfit = 'the signature does not match the signed content'
  expect(verifyTransaction({ ...signed, tags: tags(2 ** 20) })).toEqual({ status: 'invalid', reason: misfit })
  expect(verifyTransaction({ ...signed, tags: tags(2 ** 20 + 4) })).toEqual({
    status: 'invalid',
    reason: 'a field of the transaction is malformed'
  })
})

it('verifyTransaction accepts amounts of up to 30 digits without anything around them', () => {
  const of = (reward: string) => verifyTransaction({ ...signed, reward })
  const form = { status: 'invalid', reason: 'a field of the transaction is malformed' }
  expect(of('1'.repeat(30))).toEqual({ status: 'invalid', reason: 'the signature does not match the signed content' })
  for (const amount of ['x1', '1x', '1\n', ' 1', '1'.repeat(31)]) expect(of(amount)).toEqual(form)
})

it('verifyTransaction refuses a tag if its name or its value is no base64url', () => {
  for (const tag of [
    { name: '*', value: 'AA' },
    { name: 'AA', value: '*' }
  ]) {
    expect(verifyTransaction({ ...signed, tags: [tag] }).status).toBe('invalid')
    expect(verifyTransaction({ ...signed, tags: [tag] })).toMatchObject({
      reason: 'a field of the transaction is malformed'
    })
  }
})

describe('dataRoot', () => {
  const oracle = async (data: Uint8Array) => {
    const transaction = await arweave.createTransaction({ data, last_tx: '', reward: '0' }, key)
    await transaction.prepareChunks(data)
    return transaction.data_root
  }
  const root = (data: Uint8Array, emptyLast: boolean) => Buffer.from(dataRoot(data, emptyLast)).toString('base64url')

  it('agrees with arweave.js at every size at which the chunks change', async () => {
    for (const size of [
      1,
      32 * KIB,
      256 * KIB - 1,
      256 * KIB,
      256 * KIB + 1,
      288 * KIB - 1,
      288 * KIB,
      288 * KIB + 1,
      512 * KIB,
      513 * KIB,
      1030 * KIB
    ]) {
      const data = Buffer.alloc(size, size)
      expect(root(data, size % (256 * KIB) === 0), `${size} bytes`).toBe(await oracle(data))
    }
  })

  it('is the hash of one leaf if there is no data', () => {
    const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
    const leaf = sha256(sha256(sha256()), sha256(Buffer.alloc(32)))
    expect(Buffer.from(dataRoot(new Uint8Array(0)))).toEqual(leaf)
  })

  it('agrees with arweave.js at any size', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 900 * KIB }), async (size) => {
        const data = Buffer.alloc(size, createHash('sha256').update(String(size)).digest())
        expect(root(data, size % (256 * KIB) === 0)).toBe(await oracle(data))
      }),
      { numRuns: 15 }
    )
  })
})
