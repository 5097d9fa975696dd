/**
 * What each import of the loader's formats may depend on, by its plain name. What is not named here is not known to compute from
 * arguments and memory alone, and counts as an input of the host (read in @permaweb/ao-loader 0.0.49; a test holds the table
 * against what the loader offers).
 */

export type ImportKind =
  /** Computes from its arguments and the memory alone, or throws. */
  | 'pure'
  /** Answered by the profile. */
  | 'environment'
  | 'clock'
  /** Answered by the profile where it states a time zone. */
  | 'time-zone'
  /** Tells times of the loader's file system. */
  | 'stat'
  /** Works on the loader's file system, which lives as long as an instance does. */
  | 'file'
  /** WeaveDrive, which says by itself what it read. */
  | 'drive'

const NAMES: Readonly<Record<ImportKind, readonly string[]>> = {
  pure: [
    'abort',
    'abort_js',
    'assert_fail',
    'cxa_throw',
    'dlinit',
    'dlopen_js',
    'dlsym_js',
    'emscripten_err',
    'emscripten_get_heap_max',
    'emscripten_get_now_is_monotonic',
    'emscripten_memcpy_big',
    'emscripten_memcpy_js',
    // Growth is bounded elsewhere, and says so where the host refused it.
    'emscripten_resize_heap',
    // A program that they would start is refused, and named there.
    'emscripten_system',
    'system',
    'emscripten_throw_longjmp',
    'exit',
    'getTempRet0',
    'setTempRet0',
    'gmtime_js',
    'metering_gasUsed',
    'strftime',
    'strftime_l',
    'usegas'
  ],
  environment: ['environ_get', 'environ_sizes_get'],
  clock: ['emscripten_date_now', 'emscripten_get_now'],
  'time-zone': ['localtime_js', 'mktime_js', 'tzset_js'],
  stat: ['syscall_fstat64', 'syscall_lstat64', 'syscall_newfstatat', 'syscall_stat64'],
  file: [
    'fd_close',
    'fd_fdstat_get',
    'fd_read',
    'fd_seek',
    'fd_sync',
    'fd_write',
    'mmap_js',
    'munmap_js',
    'syscall_chmod',
    'syscall_dup3',
    'syscall_faccessat',
    'syscall_fchmod',
    'syscall_fchown32',
    'syscall_fcntl64',
    'syscall_ftruncate64',
    'syscall_getcwd',
    'syscall_ioctl',
    'syscall_mkdirat',
    'syscall_openat',
    'syscall_readlinkat',
    'syscall_renameat',
    'syscall_rmdir',
    'syscall_unlinkat',
    'syscall_utimensat'
  ],
  drive: ['asyncjs__weavedrive_close', 'asyncjs__weavedrive_open', 'asyncjs__weavedrive_read']
}

const KINDS: ReadonlyMap<string, ImportKind> = new Map(
  (Object.keys(NAMES) as ImportKind[]).flatMap((kind) => NAMES[kind].map((name) => [name, kind] as const))
)

/** What an import may depend on; undefined for one that is not known. */
export function importKind(name: string): ImportKind | undefined {
  // They call the module back through its table.
  return name.startsWith('invoke_') ? 'pure' : KINDS.get(name)
}

/** An import's plain name: the oldest format minifies the keys, the functions behind them keep their names. */
export function importName(key: string, call: { readonly name: string }): string {
  return (key.length > 2 ? key : call.name).replace(/^_+/, '')
}
