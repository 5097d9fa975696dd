import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteReader, decodeBase64url, encodeBase64url, equalBytes } from '../../src/ans104/bytes.ts'

describe('base64url', () => {
  it('decodes the bytes that it encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) =>
        equalBytes(decodeBase64url(encodeBase64url(bytes)) ?? bytes.subarray(1), bytes)
      )
    )
  })

  it('accepts only one encoding of the same bytes', () => {
    for (const text of ['AQJ', 'AQI=', 'A+I', 'A/I', 'A I', 'A', 'AQI\n', 'AQÍ', '\u{FFFD}'])
      expect(decodeBase64url(text), text).toBeUndefined()
    expect(decodeBase64url('AQI')).toEqual(Buffer.from([1, 2]))
    expect(decodeBase64url('')).toEqual(Buffer.alloc(0))
  })

  it('decodes a text only if encoding the bytes gives it again', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('A', 'Q', 'b', '-', '_', '+', '/', '=', ' ') }), (text) => {
        const bytes = decodeBase64url(text)
        return bytes === undefined || encodeBase64url(bytes) === text
      })
    )
  })

  it('encodes only the bytes of a view, not those around it', () => {
    expect(encodeBase64url(Uint8Array.from([9, 1, 2, 9]).subarray(1, 3))).toBe('AQI')
  })
})

describe('ByteReader', () => {
  it('reads forward and counts the remaining bytes', () => {
    const reader = new ByteReader(Uint8Array.from([1, 2, 0, 3, 4, 5]))
    expect(reader.byte()).toBe(1)
    expect(reader.unsigned(2)).toBe(2)
    expect(reader.take(1)).toEqual(Uint8Array.from([3]))
    expect([reader.offset, reader.remaining]).toEqual([4, 2])
    expect(reader.rest()).toEqual(Uint8Array.from([4, 5]))
    expect(reader.failure).toBeUndefined()
  })

  it('keeps its first failure and gives no bytes afterwards', () => {
    const reader = new ByteReader(Uint8Array.from([1, 2]))
    reader.byte()
    expect(reader.take(2)).toHaveLength(0)
    expect(reader.failure).toBe('cut short at 1: 2 bytes needed, 1 left')
    expect(reader.neededBytes).toBe(3)
    expect(reader.byte()).toBe(0)
    reader.fail('another')
    expect(reader.failure).toBe('cut short at 1: 2 bytes needed, 1 left')
    expect(reader.offset).toBe(1)
  })

  it('distinguishes malformed bytes from missing ones', () => {
    const reader = new ByteReader(Uint8Array.from([1]))
    reader.fail('malformed')
    reader.take(5)
    expect([reader.failure, reader.neededBytes]).toEqual(['malformed', 0])
  })

  it('reads little-endian numbers up to 2^53 - 1', () => {
    const most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0]
    expect(new ByteReader(Uint8Array.from(most)).unsigned(8)).toBe(Number.MAX_SAFE_INTEGER)
    const reader = new ByteReader(Uint8Array.from([0, 0, 0, 0, 0, 0, 0x20, 0]))
    expect([reader.unsigned(8), reader.failure]).toEqual([0, 'the number at 0 is too large'])
    const far = new ByteReader(new Uint8Array(32).fill(1, 31))
    far.unsigned(32)
    expect(far.failure).toBe('the number at 0 is too large')
  })
})
