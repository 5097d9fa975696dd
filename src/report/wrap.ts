/** Wraps text for a terminal, between words, and within words that are longer than a line. */

/** Characters that take two columns: East Asian scripts and emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u
/** Characters that combine with the previous one. */
const MARK = /\p{M}/u
const PLAIN = /^[\x20-\x7e]*$/

interface Wrapping {
  /** The columns of a line. */
  readonly width: number
  /** The column at which the text begins. */
  readonly begin: number
  /** The indent of all further lines, in columns. */
  readonly indent: number
}

/**
 * Breaks a text into lines.
 *
 * @param text escaped, in one line, without colours
 * @returns the lines, without the indents
 *
 * @example
 * ```ts
 * wrap('one two three', { width: 10, begin: 0, indent: 2 }) // ['one two', 'three']
 * ```
 */
export function wrap(text: string, { width, begin, indent }: Wrapping): readonly string[] {
  const lines: string[] = []
  let line: string | undefined
  let left = width - begin
  const end = () => {
    lines.push(line ?? '')
    line = undefined
    left = width - indent
  }
  for (const word of text.split(' ')) {
    let rest = word
    if (line !== undefined && columnsOf(word) < left) {
      line += ' '
      left--
    } else if (line !== undefined || (lines.length === 0 && begin > indent && columnsOf(word) > left)) end()
    while (columnsOf(rest) > left) {
      const head = headOf(rest, left)
      line = (line ?? '') + head
      rest = rest.slice(head.length)
      end()
    }
    line = (line ?? '') + rest
    left -= columnsOf(rest)
  }
  return line === undefined ? lines : [...lines, line]
}

function columnsOf(text: string): number {
  if (PLAIN.test(text)) return text.length
  let columns = 0
  for (const character of text) columns += columnsOfOne(character)
  return columns
}

function columnsOfOne(character: string): number {
  if (MARK.test(character)) return 0
  return WIDE.test(character) ? 2 : 1
}

/** The longest beginning that fits, but at least one character. */
function headOf(text: string, columns: number): string {
  let head = ''
  let taken = 0
  for (const character of text) {
    taken += columnsOfOne(character)
    if (taken > columns && head !== '') return head
    head += character
  }
  return head
}
