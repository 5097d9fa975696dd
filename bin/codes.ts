/** Exit codes (docs/cli.md). */
export const MATCH = 0
/** No other outcome ends with this code. */
export const MISMATCH = 1
export const USAGE = 2
export const INCONCLUSIVE = 3
export const FAULT = 4
export const INTERRUPTED = 130

const MACHINE = ['EMFILE', 'ENFILE', 'ENOSPC', 'EDQUOT', 'EROFS', 'EAGAIN', 'ENOMEM', 'ERR_WORKER_INIT_FAILED']

/** Whether the machine refused files, processes, threads, space or memory, judged by the system's error code. */
export function isOfMachine(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  // Node's own module loader reports it only in words.
  return MACHINE.includes((error as NodeJS.ErrnoException).code ?? '') || /too many open files/i.test(error.message)
}
