/**
 * The inputs on which each import of the loader's formats may depend, by its plain name. An import that is not listed here may
 * depend on more than arguments and memory, and counts as an input of the host (from @permaweb/ao-loader 0.0.49; a test compares
 * the table with the loader's imports).
 */

export type ImportKind =
  /** Depends only on its arguments and the memory, or throws. */
  | 'pure'
  /** Answered by the profile. */
  | 'environment'
  | 'clock'
  /** Answered by the profile if it states a time zone. */
  | 'time-zone'
  /** Returns times of the loader's file system. */
  | 'stat'
  /** Works on the loader's file system, which lives as long as its instance. */
  | 'file'
  /** WeaveDrive, which records by itself what it read. */
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
    // `takeOverGrowth` limits growth and reports a refusal by the host.
    'emscripten_resize_heap',
    // `takeOverGlobals` refuses the program that they would start, and records it.
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

/** Returns the inputs on which an import may depend; undefined for an unknown import. */
export function importKind(name: string): ImportKind | undefined {
  // These imports call the module back through its table.
  return name.startsWith('invoke_') ? 'pure' : KINDS.get(name)
}

/** Returns an import's plain name: the oldest format minifies the keys, but the functions behind them keep their names. */
export function importName(key: string, call: { readonly name: string }): string {
  return (key.length > 2 ? key : call.name).replace(/^_+/, '')
}
