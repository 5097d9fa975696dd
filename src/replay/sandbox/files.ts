/**
 * Follows the loader's file system, which lives in an instance. The changes of a message are known, but a CU may start an
 * instance when nobody sees it, so a later message finds them only if the instance is still the same.
 */

/** The changes to the file system of an instance. */
export interface FileState {
  /** Number of open files, less the standard streams that were closed. */
  open: number
  /** WeaveDrive created files. */
  driveMade: boolean
  /** The module wrote to a terminal. */
  terminalWritten: boolean
  /** Records that a call changed the file system. */
  changed(): void
  /** The module closed or replaced a standard stream. */
  standardMoved: boolean
  /** Whether the answer may differ in an instance that began with this message. */
  hangsOnInstance(fd: number | undefined, succeeded: boolean): boolean
  /** Records that all changes so far happen in every instance. */
  instanceMade(): void
  beginMessage(): void
}

/** The part of a host that learns about files. */
interface FileHost {
  readonly files: FileState
  /** The instance holds state outside the memory. */
  filesTouched: boolean
  note(kind: 'files', name: string): void
  call<T>(name: string, act: () => T): T
}

type FileFunction = (...args: unknown[]) => unknown

const OPEN_CREATES = 0x40
const OPEN_TRUNCATES = 0x200
const LAST_STANDARD_FD = 2
/** Calls that change the file system whenever they succeed, whatever their arguments are. */
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
/** Calls whose first argument is a file descriptor. */
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
      // A file that is missing although WeaveDrive created files was missing before, too.
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

/** Watches a call on the file system: its changes, and whether its answer depends on the instance. */
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

/** Records the changes of a successful call. */
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
