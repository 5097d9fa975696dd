/**
 * Small modules for tests: one hand-written WAT text, compiled for each format that the loader runs.
 *
 * A module obeys the first word of a message's `Data`, or of a cron's tag `Word`; the text after the word and one space is its
 * argument. The answer is an `Output` unless the table says otherwise, and an empty one for an unknown word. Words down to `deep`
 * change nothing that a later answer shows. The others first change the state: they add one to a counter and fill 16 KiB at
 * `PATTERN_OFFSET` with a pattern that depends on it. So `count` shows whether an earlier change was kept or rolled back, and a
 * hash of the memory proves it. (An answer of more than 64 KiB, from `big` or a long `echo`, overwrites the pattern.)
 *
 * | word | answer or action |
 * |---|---|
 * | `echo TEXT` | `TEXT` |
 * | `pages` | the memory's size in pages of 64 KiB |
 * | `clock` | one reading of the import `date_now` |
 * | `env` | the strings of `environ_get`, each with a line feed after it; they stay in the memory |
 * | `num [JSON]` | `JSON` unchanged; by default the number 42 |
 * | `tags` | a message with tags `__proto__`, `constructor` and `Quantity` (the counter); Output has a key `__proto__` |
 * | `big [BYTES]` | this many x, by default 1,000,000. Grows the memory if needed |
 * | `deep [LEVELS]` | nested lists, by default 10,000 |
 * | `count` | the counter |
 * | `errorat COUNT` | the counter, or as `error` if it reaches `COUNT` |
 * | `height` | the message's `Block-Height` |
 * | `dirty [KIB]` | fills this many KiB with the pattern, by default 64, and answers their number. Grows the memory if needed |
 * | `grow [PAGES]` | 16 by default, by the loader, which may give more. Fills the last page, answers as `pages`; traps if refused |
 * | `growerr [PAGES]` | the same, then as `error` |
 * | `growraw` | the instruction `memory.grow`, which the loader does not see |
 * | `growforever` | 16 MiB at a time, writing to all pages, until it is refused; then as `hang` |
 * | `error` | `Error` is `boom`, `Output` is `failed` |
 * | `throw` | `{"ok":false,"response":"boom"}`, which the loader throws |
 * | `bad` | an answer that is not JSON |
 * | `oom` | an Output that ends with `not enough memory for buffer allocation` |
 * | `trap` | `unreachable` |
 * | `hang` | never ends |
 * | `file TIMES BYTES PATH` | opens a WeaveDrive file, reads BYTES bytes TIMES times, closes it. The content read, or `none` |
 * | `slurp PATH` | the same with one read of the file's size, which a seek to its end returns |
 *
 * Only formats with WeaveDrive have the last two; in the first three formats they trap. The following words change the state of the
 * loader's file system and leave its answers in the memory. The oldest format has no files and answers accordingly.
 *
 * | word | answer or action |
 * |---|---|
 * | `print TEXT` | writes it to standard output |
 * | `open FLAGS PATH` | `openat`. Answers the file's number, or a negative one |
 * | `write FD TEXT`, `read FD BYTES`, `close FD` | 0, or a number for the failure |
 * | `stat PATH`, `mkdir PATH`, `unlink PATH` | the same, negative |
 * | `now` | one reading of the import `get_now`; 0 if it is not a number, and in the oldest format, which has none |
 * | `local SECONDS` | the local hour at that time, by `localtime_js` |
 * | `tz` | `tzset_js` |
 *
 * A message and the environment's JSON may have 1 MiB together; in the two oldest formats each character takes four bytes.
 */
import { readFileSync } from 'node:fs'
import wabt from 'wabt'
import { moduleFormat } from '../../src/replay/formats.ts'

/** The address of the pattern, see `patternWord`. */
export const PATTERN_OFFSET = 1_179_648

const LEAST_PAGES = 19
const PATTERN_FACTOR = 0x9e3779b97f4a7c15n

export interface SmallModuleOptions {
  /** Pages of 64 KiB, at least 19; by default 20. */
  readonly initialPages?: number
  /** Pages of 64 KiB; by default 16,384, which is 1 GiB. */
  readonly maximumPages?: number
  readonly more?: MoreOfModule
}

/** Additions of a test to the small module, as WAT with `ptr`, PTR_BYTES and (text "…") as in small.wat. */
export interface MoreOfModule {
  readonly functions: string
  /** By further word: the function without parameters that answers it. */
  readonly words: Readonly<Record<string, string>>
  /** Called with a message that has no `Data`; may set `$word` to the first word to obey. */
  readonly find: string
  /** Called when an instance begins, before any message. */
  readonly begin: string
}

/** The names of a module's imports and exports in the loader's glue for a format. */
interface Dialect {
  readonly imports: {
    readonly dateNow: string
    readonly resizeHeap: string
    readonly environ: readonly [string, string]
    /** By their name in the WAT text; a missing one answers 0. */
    readonly host: Readonly<Partial<Record<HostImport, string>>>
  }
  /** The parameters of imports that differ from those of other formats. */
  readonly params?: Readonly<Partial<Record<HostImport, string>>>
  /** Whether modules of this format can open WeaveDrive files. */
  readonly drive?: true
  /** WAT fields by their exported name. */
  readonly exports: Readonly<Record<string, string>>
}

/** The type of each import. */
const HOST_IMPORTS = {
  get_now: '(result f64)',
  fd_write: '(param i32 ptr ptr ptr) (result i32)',
  fd_read: '(param i32 ptr ptr ptr) (result i32)',
  fd_close: '(param i32) (result i32)',
  openat: '(param i32 ptr i32 ptr) (result i32)',
  stat: '(param ptr ptr) (result i32)',
  mkdirat: '(param i32 ptr i32) (result i32)',
  unlinkat: '(param i32 ptr i32) (result i32)',
  localtime: '(param i64 ptr)',
  tzset: '(param ptr ptr ptr ptr)'
} as const
type HostImport = keyof typeof HOST_IMPORTS

const EXPORTS = {
  memory: '(memory $memory)',
  __indirect_function_table: '(table $table)',
  __wasm_call_ctors: '(func $nothing)',
  handle: '(func $handle)',
  fflush: '(func $fflush)',
  emscripten_stack_init: '(func $nothing)',
  emscripten_stack_get_base: '(func $stack_base)',
  emscripten_stack_get_end: '(func $stack_end)',
  emscripten_stack_get_current: '(func $stack_save)'
}
const EXPORTS_WITH_MAIN = {
  ...EXPORTS,
  main: '(func $main)',
  stackSave: '(func $stack_save)',
  stackRestore: '(func $stack_restore)',
  stackAlloc: '(func $stack_alloc)'
}
const EXPORTS_MINIFIED = {
  E: '(memory $memory)',
  F: '(func $nothing)',
  G: '(func $handle)',
  H: '(func $main)',
  I: '(table $table)',
  M: '(func $stack_save)',
  N: '(func $stack_restore)',
  O: '(func $stack_alloc)'
}
/** The address of a 32-bit time, and one address for all names that `tzset` writes. */
const OLDEST_PARAMS = { localtime: '(param ptr ptr)', tzset: '(param ptr ptr ptr)' }
const NEWEST: Dialect = {
  imports: importsWith('emscripten_date_now'),
  drive: true,
  exports: {
    ...EXPORTS,
    malloc: '(func $malloc)',
    free: '(func $free)',
    asyncify_start_unwind: '(func $start_unwind)',
    asyncify_stop_unwind: '(func $stop_winding)',
    asyncify_start_rewind: '(func $start_rewind)',
    asyncify_stop_rewind: '(func $stop_winding)',
    _emscripten_stack_restore: '(func $stack_restore)',
    _emscripten_stack_alloc: '(func $stack_alloc)'
  }
}
const DIALECTS = {
  'wasm32-unknown-emscripten': {
    imports: {
      dateNow: '"a" "a"',
      resizeHeap: '"a" "q"',
      environ: ['"a" "u"', '"a" "v"'],
      host: {
        fd_write: '"a" "f"',
        fd_read: '"a" "y"',
        fd_close: '"a" "c"',
        openat: '"a" "g"',
        stat: '"a" "r"',
        unlinkat: '"a" "e"',
        localtime: '"a" "C"',
        tzset: '"a" "j"'
      }
    },
    params: OLDEST_PARAMS,
    exports: EXPORTS_MINIFIED
  },
  'wasm32-unknown-emscripten2': {
    imports: importsWith('_emscripten_date_now'),
    params: OLDEST_PARAMS,
    exports: EXPORTS_WITH_MAIN
  },
  'wasm32-unknown-emscripten3': { imports: importsWith('emscripten_date_now'), exports: EXPORTS_WITH_MAIN },
  'wasm32-unknown-emscripten4': NEWEST,
  'wasm32-unknown-emscripten-metering': NEWEST,
  'wasm64-unknown-emscripten-draft_2024_02_15': NEWEST,
  'wasm64-unknown-emscripten-draft_2024_10_16-metering': NEWEST
} satisfies Record<string, Dialect>

export type SmallModuleFormat = keyof typeof DIALECTS

/** All formats of the loader, oldest first. */
export const SMALL_MODULE_FORMATS = Object.keys(DIALECTS) as SmallModuleFormat[]

const SOURCE = new URL('small.wat', import.meta.url)
let toolkit: ReturnType<typeof wabt> | undefined

/**
 * Compiles the small module for a format.
 *
 * @returns the WASM file's bytes, in an ArrayBuffer of their own
 * @throws Error if the module needs more pages than `initialPages`
 *
 * @example
 * ```ts
 * const wasm = await compileSmallModule('wasm32-unknown-emscripten4', { maximumPages: 64 })
 * ```
 */
export async function compileSmallModule(
  format: SmallModuleFormat,
  { initialPages = 20, maximumPages = 16_384, more }: SmallModuleOptions = {}
): Promise<Uint8Array<ArrayBuffer>> {
  if (initialPages < LEAST_PAGES) throw new Error(`the small module needs ${LEAST_PAGES} pages, not ${initialPages}`)
  const { pointerBytes } = moduleFormat(format)
  toolkit ??= wabt()
  const text = moduleText(DIALECTS[format], pointerBytes, `${initialPages} ${maximumPages}`, more)
  const parsed = (await toolkit).parseWat('small.wat', text, { memory64: pointerBytes === 8, bulk_memory: false })
  try {
    return Uint8Array.from(parsed.toBinary({}).buffer)
  } finally {
    parsed.destroy()
  }
}

/** The first eight bytes at `PATTERN_OFFSET` if the counter is `count`, as a little-endian number. */
export function patternWord(count: number): bigint {
  return BigInt.asUintN(64, BigInt(count) * PATTERN_FACTOR)
}

function importsWith(dateNow: string): Dialect['imports'] {
  const environ = ['"wasi_snapshot_preview1" "environ_get"', '"wasi_snapshot_preview1" "environ_sizes_get"'] as const
  const host = {
    get_now: '"env" "emscripten_get_now"',
    fd_write: '"wasi_snapshot_preview1" "fd_write"',
    fd_read: '"wasi_snapshot_preview1" "fd_read"',
    fd_close: '"wasi_snapshot_preview1" "fd_close"',
    openat: '"env" "__syscall_openat"',
    stat: '"env" "__syscall_stat64"',
    mkdirat: '"env" "__syscall_mkdirat"',
    unlinkat: '"env" "__syscall_unlinkat"',
    localtime: '"env" "_localtime_js"',
    tzset: '"env" "_tzset_js"'
  }
  return { dateNow: `"env" "${dateNow}"`, resizeHeap: '"env" "emscripten_resize_heap"', environ, host }
}

/** Imports the functions that a format has, lets the others answer 0, and gives them the same parameters in all formats. */
function hostImports(
  { imports, params }: Dialect,
  wide: boolean
): { readonly imports: string[]; readonly functions: string[] } {
  const names = Object.keys(HOST_IMPORTS) as HostImport[]
  const typeOf = (name: HostImport) => {
    const legal = name === 'localtime' && !wide ? '(param i32 i32 ptr)' : HOST_IMPORTS[name]
    return params?.[name] ?? legal
  }
  const given = names.filter((name) => imports.host[name] !== undefined)
  const nothing = names.filter((name) => imports.host[name] === undefined)
  const seconds = '(i32.wrap_i64 (local.get 0))'
  const localtime =
    params?.localtime !== undefined
      ? `(i32.store (ptr.const 16640) ${seconds}) (call $localtime (ptr.const 16640) (local.get 1))`
      : wide
        ? '(call $localtime (local.get 0) (local.get 1))'
        : `(call $localtime ${seconds} (i32.wrap_i64 (i64.shr_s (local.get 0) (i64.const 32))) (local.get 1))`
  const zones = ['16768', '16776', '16784', '16808'].slice(0, params?.tzset === undefined ? 4 : 3)
  return {
    imports: given.map((name) => `(import ${imports.host[name]} (func $${name} ${typeOf(name)}))`),
    functions: [
      ...nothing.map((name) => `(func $${name} ${typeOf(name)} (${name === 'get_now' ? 'f64' : 'i32'}.const 0))`),
      `(func $local_time (param i64 ptr) ${localtime})`,
      `(func $set_zone (call $tzset ${zones.map((at) => `(ptr.const ${at})`).join(' ')}))`
    ]
  }
}

function moduleText(dialect: Dialect, pointerBytes: 4 | 8, pages: string, more?: MoreOfModule): string {
  const { imports, exports, drive } = dialect
  const wide = pointerBytes === 8
  const host = hostImports(dialect, wide)
  const literals = createLiterals()
  const words = Object.entries(more?.words ?? {}).map(
    ([word, name]) => `(if (call $is (text "${word}")) (then (call ${name}) (br $answered)))`
  )
  const source = `${readFileSync(SOURCE, 'utf8')}\n${more?.functions ?? ''}`
    .replace('MORE_WORDS', words.join('\n'))
    .replace('MORE_FIND', more === undefined ? '' : `(call ${more.find} (local.get $message))`)
  const begin = (name: string, field: string) => (name === '__wasm_call_ctors' ? `(func ${more?.begin ?? '$nothing'})` : field)
  const body = source.replace(/\(text "((?:[^"\\]|\\.)*)"\)/g, (_, text: string) => literals.place(text))
  const parts = [
    `(import ${imports.dateNow} (func $date_now (result f64)))`,
    `(import ${imports.resizeHeap} (func $resize_heap (param ptr) (result i32)))`,
    `(import ${imports.environ[0]} (func $environ_get (param ptr ptr) (result i32)))`,
    `(import ${imports.environ[1]} (func $environ_sizes_get (param ptr ptr) (result i32)))`,
    ...host.imports,
    ...(drive === true ? driveImports(wide) : NO_DRIVE),
    ...host.functions,
    `(memory $memory ${wide ? 'i64 ' : ''}${pages})`,
    '(table $table 1 funcref)',
    `(func $ptr_of (param i64) (result ptr) ${wide ? '(local.get 0)' : '(i32.wrap_i64 (local.get 0))'})`,
    `(func $number_of (param ptr) (result i64) ${wide ? '(local.get 0)' : '(i64.extend_i32_u (local.get 0))'})`,
    body,
    ...Object.entries(exports).map(([name, field]) => `(export "${name}" ${begin(name, field)})`),
    literals.data()
  ]
  const typed = parts.join('\n').replace(/\bptr\b/g, wide ? 'i64' : 'i32')
  return `(module\n${typed.replaceAll('PTR_BYTES', String(pointerBytes))}\n)`
}

const NO_DRIVE = [
  '(func $drive_open (param ptr ptr) (result i32) (unreachable))',
  '(func $drive_read (param i32 ptr ptr) (result i32) (unreachable))',
  '(func $drive_close (param i32) (result i32) (unreachable))',
  '(func $seek_end (param i32) (result i32) (unreachable))'
]

/** In 32 bits an offset has two halves. */
function driveImports(wide: boolean): string[] {
  const offset = wide ? ['i64', '(i64.const 0)'] : ['i32 i32', '(i32.const 0) (i32.const 0)']
  return [
    '(import "env" "__asyncjs__weavedrive_open" (func $drive_open (param ptr ptr) (result i32)))',
    '(import "env" "__asyncjs__weavedrive_read" (func $drive_read (param i32 ptr ptr) (result i32)))',
    '(import "env" "__asyncjs__weavedrive_close" (func $drive_close (param i32) (result i32)))',
    `(import "wasi_snapshot_preview1" "fd_seek" (func $fd_seek (param i32 ${offset[0]} i32 ptr) (result i32)))`,
    `(func $seek_end (param i32) (result i32)
      (call $fd_seek (local.get 0) ${offset[1]} (i32.const 2) (ptr.const 1040)))`
  ]
}

const LITERALS_OFFSET = 2048

/** The literals of the WAT text, one after another in the memory. Their only escapes are `\"` and `\\`. */
function createLiterals() {
  let all = ''
  let at = LITERALS_OFFSET
  return {
    /** Adds a literal and returns its address and length as WAT. */
    place(text: string): string {
      const length = text.replace(/\\(.)/g, '$1').length
      const operands = `(ptr.const ${at}) (ptr.const ${length})`
      all += text
      at += length
      return operands
    },
    data: () => `(data (ptr.const ${LITERALS_OFFSET}) "${all}")`
  }
}
