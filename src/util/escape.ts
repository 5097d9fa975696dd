/** Text from outside, made fit for a terminal or a page: whoever wrote it may want to steer the one or break out of the other. */

/**
 * Controls, format characters (bidi, zero-width), lone surrogates, private and unassigned code points, line and paragraph
 * separators, and whatever else a reader would not see.
 */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u
const ALL_UNSEEN = new RegExp(UNSEEN.source, 'gu')

/** All that Markdown or HTML could give a meaning to, wherever it stands: ASCII punctuation. */
const MARKUP = /[!-/:-@[-`{-~]/g

/**
 * Makes text safe to print on a terminal: what cannot be seen is shown as `\u{1b}`. A backslash stays one, so the result is
 * for reading, not for decoding.
 *
 * @param text from outside
 * @param maxChars how many characters of the result may stand before `… (N more)`; N counts UTF-16 units of `text`
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

/**
 * Makes text safe in Markdown, in a table's cell, a list or running text: as {@link escapeForTerminal}, and all ASCII
 * punctuation as numeric entities, so that nothing becomes markup, HTML, a link or the cell's end.
 *
 * @param text from outside
 * @param maxChars as for {@link escapeForTerminal}, counted before the entities
 * @returns text that a Markdown reader shows as it was. Not for code spans, which do not decode entities: use `<code>`.
 *
 * @example
 * ```ts
 * escapeForMarkdown('a|<b>', 80) // 'a&#124;&#60;b&#62;'
 * ```
 */
export function escapeForMarkdown(text: string, maxChars: number): string {
  return escapeForTerminal(text, maxChars).replace(MARKUP, (character) => `&#${character.charCodeAt(0)};`)
}

/**
 * Makes the text of a JSON document safe to print and keeps its meaning: what cannot be seen becomes `\uXXXX`.
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
