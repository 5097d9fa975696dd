/** The C environment in a module's memory: what tells the execution profile of a Compute Unit (profiles §3.2). */

export interface EnvironmentBlock {
  /** Of the first string, in bytes. */
  readonly offset: number
  /** With the last string's zero, in bytes. */
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
 * Finds what looks like the strings that emscripten lays down when an instance starts: `USER=web_user`, `LOGNAME=…`, …,
 * `_=<script path>`, each ended by a zero, one behind the other. A module's data or a process's own may hold the like, before them or
 * behind them: which one is the unit's only a replay can tell.
 *
 * @param memory a module's linear memory
 * @returns those that are whole, from the lowest address on, of the first 64 places that begin like one
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

/** Strings from `offset` to the one that names the script, which is the last. */
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
