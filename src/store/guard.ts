/** Turns errors of the file system and of level into the project's own. */
import { AuditError } from '../model/errors.ts'

/** Does the work and turns its errors into errors of the store. `done` completes "the store cannot be …". */
export type Guard = <T>(done: 'opened' | 'read' | 'written', work: Promise<T>) => Promise<T>

/** A guard for the store in `directory`; it throws AuditError `STORE_LOCKED` or `STORE_UNUSABLE`. */
export function guardOf(directory: string): Guard {
  return async (done, work) => {
    try {
      return await work
    } catch (error) {
      throw error instanceof AuditError ? error : storeError(directory, done, error)
    }
  }
}

function storeError(directory: string, done: string, error: unknown): AuditError {
  const cause = causeOf(error)
  if (isLocked(error)) {
    return new AuditError('STORE_LOCKED', `the store ${directory} is in use by another process`, {
      hint: 'wait for the other audit to end, or give another folder with --store DIR',
      cause
    })
  }
  const why = firstLineOf(cause)
  const remedy = /too many open files/i.test(why) ? 'allow more, with `ulimit -n 1024`' : 'give another folder with --store DIR'
  return new AuditError('STORE_UNUSABLE', `the store ${directory} cannot be ${done}`, { hint: `${why}; ${remedy}`, cause })
}

/** Whether level's error says that another process has it open. */
export function isLocked(error: unknown): boolean {
  return (causeOf(error) as NodeJS.ErrnoException).code === 'LEVEL_LOCKED'
}

/** level's error only says that it could not open; its cause says why. */
function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? error.cause : error
}

/** The first line of an error's message, at most 200 characters. */
export function firstLineOf(error: unknown): string {
  return (error instanceof Error ? error.message : 'unknown error').split('\n')[0]?.slice(0, 200) ?? ''
}
