/** How much a message holds. */

/** The characters of its texts, names and all, whatever they lie in: what it takes to keep or to send it. */
export function messageChars(message: unknown): number {
  if (typeof message === 'string') return message.length
  if (typeof message !== 'object' || message === null) return 1
  let chars = 0
  for (const [name, value] of Object.entries(message)) chars += name.length + messageChars(value)
  return chars
}
