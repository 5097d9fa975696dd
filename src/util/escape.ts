/** Escapes text from outside for a terminal or a page: its author may want to control the terminal or inject markup. */

/**
 * Controls, format characters (bidi, zero-width), lone surrogates, private and unassigned code points, line and paragraph
 * separators, and all else that a reader would not see.
 */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u
const ALL_UNSEEN = new RegExp(UNSEEN.source, 'gu')

/**
 * A word that is plain text anywhere in Markdown: letters and digits, with harmless punctuation between and after them. It has no
 * punctuation that begins markup, and is no address that becomes a link by itself.
 */
const PLAIN_WORD = /^(?!www\.)\(?[\p{L}\p{N}]+(?:[-'’,][\p{L}\p{N}]+|\.\p{N}+)*[,;:.)…?]{0,3}$/iu

/**
 * Makes text safe to print on a terminal: an invisible character is shown as `\u{1b}`. A backslash is not escaped, so the result
 * is for reading, not for decoding.
 *
 * @param text from outside
 * @param maxChars the most characters of the result before `… (N more)`; N counts UTF-16 units of `text`
 * @returns one line without control characters
 *
 * @example
 * ```ts
 * escapeForTerminal('a\u001b[31mb', 80) // 'a\\u{1b}[31mb'
 * escapeForTerminal('abcdef', 4)        // 'abcd… (2 more)'
 * ```
 */
export function escapeForTerminal(text: string, maxChars: number): string {
  let shown = ''
  let read = 0
  for (const character of text) {
    const next = shownAs(character)
    if (shown.length + next.length > maxChars) return `${shown}… (${text.length - read} more)`
    shown += next
    read += character.length
  }
  return shown
}

/** Whether {@link escapeForTerminal} shows all of a text. */
export function fitsTerminal(text: string, maxChars: number): boolean {
  let length = 0
  for (const character of text) {
    length += shownAs(character).length
    if (length > maxChars) return false
  }
  return true
}

function shownAs(character: string): string {
  return UNSEEN.test(character) ? visible(character) : character
}

/** As the first word it would begin a list. */
const LIST_NUMBER = /^\d+[.)]$/

/**
 * A value from outside as a code span for a table's cell, a list or running text: escaped as by {@link escapeForTerminal}, in a
 * fence that is longer than any run of backticks in it. A `|` is shown as `\u{7c}`, because Markdown splits a table's cells before
 * it reads code spans.
 *
 * @param text from outside
 * @param maxChars as for {@link escapeForTerminal}
 *
 * @example
 * ```ts
 * codeSpan('<b>', 80)  // '`<b>`'
 * codeSpan('a`b', 80)  // '``a`b``'
 * codeSpan('', 80)     // '(empty)'
 * ```
 */
export function codeSpan(text: string, maxChars: number): string {
  if (text === '') return '(empty)'
  const shown = escapeForTerminal(text, maxChars).replaceAll('|', visible('|'))
  const runs = shown.match(/`+/g) ?? []
  const fence = '`'.repeat(Math.max(0, ...runs.map(({ length }) => length)) + 1)
  // Markdown strips one space from each end if both ends have one.
  const padding = /^[` ]|[` ]$/.test(shown) ? ' ' : ''
  return `${fence}${padding}${shown}${padding}${fence}`
}

/**
 * A sentence that may hold text from outside, in Markdown: plain words stay as they are, and anything that could be markup becomes
 * a code span, together with the whole quotation that it is part of.
 *
 * @param text with words from outside
 * @param maxChars as for {@link escapeForTerminal}
 *
 * @example
 * ```ts
 * markdownSentence('http://unit.example did not answer', 80) // '`http://unit.example` did not answer'
 * ```
 */
export function markdownSentence(text: string, maxChars: number): string {
  const parts: { readonly isPlain: boolean; text: string }[] = []
  for (const word of escapeForTerminal(text, maxChars).split(' ')) {
    const last = parts.at(-1)
    const isQuoted = last?.isPlain === false && last.text.split('"').length % 2 === 0
    const isPlain = PLAIN_WORD.test(word) && !isQuoted && !(last === undefined && LIST_NUMBER.test(word))
    if (last?.isPlain === isPlain) last.text += ` ${word}`
    else parts.push({ isPlain, text: word })
  }
  return parts.map((part) => (part.isPlain ? part.text : spanOf(part.text))).join(' ')
}

/** Keeps punctuation after the last word out of the code span. */
function spanOf(words: string): string {
  const [, value = '', behind = ''] = /^(.*?)([,;:]?)$/u.exec(words) ?? []
  return value === '' ? codeSpan(words, Number.POSITIVE_INFINITY) : `${codeSpan(value, Number.POSITIVE_INFINITY)}${behind}`
}

/**
 * Makes the text of a JSON document safe to print and keeps its meaning: an invisible character becomes `\uXXXX`.
 *
 * @param json as `JSON.stringify` writes it; its line feeds stay
 */
export function escapeJsonText(json: string): string {
  return json.replace(ALL_UNSEEN, (character) => (character === '\n' ? character : utf16Escapes(character)))
}

function visible(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`
}

function utf16Escapes(character: string): string {
  return Array.from({ length: character.length }, (_, unit) => {
    return `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`
  }).join('')
}
