/** Faults of a module after which nothing can run. */

const DETAIL_CHARS = 300

/** The module cannot be compiled, instantiated or restored to an earlier state. This blames neither a unit nor a host. */
export class ModuleFault extends Error {
  constructor(what: string, cause?: unknown) {
    super(cause === undefined ? what : `${what}: ${textOf(cause)}`)
    this.name = 'ModuleFault'
  }
}

/** Returns one line for any thrown value. */
function textOf(error: unknown): string {
  const text =
    error instanceof Error ? error.message : typeof error === 'string' ? error : 'it threw a value that is not an error'
  return text.replace(/\s+/g, ' ').slice(0, DETAIL_CHARS)
}
