/**
 * What a module can ask of its host, made explicit: the C environment, the clock, growth, and all that must not be answered.
 * Works on the import object that the loader hands to its instantiation hook (replay-recipes, "The hook").
 */
import type { ModuleFormat } from '../formats.ts'
import type { ExecutionProfile } from '../profile.ts'
import type { MemoryLimits } from './memory-limits.ts'

/** Imports whose answer hangs on the host: named in a result so that a difference can be explained. */
const HOST_INPUTS: ReadonlySet<string> = new Set([
  'clock_time_get',
  'getentropy',
  'localtime_js',
  'mktime_js',
  'random_get',
  'tzset_js'
])
/** Calls that can leave something outside the memory: an open file. */
const FILE_CALLS: ReadonlySet<string> = new Set(['syscall_openat', 'syscall_open'])
const PAGE_BYTES = 65_536

/** What one instance's host did and what state it holds. */
export interface Host {
  /** What the clock answers next. */
  clock: number
  /** Where the clock stood at the first reading of this message. */
  clockRead: number | undefined
  readonly inputs: Set<string>
  filesTouched: boolean
  memoryGrew: boolean
  /** Set where the host decided, not the module: the result says nothing. */
  trouble: string | undefined
  /** Why a unit may have read something else than was served here. */
  assumed: string | undefined
  /** The trouble is that nobody has an input. */
  inputMissing: boolean
}

type Imports = Record<string, Record<string, unknown>>
type Func = (...args: unknown[]) => unknown

export function createHost(clock: number): Host {
  return {
    clock,
    clockRead: undefined,
    inputs: new Set(),
    filesTouched: false,
    memoryGrew: false,
    trouble: undefined,
    assumed: undefined,
    inputMissing: false
  }
}

/**
 * Replaces in `imports` every answer of the host by one that the profile decides.
 *
 * @param memory answers the instance's memory, once there is one
 */
export function takeOverImports(
  imports: Imports,
  host: Host,
  format: ModuleFormat,
  profile: ExecutionProfile,
  memory: () => WebAssembly.Memory
): void {
  const environment = profile.environment.map((text) => Buffer.from(`${text}\0`))
  const { step } = profile.clock
  const readClock = (name: string) => () => {
    host.clockRead ??= host.clock
    host.inputs.add(name)
    const now = host.clock
    host.clock += step
    return now
  }
  const putPointer = (at: unknown, value: number) => {
    const view = new DataView(memory().buffer)
    if (format.pointerBytes === 8) view.setBigUint64(Number(at), BigInt(value), true)
    else view.setUint32(Number(at), value, true)
  }
  const environSizesGet = (count: unknown, size: unknown) => {
    putPointer(count, environment.length)
    putPointer(
      size,
      environment.reduce((sum, bytes) => sum + bytes.byteLength, 0)
    )
    return 0
  }
  const environGet = (table: unknown, buffer: unknown) => {
    let at = Number(buffer)
    environment.forEach((bytes, index) => {
      putPointer(Number(table) + index * format.pointerBytes, at)
      new Uint8Array(memory().buffer).set(bytes, at)
      at += bytes.byteLength
    })
    return 0
  }
  for (const namespace of new Set(Object.values(imports))) {
    for (const [key, original] of Object.entries(namespace)) {
      if (typeof original !== 'function') continue
      const call = original as Func
      const name = importName(key, call)
      if (name === 'environ_sizes_get') namespace[key] = environSizesGet
      else if (name === 'environ_get') namespace[key] = environGet
      else if (name === 'emscripten_date_now' || name === 'emscripten_get_now') {
        // The two oldest formats answer 0 always, by themselves.
        if (format.clockStart !== undefined) namespace[key] = readClock(name)
      } else if (HOST_INPUTS.has(name)) {
        namespace[key] = (...args: unknown[]) => {
          host.inputs.add(name)
          return call(...args)
        }
      } else if (FILE_CALLS.has(name)) {
        namespace[key] = (...args: unknown[]) => {
          const answer = call(...args)
          if (Number(answer) >= 0) host.filesTouched = true
          return answer
        }
      }
    }
  }
}

/** An import's plain name: the oldest format minifies the keys, the functions behind them keep their names. */
export function importName(key: string, call: { readonly name: string }): string {
  return (key.length > 2 ? key : call.name).replace(/^_+/, '')
}

/** Bounds and watches the growth of a memory, and takes both index types: Node 24 and later want a BigInt on wasm64. */
export function takeOverGrowth(memory: WebAssembly.Memory, host: Host, declared: MemoryLimits, heapBytes: number): void {
  const grow = memory.grow.bind(memory) as (pages: number | bigint) => number | bigint
  const growEither = (pages: number): number => {
    try {
      return Number(grow(BigInt(pages)))
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      return Number(grow(pages))
    }
  }
  memory.grow = (asked: number) => {
    // The loader divides bytes by the page's size and leaves a fraction.
    const pages = Math.trunc(Number(asked))
    const total = memory.buffer.byteLength / PAGE_BYTES + pages
    const permitted = total <= declared.maximumPages
    if (permitted && total * PAGE_BYTES > heapBytes) {
      host.trouble ??= `the module asked for ${total * PAGE_BYTES} bytes of memory, the auditor's limit is ${heapBytes}`
      throw new RangeError('memory limit')
    }
    try {
      const before = growEither(pages)
      if (pages > 0) host.memoryGrew = true
      return before
    } catch (error) {
      if (permitted) host.trouble ??= `the host had no memory of ${total * PAGE_BYTES} bytes`
      throw error
    }
  }
}
