import { deserializeTags, serializeTags } from 'arbundles'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ANS104_TAG_LIMITS, decodeTags, encodeTags, encodeTagsSized, READ_TAG_LIMITS } from '../../src/ans104/avro-tags.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)
const tag = fc.record({
  name: fc.string({ unit: 'grapheme', maxLength: 90 }),
  value: fc.string({ unit: 'grapheme', maxLength: 90 })
})
const tags = fc.array(tag, { maxLength: 8 })

describe('encodeTags', () => {
  it('writes the same bytes as arbundles', () => {
    fc.assert(
      fc.property(tags, (list) => {
        expect(Buffer.from(encodeTags(list))).toEqual(serializeTags(list))
      })
    )
  })

  it('writes one block: its count, the tags and a zero', () => {
    expect(Buffer.from(encodeTags([{ name: 'a', value: 'b' }]))).toEqual(Buffer.from([2, 2, 97, 2, 98, 0]))
    expect(encodeTags([])).toHaveLength(0)
  })

  it.each([63, 64, 8191, 8192])('writes the length %i as arbundles does', (length) => {
    const tags = [{ name: 'a', value: 'x'.repeat(length) }]
    // The limit of arbundles is lower than the greatest of these.
    if (length <= 3072) expect(Buffer.from(encodeTags(tags))).toEqual(serializeTags(tags))
    expect(decodeTags(encodeTags(tags))).toEqual({ ok: true, value: tags })
  })

  it('writes long lengths in groups of seven bits', () => {
    const encoded = encodeTags([{ name: 'a', value: 'x'.repeat(3000) }])
    expect([...encoded.subarray(0, 5)]).toEqual([2, 2, 97, 0xf0, 0x2e])
    expect(decodeTags(encoded)).toEqual({ ok: true, value: [{ name: 'a', value: 'x'.repeat(3000) }] })
  })
})

describe('encodeTagsSized', () => {
  it('writes a negative count, the size and the same tags', () => {
    expect(Buffer.from(encodeTagsSized([{ name: 'a', value: 'b' }]))).toEqual(Buffer.from([1, 8, 2, 97, 2, 98, 0]))
    fc.assert(
      fc.property(tags, (list) => {
        const encoded = encodeTagsSized(list)
        expect(decodeTags(encoded)).toEqual({ ok: true, value: list })
        expect(deserializeTags(Buffer.from(encoded))).toEqual(list)
      })
    )
  })
})

describe('decodeTags', () => {
  it('reads back the written tags, including duplicates and __proto__', () => {
    const list = [
      { name: '__proto__', value: 'x' },
      { name: 'a', value: '' },
      { name: 'a', value: '' },
      { name: '', value: 'é😀\u{FFFD}' }
    ]
    expect(decodeTags(encodeTags(list))).toEqual({ ok: true, value: list })
    fc.assert(
      fc.property(tags, (some) => {
        expect(decodeTags(encodeTags(some))).toEqual({ ok: true, value: some })
      })
    )
  })

  it('reads tags in several blocks', () => {
    const encoded = bytes(2, 2, 97, 2, 98, 1, 8, 2, 99, 2, 100, 0)
    expect(decodeTags(encoded)).toEqual({
      ok: true,
      value: [
        { name: 'a', value: 'b' },
        { name: 'c', value: 'd' }
      ]
    })
  })

  it('shows invalid UTF-8 as U+FFFD and ignores bytes after the end', () => {
    expect(decodeTags(bytes(2, 2, 0xff, 0, 0, 7, 7))).toEqual({ ok: true, value: [{ name: '\u{FFFD}', value: '' }] })
  })

  it.each([
    ['no closing zero', bytes(2, 2, 97, 2, 98), 'tags: cut short at 5: 1 bytes needed, 0 left'],
    ['a string past the end', bytes(2, 2, 97, 40, 98, 0), 'tags: cut short at 4: 20 bytes needed, 2 left'],
    ['a string of negative length', bytes(2, 1, 97, 0), 'tags: a string of -1 bytes cannot be read'],
    ['a block of negative size', bytes(1, 1, 2, 97, 2, 98, 0), 'tags: a block of -1 bytes cannot be read'],
    ['a block larger than the remaining bytes', bytes(1, 12, 2, 97, 2, 98, 0), 'tags: a block of 6 bytes cannot be read'],
    ['more tags than there are bytes', bytes(8, 2, 97, 2, 98, 0), 'tags: cut short at 6: 1 bytes needed, 0 left'],
    ['a number without end', bytes(...new Array<number>(12).fill(0x80)), 'tags: a number is too large'],
    ['a number above 2^53', bytes(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f), 'tags: a number is too large']
  ])('refuses tags with %s', (_, encoded, reason) => {
    expect(decodeTags(encoded)).toEqual({ ok: false, reason })
  })

  it('reads a block whose size reaches exactly to the end of the bytes', () => {
    expect(decodeTags(bytes(1, 10, 2, 97, 2, 98, 0))).toEqual({ ok: true, value: [{ name: 'a', value: 'b' }] })
  })

  it('enforces every limit, and accepts tags that reach it exactly', () => {
    const many = (count: number) => encodeTags(new Array(count).fill({ name: 'n', value: 'v' }))
    const named = (bytes: number) => encodeTags([{ name: 'n'.repeat(bytes), value: '' }])
    const valued = (bytes: number) => encodeTags([{ name: '', value: 'v'.repeat(bytes) }])
    expect(decodeTags(many(128), ANS104_TAG_LIMITS).ok).toBe(true)
    expect(decodeTags(many(129), ANS104_TAG_LIMITS)).toEqual({ ok: false, reason: 'tags: more than 128 tags' })
    expect(decodeTags(named(1024), ANS104_TAG_LIMITS).ok).toBe(true)
    expect(decodeTags(named(1025), ANS104_TAG_LIMITS)).toEqual({
      ok: false,
      reason: 'tags: a string of 1025 bytes cannot be read'
    })
    expect(decodeTags(valued(3072), ANS104_TAG_LIMITS).ok).toBe(true)
    expect(decodeTags(valued(3073), ANS104_TAG_LIMITS)).toEqual({
      ok: false,
      reason: 'tags: a string of 3073 bytes cannot be read'
    })
    const [exact, over] = [4096, 4097].map((length) => Buffer.concat([valued(3), Buffer.alloc(length - 7)]))
    expect(decodeTags(exact ?? bytes(), ANS104_TAG_LIMITS).ok).toBe(true)
    expect(decodeTags(over ?? bytes(), ANS104_TAG_LIMITS)).toEqual({ ok: false, reason: '4097 bytes of tags are too many' })
    expect(decodeTags(many(129)).ok).toBe(true)
  })

  it('counts the tags of all blocks against the limit', () => {
    const block = [4, 0, 0, 0, 0]
    expect(decodeTags(bytes(...block, ...block, 0), { ...READ_TAG_LIMITS, maxTags: 3 })).toEqual({
      ok: false,
      reason: 'tags: more than 3 tags'
    })
  })

  it('returns a value for any bytes, within its limits', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (some) => {
        const read = decodeTags(some, ANS104_TAG_LIMITS)
        expect(read.ok ? read.value.length <= 128 : read.reason.length > 0).toBe(true)
      }),
      { numRuns: 2000 }
    )
  })
})
