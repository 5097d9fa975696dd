/** The size of a message. */

/** Counts the characters of all its texts and property names, at any depth: the cost of keeping or sending it. */
export function messageChars(message: unknown): number {
  if (typeof message === 'string') return message.length
  if (typeof message !== 'object' || message === null) return 1
  let chars = 0
  for (const [name, value] of Object.entries(message)) chars += name.length + messageChars(value)
  return chars
}
