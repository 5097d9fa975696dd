import { bundleAndSignData, createData, EthereumSigner } from 'arbundles'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseBundle, READ_BUNDLE_LIMITS } from '../../src/ans104/bundle.ts'
import { type DataItem, encodeDataItem, idOfSignature, verifyItem } from '../../src/ans104/data-item.ts'
import { ethereumSigner, signedItem } from '../verify/fixtures.ts'

const BUNDLE_TAGS = [
  { name: 'Bundle-Format', value: 'binary' },
  { name: 'Bundle-Version', value: '2.0.0' }
]
const signer = ethereumSigner(21)
const one = signedItem(signer, { data: 'one' })
const two = signedItem(signer, { data: 'two' })

function bundleOf(...items: readonly DataItem[]): Uint8Array {
  const number = (value: number) => {
    const bytes = Buffer.alloc(32)
    bytes.writeUInt32LE(value)
    return bytes
  }
  const encoded = items.map(encodeDataItem)
  const index = items.flatMap(({ signature }, place) => [
    number(encoded[place]?.length ?? 0),
    Buffer.from(idOfSignature(signature), 'base64url')
  ])
  return Buffer.concat([number(items.length), ...index, ...encoded])
}

const nest = (...items: readonly DataItem[]) => signedItem(signer, { tags: BUNDLE_TAGS, data: bundleOf(...items) })

function read(bytes: Uint8Array, limits = READ_BUNDLE_LIMITS) {
  const parsed = parseBundle(bytes, limits)
  if (!parsed.ok) return parsed.reason
  return parsed.value.map(({ id, depth, item, unopened }) => [
    id,
    depth,
    item.ok ? verifyItem(item.value).status : item.reason,
    unopened
  ])
}

describe('parseBundle', () => {
  it('reads a bundle that arbundles wrote', async () => {
    const oracle = new EthereumSigner(`0x${'11'.repeat(32)}`)
    const bundle = await bundleAndSignData([createData('a', oracle), createData('', oracle)], oracle)
    expect(read(bundle.getRaw())).toEqual(bundle.getIds().map((id) => [id, 1, 'valid', undefined]))
  })

  it('reads the items of a bundle and of nested bundles', () => {
    const inner = nest(two)
    const id = ({ signature }: DataItem) => idOfSignature(signature)
    expect(read(bundleOf())).toEqual([])
    expect(read(bundleOf(inner, one))).toEqual([
      [id(inner), 1, 'valid', undefined],
      [id(two), 2, 'valid', undefined],
      [id(one), 1, 'valid', undefined]
    ])
    expect(read(bundleOf(nest(nest(one))))).toEqual([
      [id(nest(nest(one))), 1, 'valid', undefined],
      [id(nest(one)), 2, 'valid', 'bundles nest deeper than 2 levels']
    ])
    expect(read(bundleOf(nest(nest(one))), { ...READ_BUNDLE_LIMITS, maxDepth: 3 })).toHaveLength(3)
  })

  it('opens an item as a bundle only if both of its tags say so', () => {
    for (const tags of [[BUNDLE_TAGS[0]], [BUNDLE_TAGS[1]], [BUNDLE_TAGS[0], { name: 'Bundle-Version', value: '1.0.0' }]]) {
      const item = signedItem(signer, { tags: tags.filter((tag) => tag !== undefined), data: bundleOf(one) })
      expect(read(bundleOf(item))).toHaveLength(1)
    }
  })

  it('gives a reason for each item or nested bundle that it cannot read, and reads the others', () => {
    const bytes = Uint8Array.from(bundleOf(one, two))
    bytes[32 + 32] = (bytes[32 + 32] ?? 0) ^ 1
    const [first, second] = read(bytes)
    expect(first?.[2]).toBe('the id does not match the signature')
    expect(second?.[2]).toBe('valid')
    const noBundle = signedItem(signer, { tags: BUNDLE_TAGS, data: 'no bundle' })
    expect(read(bundleOf(noBundle))).toEqual([
      [idOfSignature(noBundle.signature), 1, 'valid', 'bundle: cut short at 0: 32 bytes needed, 9 left']
    ])
    const broken = Uint8Array.from(bundleOf(one, two))
    broken[32 + 128] = 9
    expect(read(broken)[0]?.[2]).toBe('unknown signature type 9')
  })

  it('limits the number of items, including nested ones', () => {
    const limits = (maxItems: number) => ({ ...READ_BUNDLE_LIMITS, maxItems })
    expect(read(bundleOf(one, two), limits(2))).toHaveLength(2)
    expect(read(bundleOf(one, two), limits(1))).toBe('a bundle of 2 items is too large')
    expect(read(bundleOf(nest(one), two), limits(3))).toHaveLength(3)
    expect(read(bundleOf(nest(one), two), limits(2))).toBe('bundle: more than 2 items')
    expect(read(bundleOf(nest(one, two)), limits(2))).toEqual([
      [expect.anything(), 1, 'valid', 'a bundle of 2 items is too large']
    ])
  })

  it('refuses counts and sizes beyond the bytes of the bundle', () => {
    const bytes = bundleOf(one)
    const at = (place: number, value: number) => Uint8Array.from(bytes, (byte, index) => (index === place ? value : byte))
    expect(read(at(0, 2))).toMatch(/^bundle: /)
    expect(read(at(31, 1))).toBe('bundle: the number at 0 is too large')
    expect(read(at(63, 1))).toBe('bundle: the number at 0 is too large')
    expect(read(at(34, 1))).toMatch(/^bundle: cut short at 96: \d+ bytes needed/)
    expect(read(bytes.subarray(0, 31))).toBe('bundle: cut short at 0: 32 bytes needed, 31 left')
    expect(read(bytes.subarray(0, 95))).toBe('bundle: cut short at 32: 64 bytes needed, 63 left')
    expect(read(bytes.subarray(0, bytes.length - 1))).toMatch(/^bundle: cut short/)
  })

  it('returns a value for any bytes', () => {
    const base = bundleOf(nest(one), two)
    fc.assert(
      fc.property(fc.nat(base.length - 1), fc.nat(255), fc.nat(base.length), (place, value, length) => {
        const changed = Uint8Array.from(base.subarray(0, length))
        if (place < length) changed[place] = value
        const parsed = parseBundle(changed)
        expect(parsed.ok ? parsed.value.length <= 3 : parsed.reason.length > 0).toBe(true)
      }),
      { numRuns: 500 }
    )
  })
})
