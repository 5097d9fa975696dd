/** Words from outside inside a message of our own: short, and without what steers a terminal. */

/**
 * @param text from a unit
 * @param maxChars how much of it is shown
 *
 * @example
 * ```ts
 * shown('no\u001b[2Jsuch process', 20) // 'no?[2Jsuch process'
 * ```
 */
export function shown(text: string, maxChars = 200): string {
  const cut = text.length > maxChars ? `${text.slice(0, maxChars)}…` : text
  return cut.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?')
}
