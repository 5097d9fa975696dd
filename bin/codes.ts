/** Exit codes (docs/cli.md). */
export const MATCH = 0
/** Nothing else ever ends with it. */
export const MISMATCH = 1
export const USAGE = 2
export const INCONCLUSIVE = 3
export const FAULT = 4
export const INTERRUPTED = 130

const MACHINE = ['EMFILE', 'ENFILE', 'ENOSPC', 'EDQUOT', 'EROFS', 'EAGAIN', 'ENOMEM', 'ERR_WORKER_INIT_FAILED']

/** Whether the machine refused something, by the system's code: files, processes, threads, space, memory. */
export function isOfMachine(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  // Node's own loader of modules says it in words alone.
  return MACHINE.includes((error as NodeJS.ErrnoException).code ?? '') || /too many open files/i.test(error.message)
}
