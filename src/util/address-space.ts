/** How much address space this process may have. */
import { readFileSync } from 'node:fs'

/** Bytes, where the system bounds them (`ulimit -v`); undefined where it does not, or does not say. */
export function addressSpaceBytes(): number | undefined {
  try {
    const soft = /^Max address space\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return soft === undefined ? undefined : Number(soft)
  } catch {
    return undefined
  }
}
