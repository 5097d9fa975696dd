/** A walk through the bytes of a JSON text that was already parsed: finds details that parsing drops, with their paths. */

export type JsonPath = readonly (string | number)[]

export interface JsonVisitor {
  /** A key, and whether its object had the same key before. Its path is that of the value. */
  key(path: JsonPath, twice: boolean): void
  /** The text of a number. */
  number(path: JsonPath, text: string): void
  /** A key or a string, without its quotes, as bytes. */
  text(path: JsonPath, bytes: Uint8Array): void
  /** A value of any type, at its end. `from` and `to` are offsets in bytes; `to` is exclusive. */
  value(path: JsonPath, from: number, to: number): void
}

interface Container {
  /** undefined in a list. */
  readonly keys: Set<string> | undefined
  readonly from: number
  /** The next part of an object. */
  expects: 'key' | 'value'
}

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
/** Literals (`true`, `false`, `null`) begin with this byte or a higher one, numbers with a lower one. */
const LETTERS = 0x61
/** The bytes of numbers and literals. */
const OF_WORDS: ReadonlySet<number> = new Set(Buffer.from('+-.0123456789abcdefghijklmnopqrstuvwxyzE'))

/**
 * Visits everything once, in order. It keeps its own stack, so only memory limits the depth.
 *
 * @param bytes JSON that `JSON.parse` accepts once decoded; strings may hold invalid UTF-8
 */
export function scanJson(bytes: Uint8Array, visitor: JsonVisitor): void {
  const path: (string | number)[] = []
  const open: Container[] = []
  const decoder = new TextDecoder()

  const end = (from: number, to: number) => {
    visitor.value(path, from, to)
    const inside = open.at(-1)
    if (inside?.keys !== undefined) path.pop()
  }

  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    const inside = open.at(-1)
    if (byte === QUOTE) {
      const from = at
      at = endOfText(bytes, at + 1)
      const content = bytes.subarray(from + 1, at)
      if (inside?.keys !== undefined && inside.expects === 'key') {
        const name = JSON.parse(decoder.decode(bytes.subarray(from, at + 1))) as string
        path.push(name)
        visitor.text(path, content)
        visitor.key(path, inside.keys.has(name))
        inside.keys.add(name)
      } else {
        visitor.text(path, content)
        end(from, at + 1)
      }
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      const isObject = byte === OPEN_OBJECT
      open.push({ keys: isObject ? new Set() : undefined, from: at, expects: 'key' })
      if (!isObject) path.push(0)
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      open.pop()
      if (inside?.keys === undefined) path.pop()
      end(inside?.from ?? at, at + 1)
    } else if (byte === COLON) {
      if (inside !== undefined) inside.expects = 'value'
    } else if (byte === COMMA) {
      if (inside?.keys !== undefined) inside.expects = 'key'
      else path.push(Number(path.pop()) + 1)
    } else if (OF_WORDS.has(byte)) {
      const from = at
      while (OF_WORDS.has(bytes[at + 1] ?? 0)) at++
      if (byte < LETTERS) visitor.number(path, decoder.decode(bytes.subarray(from, at + 1)))
      end(from, at + 1)
    }
  }
}

/** The place of the quote that ends a string. */
function endOfText(bytes: Uint8Array, from: number): number {
  let at = from
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1
  return at
}
