/** Quotes text from outside in a message: short, and without terminal control characters. */

/**
 * @param text from a unit
 * @param maxChars the longest text that is shown in full
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
