/** The address space that this process may use. */
import { readFileSync } from 'node:fs'

/** Bytes, if the system limits them (`ulimit -v`); undefined if it does not, or if the limit is unknown. */
export function addressSpaceBytes(): number | undefined {
  try {
    const soft = /^Max address space\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return soft === undefined ? undefined : Number(soft)
  } catch {
    return undefined
  }
}
