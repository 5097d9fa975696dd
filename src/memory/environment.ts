/** The C environment in a module's memory, which reveals the execution profile of a Compute Unit (profiles §3.2). */

export interface EnvironmentBlock {
  /** The address of the first string, in bytes. */
  readonly offset: number
  /** In bytes, including the last string's zero. */
  readonly length: number
  /** `NAME=value`, in order. */
  readonly strings: readonly string[]
}

const FIRST_STRINGS = Buffer.from('USER=web_user\0LOGNAME=')
const MAX_STRINGS = 32
const MAX_STRING_BYTES = 4096
const MAX_OCCURRENCES = 64
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*=[^\p{Cc}\uFFFD]*$/u

/**
 * Finds blocks that look like the strings that emscripten writes when an instance starts: `USER=web_user`, `LOGNAME=…`, …,
 * `_=<script path>`, one after the other, each with a zero at its end. The data of a module or a process may contain similar
 * strings at lower or higher addresses; only a replay shows which block is the unit's.
 *
 * @param memory a module's linear memory
 * @returns the complete blocks among the first 64 candidates, from the lowest address on
 */
export function* environmentBlocks(memory: Uint8Array): Generator<EnvironmentBlock> {
  const bytes = asBuffer(memory)
  let offset = bytes.indexOf(FIRST_STRINGS)
  for (let tried = 0; offset >= 0 && tried < MAX_OCCURRENCES; tried++) {
    const block = readBlock(bytes, offset)
    if (block !== undefined) yield block
    offset = bytes.indexOf(FIRST_STRINGS, offset + 1)
  }
}

/** The first of {@link environmentBlocks}. */
export function environmentBlock(memory: Uint8Array): EnvironmentBlock | undefined {
  for (const block of environmentBlocks(memory)) return block
  return undefined
}

/** Reads the strings from `offset` to the last one, which names the script. */
function readBlock(bytes: Buffer, offset: number): EnvironmentBlock | undefined {
  const strings: string[] = []
  let start = offset
  while (strings.length < MAX_STRINGS) {
    const end = bytes.subarray(start, start + MAX_STRING_BYTES).indexOf(0)
    if (end < 0) return undefined
    const text = bytes.toString('utf8', start, start + end)
    if (!VARIABLE.test(text)) return undefined
    strings.push(text)
    start += end + 1
    if (text.startsWith('_=')) return { offset, length: start - offset, strings }
  }
  return undefined
}

/** The same bytes as a Buffer, not copied. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
