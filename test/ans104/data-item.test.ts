import { generateKeyPairSync } from 'node:crypto'
import { ArweaveSigner, createData, EthereumSigner, DataItem as OracleItem, type Signer, TypedEthereumSigner } from 'arbundles'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { ANS104_TAG_LIMITS, encodeTags, encodeTagsOpen, encodeTagsSized } from '../../src/ans104/avro-tags.ts'
import { encodeDataItem, idOfSignature, isIdOf, parseDataItem, verifyDataItem, verifyItem } from '../../src/ans104/data-item.ts'
import { createItemStream } from '../../src/ans104/item-stream.ts'
import type { TransactionId } from '../../src/model/ids.ts'
import { bytes32, ed25519Signer, ethereumSigner, signedItem } from '../verify/fixtures.ts'

const ETHEREUM_KEY = '0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318'
const TAGS = [
  { name: 'Data-Protocol', value: 'ao' },
  { name: '__proto__', value: 'é' },
  { name: 'a', value: '' }
]
const VALID = { status: 'valid' }
const MISFIT = { status: 'invalid', reason: 'the signature does not match the signed content' }

let arweave: Signer
const signers: Record<string, () => Signer> = {
  'Arweave RSA': () => arweave,
  Ethereum: () => new EthereumSigner(ETHEREUM_KEY),
  'typed Ethereum': () => new TypedEthereumSigner(ETHEREUM_KEY)
}

beforeAll(() => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 4096 })
  arweave = new ArweaveSigner(privateKey.export({ format: 'jwk' }) as ConstructorParameters<typeof ArweaveSigner>[0])
})

async function oracleItem(signer: Signer, data: string | Uint8Array = 'data'): Promise<Uint8Array> {
  const item = createData(data, signer, {
    tags: TAGS,
    target: Buffer.from(bytes32(1)).toString('base64url'),
    anchor: 'x'.repeat(32)
  })
  await item.sign(signer)
  return item.getRaw()
}

/** A copy with one bit flipped. */
function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const changed = Uint8Array.from(bytes)
  changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return changed
}

describe('an item whose tags lack their closing zero', () => {
  const signer = ethereumSigner(9)
  const tag = fc.record({ name: fc.string({ maxLength: 20 }), value: fc.string({ maxLength: 20 }) })

  it('is valid, because its signature covers the section as it is, and shows the announced tags', () => {
    fc.assert(
      fc.property(fc.array(tag, { minLength: 1, maxLength: 6 }), (tags) => {
        const bytes = encodeDataItem(signedItem(signer, { tags, rawTags: encodeTagsOpen(tags), data: 'behind' }))
        const parsed = parseDataItem(bytes)
        expect(verifyDataItem(bytes)).toEqual(VALID)
        expect(parsed.ok && parsed.value.tags).toEqual(tags)
        expect(parsed.ok && Buffer.from(parsed.value.data).toString()).toBe('behind')
        const stream = createItemStream()
        for (const byte of bytes) stream.write(Uint8Array.of(byte))
        expect(stream.end()).toEqual(VALID)
      }),
      { numRuns: 50 }
    )
  })

  it('is not read past its section, and is refused if it announces another number of tags', () => {
    const tags = TAGS.slice(0, 2)
    const bytes = encodeDataItem(signedItem(signer, { tags, rawTags: encodeTagsOpen(tags), data: 'behind' }))
    const countAt = 2 + 65 + 65 + 1 + 1
    for (const announced of [0, 1, 3]) {
      const changed = Uint8Array.from(bytes)
      changed[countAt] = announced
      expect(parseDataItem(changed).ok, `${announced} announced`).toBe(false)
    }
  })
})

describe.each(Object.keys(signers))('an item of arbundles: %s', (name) => {
  const signer = () => signers[name]?.() ?? arweave

  it('is valid, and has the same fields as in arbundles', async () => {
    const bytes = await oracleItem(signer())
    const oracle = new OracleItem(Buffer.from(bytes))
    const parsed = parseDataItem(bytes)
    if (!parsed.ok) throw new Error(parsed.reason)
    const item = parsed.value
    expect(verifyDataItem(bytes, oracle.id as TransactionId)).toEqual(VALID)
    expect(item.tags).toEqual(TAGS)
    expect(idOfSignature(item.signature)).toBe(oracle.id)
    expect(Buffer.from(item.owner)).toEqual(oracle.rawOwner)
    expect(Buffer.from(item.target)).toEqual(oracle.rawTarget)
    expect(Buffer.from(item.anchor)).toEqual(oracle.rawAnchor)
    expect(Buffer.from(item.rawTags)).toEqual(oracle.rawTags)
    expect(Buffer.from(item.data)).toEqual(oracle.rawData)
    expect(Buffer.from(encodeDataItem(item))).toEqual(Buffer.from(bytes))
  })

  it('is valid without tags, target, anchor and data', async () => {
    const item = createData('', signer())
    await item.sign(signer())
    expect(verifyDataItem(item.getRaw())).toEqual(VALID)
  })

  it('is not valid under another id', async () => {
    const bytes = await oracleItem(signer())
    const id = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' as TransactionId
    expect(verifyDataItem(bytes, id)).toEqual({ status: 'invalid', reason: 'the id does not match the signature' })
  })

  it('is not valid if any bit is changed or if it is cut short anywhere', async () => {
    const bytes = await oracleItem(signer())
    const step = name === 'Arweave RSA' ? 7 : 5
    for (let bit = 0; bit < bytes.length * 8; bit += step)
      expect(verifyDataItem(flipped(bytes, bit)), `bit ${bit}`).not.toEqual(VALID)
    for (let length = 0; length < bytes.length; length += 3)
      expect(verifyDataItem(bytes.subarray(0, length))).not.toEqual(VALID)
  })
})

describe('items made here', () => {
  it.each([
    ['ed25519', ed25519Signer(2)],
    ['Solana, over hex', ed25519Signer(4, 'hex')],
    ['Ethereum', ethereumSigner(5)]
  ])('are valid to arbundles when signed by %s', async (_, signer) => {
    const item = signedItem(signer, { tags: TAGS, anchor: bytes32(7), data: 'data' })
    expect(verifyItem(item)).toEqual(VALID)
    expect(await OracleItem.verify(Buffer.from(encodeDataItem(item)))).toBe(true)
    expect(verifyItem({ ...item, data: Buffer.from('datA') })).toEqual(MISFIT)
    expect(await OracleItem.verify(Buffer.from(encodeDataItem({ ...item, data: Buffer.from('datA') })))).toBe(false)
  })

  it('are valid if a type 4 key signs the bytes or their hex text, but for type 2 only the bytes', () => {
    expect(verifyItem(signedItem(ed25519Signer(4, 'bytes')))).toEqual(VALID)
    expect(verifyItem(signedItem(ed25519Signer(2, 'hex')))).toEqual(MISFIT)
  })

  it('are read back as they were written', () => {
    const field = fc.oneof(fc.constant(new Uint8Array(0)), fc.uint8Array({ minLength: 32, maxLength: 32 }))
    const tags = fc.array(fc.record({ name: fc.string(), value: fc.string() }), { maxLength: 5 })
    const signer = ethereumSigner(9)
    fc.assert(
      fc.property(field, field, tags, fc.uint8Array({ maxLength: 200 }), (target, anchor, list, data) => {
        const item = signedItem(signer, { target, anchor, tags: list, data })
        const parsed = parseDataItem(encodeDataItem(item))
        expect(parsed.ok && plain(parsed.value)).toEqual(plain(item))
      }),
      { numRuns: 50 }
    )
  })

  const plain = (item: object) =>
    Object.entries(item).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
    ])

  it('are valid with their tags in any form of Avro', () => {
    const signer = ethereumSigner(3)
    const item = signedItem(signer, { tags: TAGS, rawTags: encodeTagsSized(TAGS) })
    const parsed = parseDataItem(encodeDataItem(item))
    expect(parsed.ok && parsed.value.tags).toEqual(TAGS)
    expect(verifyDataItem(encodeDataItem(item))).toEqual(VALID)
  })

  it('give the signature types that are not verified', () => {
    const layouts = [
      [5, 64, 32],
      [6, 2052, 1025]
    ] as const
    for (const [signatureType, signatureBytes, ownerBytes] of layouts) {
      const item = {
        ...signedItem(ethereumSigner(1)),
        signatureType,
        signature: new Uint8Array(signatureBytes),
        owner: new Uint8Array(ownerBytes)
      }
      expect(verifyDataItem(encodeDataItem(item))).toEqual({
        status: 'unsupported',
        signatureType,
        reason: `signatures of type ${signatureType} are not verified`
      })
    }
  })
})

describe('malformed items', () => {
  const item = signedItem(ethereumSigner(1), { tags: TAGS, target: bytes32(1), anchor: bytes32(2), data: 'data' })
  const bytes = encodeDataItem(item)
  const TARGET = 2 + 65 + 65
  const ANCHOR = TARGET + 33
  const COUNT = ANCHOR + 33
  const at = (place: number, ...values: number[]) => {
    const changed = Uint8Array.from(bytes)
    changed.set(values, place)
    return changed
  }

  it.each([
    ['type 0', at(0, 0), 'unknown signature type 0'],
    ['type 8', at(0, 8), 'unknown signature type 8'],
    ['type 259', at(1, 1), 'unknown signature type 259'],
    ['a target flag of 2', at(TARGET, 2), 'the presence byte of the target is 2'],
    ['an anchor flag of 255', at(ANCHOR, 255), 'the presence byte of the anchor is 255'],
    ['one tag too many', at(COUNT, 4), '3 tags, but 4 are announced'],
    ['no tags announced', at(COUNT, 0), '3 tags, but 0 are announced'],
    ['2^56 tags', at(COUNT + 7, 1), `the number at ${COUNT} is too large`],
    ['4 GB of tags', at(COUNT + 12, 1), `${2 ** 32 + item.rawTags.length} bytes of tags are too many`],
    ['no tag bytes', at(COUNT + 8, 0), '0 tags, but 3 are announced'],
    [
      'tags past the end',
      at(COUNT + 9, 1),
      `cut short at ${COUNT + 16}: ${256 + item.rawTags.length} bytes needed, ${item.rawTags.length + 4} left`
    ],
    ['nothing', new Uint8Array(0), 'cut short at 0: 2 bytes needed, 0 left']
  ])('are invalid for a stated reason: %s', (_, changed, reason) => {
    expect(verifyDataItem(changed)).toEqual({ status: 'invalid', reason })
  })

  it('are invalid if their tags exceed the given limits', () => {
    const many = signedItem(ethereumSigner(1), { tags: new Array(129).fill({ name: 'n', value: 'v' }) })
    expect(verifyDataItem(encodeDataItem(many))).toEqual(VALID)
    expect(verifyDataItem(encodeDataItem(many), undefined, ANS104_TAG_LIMITS)).toEqual({
      status: 'invalid',
      reason: 'tags: more than 128 tags'
    })
    expect(encodeTags(many.tags)).toEqual(many.rawTags)
  })

  it('give a reason for any bytes', () => {
    const start = fc.constantFrom(...[1, 2, 3, 4, 5, 6, 7].map((type) => [type, 0]))
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 400 }), ([type = 1, high = 0], rest) => {
        expect(verifyDataItem(Uint8Array.from([type, high, ...rest])).status).not.toBe('valid')
      }),
      { numRuns: 500 }
    )
  })
})

describe('isIdOf', () => {
  it('accepts only the canonical form of an id', () => {
    const { signature } = signedItem(ethereumSigner(1))
    const id = idOfSignature(signature)
    expect(isIdOf(id, signature)).toBe(true)
    expect(isIdOf(`${id}=`, signature)).toBe(false)
    expect(isIdOf('', signature)).toBe(false)
    expect(isIdOf(id, signature.subarray(1))).toBe(false)
  })
})

describe('an item as a stream', () => {
  const item = signedItem(ethereumSigner(2), { tags: TAGS, target: bytes32(1), data: Buffer.alloc(5000, 'x') })
  const bytes = encodeDataItem(item)
  const streamed = (source: Uint8Array, sizes: readonly number[], id?: TransactionId) => {
    const stream = createItemStream(id)
    let start = 0
    for (let turn = 0; start < source.length; turn++) {
      const end = start + (sizes[turn % sizes.length] ?? 1)
      if (!stream.write(source.subarray(start, end))) break
      start = end
    }
    return stream
  }

  it('gets the same verdict as in one piece, however it is split', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 })
    const place = fc.option(fc.integer({ min: 0, max: bytes.length * 8 - 1 }))
    fc.assert(
      fc.property(sizes, place, (cut, bit) => {
        const source = bit === null ? bytes : flipped(bytes, bit)
        const verdict = streamed(source, cut).end()
        expect(verdict).toEqual(verifyDataItem(source))
        expect(verdict.status === 'valid').toBe(bit === null)
      }),
      { numRuns: 150 }
    )
  })

  it('gets the same verdict as in one piece, wherever it is cut and whatever type its signature claims to be', () => {
    const length = fc.integer({ min: 0, max: bytes.length })
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 8 }), length, fc.integer({ min: 1, max: 400 }), (type, end, size) => {
        const source = Uint8Array.from(bytes)
        source[0] = type
        const cut = source.subarray(0, end)
        expect(streamed(cut, [size]).end()).toEqual(verifyDataItem(cut))
      }),
      { numRuns: 300 }
    )
  })

  it('shows the header as soon as it is complete', () => {
    const stream = createItemStream()
    const headerBytes = bytes.length - item.data.length
    expect(stream.write(bytes.subarray(0, headerBytes - 1))).toBe(true)
    expect(stream.header()).toBeUndefined()
    expect(stream.write(bytes.subarray(headerBytes - 1, headerBytes))).toBe(true)
    expect(stream.header()?.tags).toEqual(TAGS)
    expect(stream.end()).toEqual(MISFIT)
  })

  it('is invalid if its id is not the requested one', () => {
    expect(streamed(bytes, [100], idOfSignature(item.signature)).end()).toEqual(VALID)
    expect(streamed(bytes, [100], idOfSignature(bytes)).end()).toEqual({
      status: 'invalid',
      reason: 'the id does not match the signature'
    })
  })

  it('needs no more bytes once it is known to be malformed', () => {
    const stream = createItemStream()
    expect(stream.write(Uint8Array.from([9, 0]))).toBe(false)
    expect(stream.write(bytes)).toBe(false)
    expect(stream.end()).toEqual({ status: 'invalid', reason: 'unknown signature type 9' })
  })

  it('is invalid with a reason if it ends within its header', () => {
    expect(createItemStream().end()).toEqual({ status: 'invalid', reason: 'cut short at 0: 2 bytes needed, 0 left' })
    const reason = 'cut short at 67: 65 bytes needed, 23 left'
    expect(streamed(bytes.subarray(0, 90), [7]).end()).toEqual({ status: 'invalid', reason })
  })
})
