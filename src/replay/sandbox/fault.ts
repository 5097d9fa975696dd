/** What a module does that leaves nothing to run. */

const DETAIL_CHARS = 300

/** The module cannot be compiled, instantiated or brought back to a state: nothing is said of anybody, and nobody's host is at fault. */
export class ModuleFault extends Error {
  constructor(what: string, cause?: unknown) {
    super(cause === undefined ? what : `${what}: ${textOf(cause)}`)
    this.name = 'ModuleFault'
  }
}

/** One line of an error, whatever was thrown. */
function textOf(error: unknown): string {
  const text = error instanceof Error ? error.message : typeof error === 'string' ? error : 'it threw what is no error'
  return text.replace(/\s+/g, ' ').slice(0, DETAIL_CHARS)
}
