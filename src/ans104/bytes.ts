/** Bytes from outside: strict base64url, and a reader that never reads past the end. */

/** The result of parsing hostile bytes: a value, or the reason why there is none. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string }

export const EMPTY: Uint8Array = new Uint8Array(0)

/**
 * The bytes of unpadded base64url in its canonical form (RFC 4648 §5). Other letters, padding or stray bits give undefined.
 *
 * @example
 * ```ts
 * decodeBase64url('AQI') // Uint8Array [1, 2]
 * decodeBase64url('AQJ') // undefined: the last letter has bits that belong to no byte
 * ```
 */
export function decodeBase64url(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}

/** Unpadded base64url. */
export function encodeBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')
}

/** Whether both hold the same bytes. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

/**
 * Reads forward through bytes. The first read that is impossible sets `failure`; every later read gives zero or no bytes, so that a
 * parser can read from top to bottom and check once, at its end. Loops check before each round.
 */
export class ByteReader {
  /** Why reading failed; undefined as long as it has not. */
  failure: string | undefined = undefined
  /** If bytes are missing: how many are needed, counted from the start. After any other failure 0. */
  neededBytes = 0
  /** The offset of the next byte. */
  offset = 0
  private readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get remaining(): number {
    return this.bytes.length - this.offset
  }

  /** Makes every further read fail; the first reason is kept. */
  fail(reason: string): void {
    this.failure ??= reason
  }

  /** The next `count` bytes, not copied. */
  take(count: number): Uint8Array {
    if (this.failure !== undefined) return EMPTY
    if (count > this.remaining) {
      this.neededBytes = this.offset + count
      this.fail(`cut short at ${this.offset}: ${count} bytes needed, ${this.remaining} left`)
      return EMPTY
    }
    const taken = this.bytes.subarray(this.offset, this.offset + count)
    this.offset += count
    return taken
  }

  /** All that is left. */
  rest(): Uint8Array {
    return this.take(this.remaining)
  }

  /** One byte. */
  byte(): number {
    return this.take(1)[0] ?? 0
  }

  /** An unsigned little-endian number of `width` bytes; a number above 2^53 - 1 is a failure. */
  unsigned(width: number): number {
    const bytes = this.take(width)
    let value = 0
    for (let place = bytes.length - 1; place >= 0; place--) value = value * 256 + (bytes[place] ?? 0)
    if (value <= Number.MAX_SAFE_INTEGER) return value
    this.fail(`the number at ${this.offset - width} is too large`)
    return 0
  }
}
