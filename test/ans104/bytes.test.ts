import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteReader, decodeBase64url, encodeBase64url, equalBytes } from '../../src/ans104/bytes.ts'

describe('base64url', () => {
  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) =>
        equalBytes(decodeBase64url(encodeBase64url(bytes)) ?? bytes.subarray(1), bytes)
      )
    )
  })

  it('has one form for each content', () => {
    for (const text of ['AQJ', 'AQI=', 'A+I', 'A/I', 'A I', 'A', 'AQI\n', 'AQÍ', '\u{FFFD}'])
      expect(decodeBase64url(text), text).toBeUndefined()
    expect(decodeBase64url('AQI')).toEqual(Buffer.from([1, 2]))
    expect(decodeBase64url('')).toEqual(Buffer.alloc(0))
  })

  it('reads no text as bytes but the text of those bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('A', 'Q', 'b', '-', '_', '+', '/', '=', ' ') }), (text) => {
        const bytes = decodeBase64url(text)
        return bytes === undefined || encodeBase64url(bytes) === text
      })
    )
  })

  it('writes a view, not what lies around it', () => {
    expect(encodeBase64url(Uint8Array.from([9, 1, 2, 9]).subarray(1, 3))).toBe('AQI')
  })
})

describe('ByteReader', () => {
  it('reads forward and knows what is left', () => {
    const reader = new ByteReader(Uint8Array.from([1, 2, 0, 3, 4, 5]))
    expect(reader.byte()).toBe(1)
    expect(reader.unsigned(2)).toBe(2)
    expect(reader.take(1)).toEqual(Uint8Array.from([3]))
    expect([reader.offset, reader.remaining]).toEqual([4, 2])
    expect(reader.rest()).toEqual(Uint8Array.from([4, 5]))
    expect(reader.failure).toBeUndefined()
  })

  it('keeps its first failure and then gives nothing', () => {
    const reader = new ByteReader(Uint8Array.from([1, 2]))
    reader.byte()
    expect(reader.take(2)).toHaveLength(0)
    expect(reader.failure).toBe('cut short: 2 bytes at 1, 1 are left')
    expect(reader.neededBytes).toBe(3)
    expect(reader.byte()).toBe(0)
    reader.fail('another')
    expect(reader.failure).toBe('cut short: 2 bytes at 1, 1 are left')
    expect(reader.offset).toBe(1)
  })

  it('tells malformed from cut short', () => {
    const reader = new ByteReader(Uint8Array.from([1]))
    reader.fail('malformed')
    reader.take(5)
    expect([reader.failure, reader.neededBytes]).toEqual(['malformed', 0])
  })

  it('reads numbers little-endian up to 2^53 - 1', () => {
    const most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0]
    expect(new ByteReader(Uint8Array.from(most)).unsigned(8)).toBe(Number.MAX_SAFE_INTEGER)
    const reader = new ByteReader(Uint8Array.from([0, 0, 0, 0, 0, 0, 0x20, 0]))
    expect([reader.unsigned(8), reader.failure]).toEqual([0, 'a number too large at 0'])
    const far = new ByteReader(new Uint8Array(32).fill(1, 31))
    far.unsigned(32)
    expect(far.failure).toBe('a number too large at 0')
  })
})
