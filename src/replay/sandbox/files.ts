/**
 * The loader's file system lives in an instance, and a CU begins instances where nobody sees it. What a message did there is known;
 * what a later one finds hangs on whether the instance is still the same.
 */

/** What was done to the file system of an instance. */
export interface FileState {
  /** Files that are open, less the standard streams that were closed. */
  open: number
  /** WeaveDrive made files. */
  driveMade: boolean
  /** Something was written to a terminal. */
  terminalWritten: boolean
  /** A call changed it. */
  changed(): void
  /** A standard stream is no longer what it was. */
  standardMoved: boolean
  /** Whether an answer may be another in an instance that began with this message. */
  hangsOnInstance(fd: number | undefined, succeeded: boolean): boolean
  /** What was done up to here is done in every instance. */
  instanceMade(): void
  beginMessage(): void
}

/** Of an instance, what is told of its files. */
interface FileHost {
  readonly files: FileState
  /** The instance holds what is no part of the memory. */
  filesTouched: boolean
  note(kind: 'files', name: string): void
  call<T>(name: string, act: () => T): T
}

type FileFunction = (...args: unknown[]) => unknown

const OPEN_CREATES = 0x40
const OPEN_TRUNCATES = 0x200
const LAST_STANDARD_FD = 2
/** Calls that change the file system where they succeed, whatever they are given. */
const CHANGING: ReadonlySet<string> = new Set([
  'mmap_js',
  'munmap_js',
  'syscall_chmod',
  'syscall_dup3',
  'syscall_fchmod',
  'syscall_fchown32',
  'syscall_ftruncate64',
  'syscall_mkdirat',
  'syscall_renameat',
  'syscall_rmdir',
  'syscall_unlinkat',
  'syscall_utimensat'
])
/** Calls whose first argument is a file's number. */
const ON_OPEN_FILE = /^(fd_|syscall_(fcntl64|fstat64|ftruncate64|fchmod|fchown32|ioctl|dup3)$)/
const DUPLICATES_FD: ReadonlySet<number> = new Set([0, 1030])

export function newFileState(): FileState {
  let changedNow = false
  let changedBefore = false
  let madeBefore = false
  const files: FileState = {
    open: 0,
    driveMade: false,
    terminalWritten: false,
    standardMoved: false,
    changed() {
      changedNow = true
    },
    hangsOnInstance(fd, succeeded) {
      if (fd !== undefined && fd <= LAST_STANDARD_FD && !files.standardMoved) return false
      // What is not there in spite of what WeaveDrive made was not there before either.
      return changedBefore || (madeBefore && succeeded)
    },
    instanceMade() {
      changedNow = false
      files.open = 0
      files.driveMade = false
    },
    beginMessage() {
      changedBefore ||= changedNow || files.open !== 0
      madeBefore ||= files.driveMade
    }
  }
  return files
}

/** Watches a call on the file system: what it changes, and whether its answer hangs on the instance. */
export function watchFileCall(name: string, original: FileFunction, host: FileHost): FileFunction {
  const { files } = host
  return (...args) => {
    const fd = ON_OPEN_FILE.test(name) ? Number(args[0]) : undefined
    const answer = host.call(name, () => original(...args))
    const succeeded = name.startsWith('fd_') ? Number(answer) === 0 : Number(answer) >= 0
    if (files.hangsOnInstance(fd, succeeded)) host.note('files', name)
    if (succeeded) follow(name, fd, args, host)
    return answer
  }
}

/** What the instance holds after a call that succeeded. */
function follow(name: string, fd: number | undefined, args: readonly unknown[], host: FileHost): void {
  const { files } = host
  const standard = fd !== undefined && fd <= LAST_STANDARD_FD
  if (name === 'syscall_openat') {
    files.open++
    host.filesTouched = true
    if ((Number(args[2]) & (OPEN_CREATES | OPEN_TRUNCATES)) !== 0) files.changed()
  } else if (name === 'fd_close') {
    files.open--
    if (standard) {
      files.standardMoved = true
      host.filesTouched = true
    }
  } else if (name === 'fd_write') {
    if (!standard || files.standardMoved) files.changed()
    files.terminalWritten = true
  } else if (name === 'syscall_fcntl64' && DUPLICATES_FD.has(Number(args[1]))) {
    files.open++
    host.filesTouched = true
  } else if (CHANGING.has(name)) {
    files.changed()
    host.filesTouched = true
    if (name === 'syscall_dup3') files.standardMoved = true
  }
}
